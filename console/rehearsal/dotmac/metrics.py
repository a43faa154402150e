"""What the platform's API exports, and its traffic before anything happened."""

from __future__ import annotations

from console.rehearsal.dotmac.names import QUEUES, Env
from console.rehearsal.world.traffic import Traffic
from console.rehearsal.world.traffic.behaviour import AUTH_SHARE, BOUNDS_S, Flow
from console.rehearsal.world.traffic.exported import STARTED, Birth, Exported, Exporter, Program, le_of
from state.base.clock import Clock

REQUESTS = "dotmac_http_requests_total"
DURATION = "dotmac_http_request_duration_seconds"
QUEUE_LENGTH = "celery_queue_length"
QUEUE_READERS = "celery_active_consumer_count"
TASKS_SENT = "celery_task_sent_total"
_METADATA = {
    QUEUE_LENGTH: ("gauge", "The number of messages in broker queue."),
    QUEUE_READERS: ("gauge", "The number of active consumer in broker queue."),
    TASKS_SENT: ("counter", "Sent when a task message is published."),
    REQUESTS: ("counter", "Total HTTP requests"),
    DURATION: ("histogram", "HTTP request duration in seconds"),
}

_ENDPOINTS = (
    # method, path, tenant, share of what is no login, status of a server error
    ("GET", "/api/v1/tenants", "acme", 0.30, "500"),
    ("GET", "/api/v1/billing/invoices", "acme", 0.25, "503"),
    ("POST", "/api/v1/jobs", "globex", 0.20, "500"),
    ("GET", "/api/v1/audit/activities", "globex", 0.15, "500"),
    ("GET", "/api/v1/feature-flags/flags", "initech", 0.10, "500"),
)
_AUTH = (
    ("POST", "/api/v1/auth/login", "unknown", 0.75, "500"),
    ("GET", "/api/v1/auth/me", "acme", 0.25, "500"),
)
_PROBES = (("GET", "/health", 0.2), ("GET", "/metrics", 1 / 15))
_SERVED = {Flow.OK: "200", Flow.NOT_FOUND: "404", Flow.TOO_MANY: "429"}
_AUTH_SERVED = {Flow.AUTH_OK: "200", Flow.AUTH_REFUSED: "401", Flow.AUTH_TOO_MANY: "429"}


def of_pod(birth: Birth) -> list[Exported]:
    """Return what a pod of the API exports."""
    out: list[Exported] = []
    for endpoints, served, error in (
        (_ENDPOINTS, _SERVED, Flow.ERROR),
        (_AUTH, _AUTH_SERVED, Flow.AUTH_ERROR),
    ):
        share = sum(endpoint[3] for endpoint in endpoints)
        for method, path, tenant, part, failed in endpoints:
            pairs = (("method", method), ("endpoint", path), ("tenant_id", tenant))
            for flow, status in ({**served, error: failed}).items():
                if flow == Flow.NOT_FOUND and path != _ENDPOINTS[0][1]:
                    continue
                weight = 1.0 if flow == Flow.NOT_FOUND else part / share
                labels = birth.named(REQUESTS, *pairs, ("status_code", status))
                out.append(birth.counter(labels, (flow,), weight))
            of_all = part / share * (1 - AUTH_SHARE if endpoints is _ENDPOINTS else AUTH_SHARE)
            out.extend(birth.histogram(DURATION, pairs, (), of_all))
    for method, path, per_second in _PROBES:
        pairs = (("method", method), ("endpoint", path), ("tenant_id", "unknown"))
        out.extend(_probed(birth, pairs, per_second))
    out.append(Exported(birth.named(STARTED), constant=birth.start_ms / 1000))
    return out


def _probed(birth: Birth, pairs: tuple[tuple[str, str], ...], per_second: float) -> list[Exported]:
    """Return the series of a path that is asked for steadily and answers fast."""
    bounds = [le_of(bound) for bound in BOUNDS_S]
    names = [birth.named(REQUESTS, *pairs, ("status_code", "200")), birth.named(f"{DURATION}_count", *pairs)]
    names += [birth.named(f"{DURATION}_bucket", *pairs, ("le", le)) for le in bounds]
    return [Exported(labels, steady=per_second, since_ms=birth.start_ms) for labels in names]


_PERIODIC = "jobs.run_scheduled"
_EACH_S = 60
"""Seconds between two of it."""


def of_celery(birth: Birth) -> list[Exported]:
    """Return what an exporter tells of the queues and tasks of an environment in which all is well."""
    out = [
        Exported(birth.named(name, ("queue_name", queue)), constant=value)
        for queue in QUEUES
        for name, value in ((QUEUE_LENGTH, 0.0), (QUEUE_READERS, 1.0))
    ]
    sent = birth.named(TASKS_SENT, ("name", _PERIODIC), ("queue_name", QUEUES[0]))
    return [*out, Exported(sent, steady=1 / _EACH_S, since_ms=birth.start_ms)]


PROGRAM = Program("dotmac-api", 8000, "api", of_pod, _METADATA, Exporter("celery-exporter", 9808, of_celery))


def fresh_traffic(seed: int | str, clock: Clock) -> Traffic:
    """Return traffic of both environments in which nothing happened yet."""
    namespaces = {env.value: env.namespace for env in Env}
    return Traffic(seed, clock, PROGRAM, namespaces=namespaces, ingress="dotmac-ingress")
