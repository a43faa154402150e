"""Runs checks: concurrently, each within its time, and each to an event with a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from checks import identity
from checks.base import CheckContext, CheckKind, CouldNotLookError, Outcome, Settings, unknown
from checks.guide import NO_GUIDE, named_way
from checks.looks import CheckRef, asked, checks_of, checks_of_stages
from checks.registry import kind as find_kind
from console.engine.checks.evidence import fit
from console.engine.checks.first_launch import FirstLaunch, judge
from console.engine.record.journal import Journal
from state.base.json import EMPTY
from state.base.text import line
from state.events.event import Draft, gate_key
from state.events.gates import CheckFinished, CheckStarted
from state.runbook.models import Runbook
from state.view.enums import Look, Verdict

if TYPE_CHECKING:
    from checks.clients.clients import Clients

AT_ONCE = 64
"""More than a runbook has checks: one that waits for its turn makes a sweep longer than its slowest check."""
_JUDGED = {Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.DEFERRED}


class Runner:
    """Runs the checks of one runbook. The same check never runs twice at once."""

    def __init__(
        self,
        journal: Journal,
        runbook: Runbook,
        clients: Clients,
        at_once: int = AT_ONCE,
        first: FirstLaunch | None = None,
    ) -> None:
        """``first``: what knows of a first launch; None: nothing is deferred."""
        self._journal = journal
        self._runbook = runbook
        self._clients = clients
        self._first = first
        self._free = asyncio.Semaphore(at_once)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def checks(self, items: Iterable[str]) -> list[CheckRef]:
        """Return the checks of items that are of use now, in the order of the runbook."""
        return asked(checks_of(self._runbook, items), self._journal.view)

    def stage_checks(self, stages: Iterable[str]) -> list[CheckRef]:
        """Return the checks of stages of the pipeline, in the order of the runbook."""
        return checks_of_stages(self._runbook, stages)

    def start(self, checks: Iterable[CheckRef], actor: str) -> list[str]:
        """Start checks and return the ids of those that did not run already."""
        started = []
        for check in checks:
            if check.id in self._tasks or self._closing:
                continue
            task = asyncio.create_task(self._run(check, actor), name=f"check {check.id}")
            self._tasks[check.id] = task
            task.add_done_callback(lambda done, name=check.id: self._ended(name, done))  # type: ignore[misc]  # a default binds the name
            started.append(check.id)
        return started

    async def idle(self) -> None:
        """Wait until no check runs."""
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    async def aclose(self) -> None:
        """Cancel what runs. The log still says RUNNING: the caller records what became of it."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled():
            task.exception()  # only a log that can't be written gets here, and it tells of itself

    async def _run(self, check: CheckRef, actor: str) -> None:
        async with self._free:
            gate = gate_key(check.gate) if check.gate else None
            started = await self._journal.record(Draft(CheckStarted(check.item, check.id), gate, actor=actor))
            loop = asyncio.get_running_loop()
            before = loop.time()
            outcome = await self._judge(check)
            body = CheckFinished(
                item=check.item,
                check=check.id,
                verdict=outcome.verdict,
                summary=line(self._clients.redactor.clean(outcome.summary)),
                evidence=fit(outcome.evidence, self._clients.redactor),
                ms=round((loop.time() - before) * 1000),
                ways=tuple(line(self._clients.redactor.clean(way)) for way in outcome.ways),
            )
            await self._journal.record(Draft(body, gate, started.seq, actor))

    async def _judge(self, check: CheckRef) -> Outcome:
        """Return what the check found, with the way out where that is no pass."""
        kind = find_kind(check.spec.kind)
        if kind is None:
            reason = f"there is no kind of check {check.spec.kind!r} in this version"
            return replace(unknown(reason), ways=(named_way(NO_GUIDE, reason),))
        return kind.mended(await self._judged(kind, check))

    async def _judged(self, kind: CheckKind[Settings], check: CheckRef) -> Outcome:
        """Return what the check found; whatever goes wrong is unknown, never pass."""
        try:
            async with asyncio.timeout(check.spec.timeout):
                outcome = await self._outcome(kind, check)
        except CouldNotLookError as error:
            return unknown(str(error))
        except TimeoutError:
            return unknown(f"no result within {check.spec.timeout:g} s")
        except Exception as error:  # a value of the exception may hold a secret: only its type is told
            return unknown(f"the check itself failed: {type(error).__name__}")
        if outcome.verdict not in _JUDGED:
            return unknown(f"the check gave {outcome.verdict}, which is no judgement", outcome.evidence)
        return outcome

    async def _outcome(self, kind: CheckKind[Settings], check: CheckRef) -> Outcome:
        settings: dict[str, object] = dict(check.spec.settings)
        if self._first is not None:
            await self._first.known()
        context = self._context(check)
        if self._first is not None and context.first():
            return await self._first.admitted(await judge(kind, settings, context))
        if check.look is Look.ONCE:
            outcome = await judge(kind, settings, context)
        else:
            outcome = await identity.judged(context, lambda: judge(kind, settings, context))
        return outcome

    def _context(self, check: CheckRef) -> CheckContext:
        journal, rendered = self._journal, self._first.rendered() if self._first is not None else None
        return CheckContext(
            check.spec.env, self._runbook, self._clients, journal.clock, journal.view, rendered
        )


async def close_open_checks(journal: Journal, reason: str) -> None:
    """Record unknown for every check that the log left running."""
    view = journal.view
    left = [
        (item.id, gate_key(gate.number), check)
        for gate in view.gates
        for item in gate.items
        for check in item.checks
    ]
    drafts = [
        Draft(
            CheckFinished(
                item=name, check=check.id, verdict=Verdict.UNKNOWN, summary=reason, evidence=EMPTY, ms=0
            ),
            gate,
        )
        for name, gate, check in [
            *left,
            *((stage.id, None, c) for stage in view.stages for c in stage.checks),
        ]
        if check.verdict is Verdict.RUNNING
    ]
    if drafts:
        await journal.record_many(drafts)
