"""Whether what happens can be seen: observers that can be reached.

And a request that appears in all of them.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from checks.base import RELEASES, CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.errors import ServerFailedError, TimedOutError, UnreachableError, UntrustedError
from checks.clients.http import MAIN
from checks.guides import watching
from checks.judging import FRESH, STEADY, Findings, lookup
from checks.stop_conditions import windows
from state.base.json import objs, text, texts
from state.base.times import SECOND_US
from state.runbook.units import Seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


_UNREACHED: Final = (UnreachableError, TimedOutError, UntrustedError, ServerFailedError)


class ReachableSettings(Settings):
    """What is asked, from here and from inside the platform."""

    grafana_path: str = "/api/health"
    """Where Grafana tells its health."""
    traces: bool = True
    """The traces are asked too."""
    logs: bool = True
    """The logs are asked too."""
    readiness_path: str | None = None
    """Where the platform says which services it reaches."""
    services_field: str = "services"
    """Where the readiness answer lists services, dotted."""
    services: tuple[str, ...] = ()
    """Names that must be healthy there."""
    failed_field: str = "failed"
    """Where it names those that it lacks."""
    good: tuple[str, ...] = ("healthy", "ok", "up")
    """States of a service that are right."""
    log_query: str = '{job=~".+"}'
    """A LogQL query that any log answers."""
    otlp_path: str | None = None
    """On the traces endpoint: an empty OTLP export must be taken."""


@check("telemetry.reachable", ReachableSettings, guide=watching.REACHABLE, ttl=STEADY)
async def reachable(settings: ReachableSettings, context: CheckContext) -> Outcome:
    """Judge that Prometheus, Alertmanager, Grafana and OTLP are reachable.

    From here and from the platform.
    """
    findings = Findings()
    clients, tier = context.clients, context.tier
    asked: dict[str, Callable[[], Awaitable[None]]] = {
        "prometheus": lambda: clients.prometheus(tier).ready(),
        "alertmanager": lambda: clients.alertmanager(tier).ready(),
        "grafana": lambda: _grafana(settings, context),
    }
    if settings.traces:
        asked["traces"] = lambda: _services(context)
    if settings.logs:
        asked["logs"] = lambda: _log_query(settings.log_query, context)
    if settings.otlp_path is not None:
        asked["otlp"] = lambda: _otlp(settings.otlp_path or "", context)
    for name, ask in asked.items():
        try:
            await ask()
            findings.saw(name, "reachable")
        except _UNREACHED as error:
            # Here not being reachable is what is judged, so it is a fail and not blindness.
            findings.saw(name, "not reachable")
            findings.wrong(str(error))
        except CouldNotLookError as error:
            findings.saw(name, "not seen")
            findings.blind(str(error))
    if settings.readiness_path is not None and context.first():
        findings.defer("which observers the platform itself reaches: nothing runs yet")
    elif settings.readiness_path is not None:
        await _inside(settings, context, findings)
    inside = "" if settings.readiness_path is None else ", and the platform reaches its own"
    return findings.outcome(f"{', '.join(asked)} are reachable from here{inside}")


async def _grafana(settings: ReachableSettings, context: CheckContext) -> None:
    expected = "Grafana's health with its database ok"
    reply = await context.clients.grafana(context.tier).send("GET", settings.grafana_path, expected=expected)
    told = reply.need_success(expected=expected).object(expected)
    database = text(told, "database")
    if database and database != "ok":
        raise ServerFailedError(f"{reply.where} says that its database is {database}; expected ok")


async def _services(context: CheckContext) -> None:
    await context.clients.traces(context.tier).services()


async def _log_query(query: str, context: CheckContext) -> None:
    now = context.clock.wall_us()
    await context.clients.logs(context.tier).lines(query, start_us=now - 60 * SECOND_US, end_us=now, limit=1)


async def _otlp(path: str, context: CheckContext) -> None:
    await context.clients.traces(context.tier).export_nothing(path)


async def _inside(settings: ReachableSettings, context: CheckContext, findings: Findings) -> None:
    reply = await findings.look(context.clients.web(context.tier).get(MAIN, settings.readiness_path or ""))
    if reply is None:
        return
    answer = findings.read(lambda: reply.object("the platform's services"))
    if answer is None:
        return
    services = {
        text(one, "name"): text(one, "status") for one in objs(lookup(answer, settings.services_field))
    }
    failing = set(texts(lookup(answer, settings.failed_field)))
    seen = {name: services.get(name, "not listed") for name in settings.services}
    findings.saw("inside", [f"{name}: {status}" for name, status in seen.items()])
    for name, status in seen.items():
        if status == "not listed":
            findings.blind(f"the platform does not say whether it reaches {name}")
        elif status not in settings.good or name in failing:
            findings.wrong(f"the platform does not reach {name} ({status})")


class AppearsSettings(Settings):
    """A request with an identity, and where it must appear."""

    path: str
    """What is asked for."""
    role: str | None = None
    """Who asks; none: nobody is logged in."""
    service: str
    """The name under which the platform sends traces."""
    logql: str
    """A LogQL query with ``{needle}``; the needle is the request's correlation id."""
    correlation_header: str = "X-Correlation-ID"
    """The header that carries the request's identity."""
    metric: str
    """A PromQL query that must give a number above zero: requests were counted lately. A counter in it must move."""
    within: Seconds = 90.0
    """Seconds of the launch's clock."""


