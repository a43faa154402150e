"""What keeps an item from being judged: unknown, never pass."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import denied, released, switch, switched
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Metrics, Outage
from console.rehearsal.world.fault import Apply, Expect, Fault, Hook, answering, at, blinds, only


def _prometheus(hook: Hook) -> Apply:
    return lambda world: world.prometheus.hooks.append(hook)


def _alertmanager(hook: Hook) -> Apply:
    return lambda world: world.alertmanager.hooks.append(hook)


def _registry(hook: Hook) -> Apply:
    return lambda world: world.registry.hooks.append(hook)


def _objects(hook: Hook) -> Apply:
    return lambda world: world.objects.hooks.append(hook)


_DOWN = answering(503, "service unavailable")
_NO = answering(403, "forbidden")
_LOGIN = answering(200, "<html><body><form action='/login'>Log in</form></body></html>", "text/html")

FAULTS: tuple[Fault, ...] = (
    blinds(
        "prometheus-down",
        "1.4",
        "Prometheus answers 503 when asked for a stop condition",
        _prometheus(at("/api/v1/query", only("histogram_quantile", _DOWN))),
    ),
    blinds(
        "prometheus-html",
        "1.4",
        "a login page answers one stop condition's query",
        _prometheus(at("/api/v1/query", only("histogram_quantile", _LOGIN))),
    ),
    blinds(
        "alertmanager-refuses",
        "10.2",
        "Alertmanager takes no alert from the console",
        _alertmanager(only("/api/v2/alerts", _NO)),
    ),
    blinds("registry-down", "6.7", "the registry answers 503", _registry(only("/manifests/sha256:", _DOWN))),
    blinds(
        "objectstore-down",
        "6.4",
        "the object store answers 503 when asked for its rules",
        _objects(only("lifecycle", _DOWN)),
    ),
    blinds(
        "backups-unlisted",
        "7.1",
        "the object store does not list the backups",
        _objects(only("list-type", _DOWN)),
    ),
    blinds(
        "kube-403",
        "4.3",
        "the console's account may not read role bindings in production",
        denied(Env.PRODUCTION, "rolebindings"),
        denied(Env.PRODUCTION, "clusterrolebindings"),
    ),
    blinds(
        "kube-nodes-403", "1.3", "the console's account may not list nodes", denied(Env.PRODUCTION, "nodes")
    ),
    *released(
        "metrics-html",
        "6.2",
        "/metrics answers with somebody else's page",
        switched("health.metrics", Metrics.HTML),
        expect=Expect.UNKNOWN,
    ),
    blinds(
        "grafana-html", "5.3", "Grafana answers with a login page", switch("observers.grafana", Outage.LOGIN)
    ),
    blinds(
        "jaeger-down",
        "8.4",
        "Jaeger answers 503",
        switch("observers.jaeger", Outage.UNAVAILABLE, Env.STAGING),
    ),
    blinds(
        "loki-truncated",
        "8.4",
        "Loki's answers end in the middle",
        switch("observers.loki", Outage.TRUNCATED, Env.STAGING),
    ),
)
