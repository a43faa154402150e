"""Whether the platform says that it is well, and whether what it says can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.alertmanager import parse_metrics
from checks.clients.http import MAIN
from checks.guides import browsers
from checks.judging import FRESH, Findings, key, looked, lookup
from checks.unobserved import is_html, unobserved
from checks.workloads import deployment, parts_of, pods, ready_replicas
from state.base.json import texts
from state.base.numbers import plural
from state.base.text import line
from state.view.diagnosis import pod_trouble
from state.view.enums import Judges
from state.view.pods import crashed_lately, is_ready, observe, restarts_lately

if TYPE_CHECKING:
    from checks.clients.wire import Reply


_REFUSED_HOST: Final = frozenset({400, 403})
"""How frameworks refuse a Host that they don't know; 404 and 421 are an ingress's."""


class HealthSettings(Settings):
    """What the health endpoints must say."""

    path: str = "/health"
    """Where the platform tells its health."""
    status_field: str = "status"
    """Where that answer has its status, dotted."""
    status: str = "healthy"
    """What it must be."""
    environment_field: str | None = None
    """Where that answer says which environment it believes to be."""
    environment: str | None = None
    """What it must say; None: the environment's tier."""
    ready_path: str | None = None
    """Where the platform tells whether it is ready; none: not asked."""
    ready_field: str = "ready"
    """Where that answer says yes or no."""
    failed_field: str = "failed"
    """Where it lists services that failed."""
    judged_elsewhere: tuple[str, ...] = ()
    """Services whose failing another item judges."""
    metrics_path: str | None = "/metrics"
    """Where metrics are exported; none: not asked."""
    metrics: tuple[str, ...] = ()
    """Metrics that must be exported."""
    enforce_host: bool = True
    """A request with a made-up Host header must be refused."""
    parts: tuple[str, ...] = ()
    """Parts whose pods must be ready; none: every image of the candidate."""
    max_restarts: int = 3
    """A container that restarted more often is not healthy."""


@check("health.endpoints", HealthSettings, guide=browsers.HEALTH, ttl=FRESH, judges=Judges.CANDIDATE)
async def endpoints(settings: HealthSettings, context: CheckContext) -> Outcome:
    """Judge health, readiness and metrics by what their answers say.

    And the pods by what the cluster says.
    """
    findings = Findings()
    web = context.clients.web(context.tier)
    health = await findings.look(web.get(MAIN, settings.path))
    if health is not None:
        _health(settings, health, context, findings)
    if settings.ready_path is not None:
        ready = await findings.look(web.get(MAIN, settings.ready_path))
        if ready is not None:
            _ready(settings, ready, findings)
    if settings.metrics_path is not None:
        metrics = await findings.look(web.get(MAIN, settings.metrics_path))
        if metrics is not None:
            _metrics(settings, metrics, findings)
    if settings.enforce_host:
        odd = await findings.look(web.send("GET", MAIN, settings.path, host="launch-console-probe.invalid"))
        if odd is not None:
            findings.saw("made_up_host", odd.status)
            _made_up(odd, findings)
    for part in parts_of(settings.parts, context):
        await _pods(settings, part, context, findings)
    return findings.outcome(
        looked(
            (True, f"{settings.path} is {settings.status}"),
            (settings.ready_path, "ready"),
            (settings.metrics_path, "metrics there"),
            (parts_of(settings.parts, context), "all pods ready"),
        )
    )


def _made_up(odd: Reply, findings: Findings) -> None:
    """Judge the answer to a made-up Host: what an ingress says to one that it doesn't know is not the platform's."""
    if odd.status < 300:
        findings.wrong(f"a made-up Host header is answered with {odd.status}: any host is trusted")
    elif odd.status not in _REFUSED_HOST:
        findings.blind(
            f"a made-up Host header is answered with {odd.status}, as an ingress does before the platform sees it: "
            "whether the platform itself trusts any host was not seen"
        )


