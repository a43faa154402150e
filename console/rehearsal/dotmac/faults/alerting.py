"""What would tell people: stop conditions that can't trip, alerts that reach nobody, a Prometheus that tells half."""

from __future__ import annotations

import json

from aiohttp import web

from console.rehearsal.dotmac.alert_rules import rules
from console.rehearsal.dotmac.faults.changes import condition
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.alertmanager import Config, Receiver, Route
from console.rehearsal.sim.kubernetes.objects import name_of
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.sim.prometheus.series import Matcher, MatchOp
from console.rehearsal.world.fault import Apply, Fault, answering, at, blinds, fails, only
from console.rehearsal.world.world import World
from state.base.json import Json

_PARTIAL = json.dumps(
    {"status": "success", "isPartial": True, "data": {"resultType": "vector", "result": []}}
)
_CANARY = 'sum(rate(dotmac_http_requests_total{namespace="dotmac-production"}[5m]))'
_UP = 'up{namespace="dotmac-production"}'


def _replaced(part: str, old: str, new: str, name: str = "error-rate") -> Apply:
    """Change the text of a stop condition's query."""

    def change(one: dict[str, Json]) -> None:
        one[part] = str(one[part]).replace(old, new)

    return condition(name, change)


def silences(*matchers: Matcher, hours: float = 24.0) -> Apply:
    """Silence alerts."""

    def apply(world: World) -> None:
        world.alertmanager.silence(*matchers, hours=hours)

    return apply


def routes(config: Config) -> Apply:
    """Let Alertmanager have another configuration."""
    return lambda world: world.alertmanager.set_config(config)


def _critical_to(receiver: Receiver) -> Config:
    """Return that on-call is told of every alert but of critical ones, which go to a receiver."""
    critical = Route(receiver.name, (Matcher("severity", MatchOp.EQUAL, "critical"),), group_wait_s=10.0)
    return Config((Receiver("oncall", "pagerduty"), receiver), Route("oncall", routes=(critical,)))


def ruled(*more: AlertRule) -> Apply:
    """Let Prometheus have further rules."""
    return lambda world: world.prometheus.set_rules([*rules(), *more])


def _no_alertmanager(world: World) -> None:
    world.prometheus.alertmanagers.clear()


def _settling(world: World) -> None:
    world.alertmanager.cluster_status = "settling"


def _prometheus(query: str, text: str) -> Apply:
    """Let Prometheus answer one query in another way."""
    hook = at("/api/v1/query", only(query, answering(200, text, "application/json")))
    return lambda world: world.prometheus.hooks.append(hook)


def _one_target(world: World) -> None:
    """Let Prometheus know one pod of the API less than there are."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        form = await request.post() if request.method == "POST" else {}
        if str(form.get("query") or request.query.get("query")) != _UP:
            return None
        pods = world.store.scan("pods", Env.PRODUCTION.namespace)
        names = [name_of(pod) for pod in pods]
        backend = sorted(name for name in names if "backend" in name)[:1]
        now = world.clock.wall_us() / 1_000_000
        result = [{"metric": {"__name__": "up", "pod": name}, "value": [now, "1"]} for name in backend]
        body = {"status": "success", "data": {"resultType": "vector", "result": result}}
        return web.Response(text=json.dumps(body), content_type="application/json")

    world.prometheus.hooks.append(at("/api/v1/query", hook))


def _failing_rule(world: World) -> None:
    async def hook(_: web.Request) -> web.StreamResponse | None:
        rule = {
            "name": "HighErrorRate",
            "query": _CANARY,
            "type": "alerting",
            "health": "err",
            "lastError": "found duplicate series for the match group",
            "state": "inactive",
        }
        groups = [{"name": "dotmac", "file": "rules.yaml", "rules": [rule], "interval": 15}]
        body = {"status": "success", "data": {"groups": groups}}
        return web.Response(text=json.dumps(body), content_type="application/json")

    world.prometheus.hooks.append(at("/api/v1/rules", hook))


FAULTS: tuple[Fault, ...] = (
    blinds(
        "condition-wrong-label",
        "1.4",
        "a stop condition asks for a label that its metric doesn't have",
        _replaced("bad", "status_code", "status"),
    ),
    blinds(
        "condition-wrong-path",
        "1.4",
        "a stop condition asks for paths that nobody is asked for",
        _replaced("total", "/api/v1/auth/", "/auth/v9/", "auth-errors"),
    ),
    fails(
        "condition-of-staging",
        "1.4",
        "a stop condition of production watches staging, as copied from there",
        *(_replaced(part, "dotmac-production", "dotmac-staging") for part in ("bad", "total")),
    ),
    fails(
        "condition-of-staging-by-pattern",
        "1.4",
        "a stop condition of production watches staging, by a pattern",
        _replaced("value", 'namespace="dotmac-production"', 'namespace=~"(dotmac-stag.*)"', "latency-p95"),
    ),
    fails(
        "alerts-silenced",
        "10.2",
        "a silence hides every critical alert",
        silences(Matcher("severity", MatchOp.EQUAL, "critical")),
    ),
    fails(
        "everything-silenced",
        "10.2",
        "a silence hides every alert there is",
        silences(Matcher("alertname", MatchOp.REGEX, ".+")),
    ),
    fails(
        "critical-to-nobody",
        "10.2",
        "critical alerts alone go to a receiver that tells nobody",
        routes(_critical_to(Receiver("nobody", ""))),
    ),
    fails(
        "critical-to-itself",
        "10.2",
        "critical alerts alone go to the platform's own webhook, which takes them",
        routes(_critical_to(Receiver("dotmac-webhook"))),
    ),
    fails("no-alertmanager", "10.2", "Prometheus is connected to no Alertmanager", _no_alertmanager),
    fails("alertmanager-settling", "10.2", "a peer of Alertmanager is missing", _settling),
    fails("rule-fails", "10.2", "an alert rule fails each time it is evaluated", _failing_rule),
    fails(
        "dead-recording",
        "10.2",
        "an alert rule reads a series that nothing records",
        ruled(AlertRule("BurnRate", "job:http_errors:ratio_5m > 0.05", 60)),
    ),
    blinds(
        "prometheus-partial",
        "5.3",
        "Prometheus answers with what a part of its store has",
        _prometheus(_CANARY, _PARTIAL),
    ),
    fails("pod-not-scraped", "5.3", "Prometheus doesn't know of one of the API's pods", _one_target),
    fails(
        "no-target",
        "5.3",
        "Prometheus scrapes nothing of production",
        _prometheus(_UP, json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})),
    ),
)
