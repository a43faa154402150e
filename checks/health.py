"""Whether the platform says that it is well, and whether what it says can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.base import Around, Outcome, Settings, check
from checks.clients.alertmanager import parse_metrics
from checks.clients.http import MAIN
from checks.judging import FRESH, Findings, key, lookup
from checks.workloads import deployment, parts_of, pods, ready_replicas
from state.base.json import items, obj, texts
from state.base.text import line
from state.view.pods import is_ready, observe, restarts_of

if TYPE_CHECKING:
    from checks.clients.wire import Reply


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


@check("health.endpoints", HealthSettings, ttl=FRESH)
async def endpoints(settings: HealthSettings, around: Around) -> Outcome:
    """Judge health, readiness and metrics by what their answers say.

    And the pods by what the cluster says.
    """
    found = Findings()
    web = around.systems.web(around.tier)
    health = await found.look(web.get(MAIN, settings.path))
    if health is not None:
        _health(settings, health, around, found)
    if settings.ready_path is not None:
        ready = await found.look(web.get(MAIN, settings.ready_path))
        if ready is not None:
            _ready(settings, ready, found)
    if settings.metrics_path is not None:
        metrics = await found.look(web.get(MAIN, settings.metrics_path))
        if metrics is not None:
            _metrics(settings, metrics, found)
    if settings.enforce_host:
        odd = await found.look(web.send("GET", MAIN, settings.path, host="launch-console-probe.invalid"))
        if odd is not None:
            found.saw("made_up_host", odd.status)
            found.need(
                odd.status >= 400, f"a made-up Host header is answered with {odd.status}: any host is trusted"
            )
    for part in parts_of(settings.parts, around):
        await _pods(settings, part, around, found)
    return found.outcome(f"{settings.path} is {settings.status}, ready, metrics there, all pods ready")


def _health(settings: HealthSettings, reply: Reply, around: Around, found: Findings) -> None:
    found.saw("health_status", reply.status)
    if reply.status != 200:
        found.wrong(f"{settings.path} answers {reply.status}; expected 200")
        return
    told = found.read(lambda: reply.object("a health answer"))
    if told is None:
        return
    said = lookup(told, settings.status_field)
    found.saw("health", line(str(said), 60))
    found.need(said == settings.status, f"{settings.path} says {said!r}; expected {settings.status!r}")
    if settings.environment_field is not None:
        place = lookup(told, settings.environment_field)
        wanted = settings.environment or str(around.tier)
        found.saw("environment", line(str(place), 60))
        found.need(place == wanted, f"{settings.path} says that this is {place!r}; expected {wanted!r}")


def _ready(settings: HealthSettings, reply: Reply, found: Findings) -> None:
    found.saw("ready_status", reply.status)
    if reply.status not in {200, 503}:
        found.wrong(f"{settings.ready_path} answers {reply.status}; expected 200")
        return
    told = found.read(lambda: reply.object("a readiness answer"))
    if told is None:
        return
    healthy = lookup(told, settings.ready_field)
    failing = texts(lookup(told, settings.failed_field))
    found.saw("failed", list(failing))
    others = bool(failing) and set(failing) <= set(settings.judged_elsewhere)
    if (healthy is not True or reply.status != 200) and not others:
        names = ", ".join(failing) or "it does not say what"
        found.wrong(f"{settings.ready_path} answers {reply.status} and says not ready: {names}")


def _metrics(settings: HealthSettings, reply: Reply, found: Findings) -> None:
    found.saw("metrics_status", reply.status)
    found.saw("metrics_public", reply.status == 200)
    if reply.status in {401, 403}:
        return  # not for the public, which is better; that it is scraped shows in Prometheus
    if reply.status != 200:
        found.wrong(f"{settings.metrics_path} answers {reply.status}; expected 200, or 403 from outside")
        return
    names = {name for name, _, _ in parse_metrics(reply.text)}
    found.saw("metrics", len(names))
    missing = [name for name in settings.metrics if name not in names]
    if "<html" in reply.text[:500].lower():
        found.blind(f"{settings.metrics_path} answers HTML; expected a metrics exposition")
    else:
        found.need(not missing, f"{settings.metrics_path} lacks {', '.join(missing)}")


async def _pods(settings: HealthSettings, part: str, around: Around, found: Findings) -> None:
    deployed = await found.look(deployment(around, part))
    running = await found.look(pods(around, part)) if deployed is not None else None
    if deployed is None or running is None:
        return
    ready, wanted = ready_replicas(deployed)
    restarts = max((restarts_of(pod) for pod in running), default=0)
    found.saw(key(part), {"ready": ready, "wanted": wanted, "restarts": restarts})
    found.need(ready >= wanted, f"{part}: {ready} of {wanted} replicas are ready")
    for pod in running:
        known = observe(around.environment.tier, pod)
        if not is_ready(known, around.clock.wall_us()):
            found.wrong(f"pod {known.name} is not ready ({_waiting(pod)})")
    found.need(restarts <= settings.max_restarts, f"{part}: a pod was restarted {restarts} times")


def _waiting(pod: object) -> str:
    for status in items(lookup(obj(pod), "status.containerStatuses")):
        for state in ("waiting", "terminated"):
            reason = lookup(obj(status), f"state.{state}.reason")
            if isinstance(reason, str):
                return line(reason, 60)
    return "no reason given"