@check(
    "telemetry.appears",
    AppearsSettings,
    guide=watching.APPEARS,
    ttl=FRESH,
    leaves="a request in the traces, logs and metrics",
    after=RELEASES,
)
async def appears(settings: AppearsSettings, context: CheckContext) -> Outcome:
    """Judge that one request appears as a trace, as a log line and in the metrics."""
    findings = Findings()
    trace, needle = secrets.token_hex(16), f"launch-console-{secrets.token_hex(6)}"
    headers = {
        "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01",
        settings.correlation_header: needle,
    }
    started_us = context.clock.wall_us()
    before = await findings.look(_raw(settings, context))
    reply = await context.clients.web(context.tier).get_as(settings.role, settings.path, headers)
    findings.saw("trace_id", trace)
    findings.saw("correlation_id", needle)
    findings.saw("status", reply.status)
    expected: dict[str, Callable[[], Awaitable[bool]]] = {
        "traces": lambda: _traced(settings, context, trace),
        "logs": lambda: _logged(settings, context, needle, started_us),
        "metrics": lambda: _counted(settings, before or {}, context),
    }
    for name, look in expected.items():
        await _appear(name, look, settings.within, context, findings)
    return findings.outcome("one request appeared in traces, logs and metrics")


async def _appear(
    name: str, look: Callable[[], Awaitable[bool]], within: float, context: CheckContext, findings: Findings
) -> None:
    started = context.clock.mono_us()
    while True:
        try:
            there = await look()
        except CouldNotLookError as error:
            findings.blind(str(error))
            return
        waited = (context.clock.mono_us() - started) // SECOND_US
        if there or waited >= within:
            break
        await context.clock.sleep(2.0)
    findings.saw(f"{name}_after_s", waited if there else None)
    findings.need(there, f"the request does not appear in the {name} within {waited}s")


async def _traced(settings: AppearsSettings, context: CheckContext, trace: str) -> bool:
    return settings.service in await context.clients.traces(context.tier).trace_services(trace)


async def _logged(settings: AppearsSettings, context: CheckContext, needle: str, started_us: int) -> bool:
    now = context.clock.wall_us()
    logql = settings.logql.replace("{needle}", needle)
    lines = await context.clients.logs(context.tier).lines(
        logql, start_us=started_us - 60 * SECOND_US, end_us=now
    )
    return any(needle in line for line in lines)


async def _counted(settings: AppearsSettings, before: Mapping[str, float], context: CheckContext) -> bool:
    """Return whether the query gives a number, and a counter that it reads has moved since the request."""
    samples = await context.clients.prometheus(context.tier).query(settings.metric)
    if not any(sample.value > 0 for sample in samples):
        return False
    return not before or moved(before, await _raw(settings, context))


def moved(before: Mapping[str, float], now: Mapping[str, float]) -> bool:
    """Return whether any series counted on, or is new and counts."""
    return any(value > before.get(series, 0.0) for series, value in now.items())


async def _raw(settings: AppearsSettings, context: CheckContext) -> dict[str, float]:
    """Return the counters below the ranges of the query as they stand: of what they rose by, others' part is less."""
    found: dict[str, float] = {}
    for selector in sorted({one for one, _ in windows(settings.metric)}):
        for sample in await context.clients.prometheus(context.tier).query(selector):
            found[f"{selector} {sorted(sample.labels.items())}"] = sample.value
    return found