def _health(settings: HealthSettings, reply: Reply, context: CheckContext, findings: Findings) -> None:
    findings.saw("health_status", reply.status)
    if (why := unobserved(reply)) and not (reply.status == 503 and not is_html(reply)):
        findings.blind(f"{settings.path} {why}; expected the platform's own word")
        return
    if reply.status != 200:
        findings.wrong(f"{settings.path} answers {reply.status}; expected 200")
        return
    answer = findings.read(lambda: reply.object("a health answer"))
    if answer is None:
        return
    said = lookup(answer, settings.status_field)
    findings.saw("health", line(str(said), 60))
    findings.need(said == settings.status, f"{settings.path} says {said!r}; expected {settings.status!r}")
    if settings.environment_field is not None:
        place = lookup(answer, settings.environment_field)
        expected = settings.environment or str(context.tier)
        findings.saw("environment", line(str(place), 60))
        findings.need(
            place == expected, f"{settings.path} says that this is {place!r}; expected {expected!r}"
        )


def _ready(settings: HealthSettings, reply: Reply, findings: Findings) -> None:
    findings.saw("ready_status", reply.status)
    if reply.status != 503 and (why := unobserved(reply)):
        findings.blind(f"{settings.ready_path} {why}")
        return
    if reply.status not in {200, 503}:
        findings.wrong(f"{settings.ready_path} answers {reply.status}; expected 200")
        return
    answer = findings.read(lambda: reply.object("a readiness answer"))
    if answer is None:
        return
    healthy = lookup(answer, settings.ready_field)
    failing = texts(lookup(answer, settings.failed_field))
    findings.saw("failed", list(failing))
    others = bool(failing) and set(failing) <= set(settings.judged_elsewhere)
    if (healthy is not True or reply.status != 200) and not others:
        names = ", ".join(failing) or "it does not say what"
        findings.wrong(f"{settings.ready_path} answers {reply.status} and says not ready: {names}")


def _metrics(settings: HealthSettings, reply: Reply, findings: Findings) -> None:
    findings.saw("metrics_status", reply.status)
    findings.saw("metrics_public", reply.status == 200)
    if reply.status in {401, 403}:
        return  # not for the public, which is better; that it is scraped shows in Prometheus
    if why := unobserved(reply):
        findings.blind(f"{settings.metrics_path} {why}")
        return
    if reply.status != 200:
        findings.wrong(f"{settings.metrics_path} answers {reply.status}; expected 200, or 403 from outside")
        return
    names = {name for name, _, _ in parse_metrics(reply.text)}
    findings.saw("metrics", len(names))
    missing = [name for name in settings.metrics if name not in names]
    if is_html(reply):
        findings.blind(f"{settings.metrics_path} answers HTML; expected a metrics exposition")
    else:
        findings.need(not missing, f"{settings.metrics_path} lacks {', '.join(missing)}")


async def _pods(settings: HealthSettings, part: str, context: CheckContext, findings: Findings) -> None:
    deployed = await findings.look(deployment(context, part))
    running = await findings.look(pods(context, part)) if deployed is not None else None
    if deployed is None or running is None:
        return
    ready, expected = ready_replicas(deployed)
    now_us = context.clock.wall_us()
    restarts = max((restarts_lately(pod, now_us) for pod in running), default=0)
    findings.saw(key(part), {"ready": ready, "wanted": expected, "restarts": restarts})
    findings.need(ready >= expected, f"{part}: {ready} of {expected} replicas are ready")
    for pod in running:
        known = observe(context.environment.tier, pod)
        if not is_ready(known, now_us):
            findings.wrong(f"pod {known.name} is not ready ({pod_trouble(pod, (), late=True)})")
        elif why := crashed_lately(pod, now_us):
            findings.wrong(f"pod {known.name} was restarted within the last ten minutes after {why}")
    findings.need(
        restarts <= settings.max_restarts,
        f"{part}: a pod was restarted {plural(restarts, 'time')}, the last time within a day",
    )
