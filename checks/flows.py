"""The core flows, walked through the API as its users do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.errors import LoginRefusedError, WrongContentError
from checks.clients.http import MAIN, Surface
from checks.guides import watching
from checks.judging import FRESH, Findings, key, lookup
from checks.unobserved import is_html, stand_in, unobserved
from state.base.json import Json
from state.base.numbers import plural
from state.base.text import line
from state.base.times import SECOND_US
from state.runbook.units import Seconds
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient
    from checks.clients.wire import Reply


_YES: Final = frozenset({"valid", "active", "authenticated", "ok", "success", "healthy", "ready"})
"""Fields that say of a request itself whether it was right."""


class Step(Settings):
    """One request of a flow and what its answer must hold."""

    flow: str
    """The flow that it belongs to: auth, tenants, billing, jobs."""
    path: str
    """What is asked for."""
    surface: Surface = MAIN
    """The domain that is asked; none: the main one."""
    role: str | None = None
    """Who asks; none: nobody is logged in."""
    expect: tuple[int, ...] = (200,)
    """Statuses that are right."""
    has: tuple[str, ...] = ()
    """Dotted fields that the JSON answer must have, ``valid`` and its like not as false, others with any value."""
    page: bool | None = None
    """Whether the answer is a web page; none: it isn't where somebody is logged in on the main domain, or the path
    begins with ``/api``; it may be one elsewhere."""


class Task(Settings):
    """Work that is put in a queue and must come back done."""

    flow: str = "jobs"
    """The flow that it belongs to."""
    role: str
    """Who gives it."""
    path: str
    """Where it is given, by POST."""
    body: dict[str, JsonValue]
    """What is posted."""
    id_field: str = "id"
    """Where the answer names the task's id."""
    status_path: str
    """With ``{id}``."""
    status_field: str = "status"
    """Where its state is."""
    done: tuple[str, ...] = ("completed",)
    """States that mean: done."""
    failed: tuple[str, ...] = ("failed", "cancelled")
    """States that mean: failed."""
    within: Seconds = 60.0
    """Seconds of the launch's clock."""


class SmokeSettings(Settings):
    """The flows to walk."""

    steps: tuple[Step, ...]
    """Requests, in their order."""
    task: Task | None = None
    """Work for the queue; left out: none is given."""


@check(
    "flows.smoke",
    SmokeSettings,
    guide=watching.FLOWS,
    ttl=FRESH,
    leaves="logins of the test accounts, and what the steps of the flows make",
    judges=Judges.CANDIDATE,
)
async def smoke(settings: SmokeSettings, context: CheckContext) -> Outcome:
    """Judge that every step of the core flows answers as it must, and that a task goes through the worker."""
    findings = Findings()
    web = context.clients.web(context.tier)
    flows: dict[str, list[int]] = {}
    for step in settings.steps:
        took = await walk(step, web, findings)
        if took is not None:
            flows.setdefault(step.flow, []).append(took)
    if settings.task is not None:
        try:
            await _round_trip(settings.task, context, web, findings)
        except CouldNotLookError as error:
            findings.blind(f"{settings.task.flow}: {error}")
    for flow, times in flows.items():
        findings.saw(key(flow), {"answers": len(times), "slowest_ms": max(times)})
    names = sorted({*flows, *([settings.task.flow] if settings.task else [])})
    return findings.outcome(
        f"{plural(sum(map(len, flows.values())), 'answer is', 'answers are')} right in {', '.join(names)}"
    )


async def walk(step: Step, web: WebClient, findings: Findings) -> int | None:
    """Ask one step and judge its answer; return how long that took, or None where nothing was answered."""
    name = f"{step.flow}: {step.path}"
    try:
        reply = await web.get_as(step.role, step.path, surface=step.surface)
    except LoginRefusedError as error:
        if error.status == 401:  # right password, wrong answer: the flow itself is broken
            findings.wrong(f"{step.flow}: {error}")
        else:
            findings.blind(f"{step.flow}: {error}")
        return None
    except CouldNotLookError as error:
        findings.blind(f"{name}: {error}")
        return None
    who = f" as {step.role}" if step.role else ""
    why = unobserved(reply) or ((title := stand_in(reply)) and f"answers with the page {title!r}")
    if why and (reply.status not in step.expect or reply.status < 400):
        findings.blind(f"{name} {why}{who}; expected the platform's own answer")
        return None
    if reply.status not in step.expect:
        findings.wrong(f"{name} answers {reply.status}{who}; expected {' or '.join(map(str, step.expect))}")
        return reply.elapsed_ms
    if step.has or (reply.status < 300 and reply.status != 204):
        content(step, reply, name, who, findings)
    return reply.elapsed_ms


def content(step: Step, reply: Reply, name: str, who: str, findings: Findings) -> None:
    """Judge what a step's answer holds; without ``has``, that it holds what could be an answer at all."""
    if not step.has and (_may_be_page(step) if step.page is None else step.page):
        if not reply.body.strip():
            findings.blind(f"{name} answers {reply.status}{who} with nothing in it")
        elif step.page and not is_html(reply):
            findings.blind(f"{name} answers{who} with something else than a web page")
        return
    try:
        answer = reply.json()
    except CouldNotLookError as error:
        findings.blind(f"{name}: {error}")
        return
    if not step.has and (answer is None or answer == {}):
        findings.blind(f"{name} answers{who} with nothing in it: {line(reply.text, 20)}")
        return
    missing = [field for field in step.has if not _has(answer, field)]
    findings.need(not missing, f"{name}: the answer{who} lacks {', '.join(missing)}")
    no = [field for field in step.has if field.rpartition(".")[2] in _YES and lookup(answer, field) is False]
    findings.need(not no, f"{name}: the answer{who} says {', '.join(f'{field}: false' for field in no)}")


def _may_be_page(step: Step) -> bool:
    api = step.role is not None or f"{step.path}/".startswith("/api/")
    return step.surface != MAIN or not api


def _has(answer: Json, dotted: str) -> bool:
    parent, _, last = dotted.rpartition(".")
    inside = lookup(answer, parent) if parent else answer
    return isinstance(inside, dict) and last in inside


async def _round_trip(task: Task, context: CheckContext, web: WebClient, findings: Findings) -> None:
    created = await web.send_as(task.role, "POST", task.path, json=task.body)
    if created.status not in {200, 201, 202}:
        findings.wrong(f"{task.flow}: a task at {task.path} is refused with {created.status}")
        return
    identity = lookup(created.json(), task.id_field)
    if not isinstance(identity, str | int):
        raise WrongContentError(f"{created.where}: the task at {task.path} has no {task.id_field}")
    started = context.clock.mono_us()
    while True:
        reply = await web.get_as(task.role, task.status_path.replace("{id}", str(identity)))
        state = lookup(reply.need_success(expected="the task's state").json(), task.status_field)
        waited = (context.clock.mono_us() - started) // SECOND_US
        if state in task.done or state in task.failed or waited >= task.within:
            break
        await context.clock.sleep(1.0)
    findings.saw("task", {"id": str(identity), "state": str(state), "waited_s": waited})
    if state in task.failed:
        findings.wrong(f"{task.flow}: the task ended as {state}")
    elif state not in task.done:
        findings.wrong(f"{task.flow}: the task is still {state} after {waited}s: no worker does it")
