"""Health, configuration and what is public: the answers that a prober without a login gets."""

from __future__ import annotations

from console.rehearsal.dotmac.platform.core import Answer, Call, Route, error, text_answer
from console.rehearsal.dotmac.platform.edge import FOREIGN_PAGE
from console.rehearsal.dotmac.platform.seeds import iso
from console.rehearsal.dotmac.platform.settings import Metrics
from state.base.json import Json, JsonObject

SERVICES = (
    "database",
    "redis",
    "vault",
    "storage",
    "celery_broker",
    "observability",
    "alertmanager",
    "prometheus",
    "grafana",
)
_V1 = "/api/v1"
_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


def _reported(call: Call) -> str:
    return call.settings.health.reported_environment or call.core.environment


def _health(call: Call) -> Answer:
    settings = call.settings.health
    body = {"status": settings.text, "version": settings.version, "environment": _reported(call)}
    return Answer(settings.status, body)


def _live(call: Call) -> Answer:
    version = call.settings.health.version
    now = iso(call.core.now_us())
    return Answer(
        200, {"status": "alive", "version": version, "environment": _reported(call), "timestamp": now}
    )


def _services(call: Call) -> tuple[list[Json], list[Json]]:
    failing = call.settings.health.failing_services
    listed: list[Json] = []
    for name in SERVICES:
        bad = name in failing
        message = f"{name} is not reachable" if bad else f"{name} connection successful"
        status = "unhealthy" if bad else "healthy"
        listed.append({"name": name, "status": status, "message": message, "required": True})
    return listed, [name for name in SERVICES if name in failing]


def _ready(call: Call) -> Answer:
    listed, failed = _services(call)
    body: JsonObject = {
        "status": "not ready" if failed else "ready",
        "healthy": not failed,
        "services": listed,
        "failed_services": failed,
        "timestamp": iso(call.core.now_us()),
    }
    return Answer(call.settings.health.ready_status, body)


def _api_health(call: Call) -> Answer:
    """The top status is fixed: only ``healthy`` tells."""
    listed, failed = _services(call)
    body: JsonObject = {
        "status": "healthy",
        "healthy": not failed,
        "version": call.settings.health.version,
        "environment": _reported(call),
        "services": listed,
        "failed_services": failed,
        "timestamp": iso(call.core.now_us()),
    }
    return Answer(200, body)


def _redis(call: Call) -> Answer:
    bad = "redis" in call.settings.health.failing_services
    body: JsonObject = {
        "status": "unhealthy" if bad else "healthy",
        "redis_version": "7.2.5",
        "connected_clients": 12,
        "used_memory_human": "18.4M",
        "uptime_in_seconds": 86_400,
        "timestamp": iso(call.core.now_us()),
    }
    return Answer(503 if bad else 200, body)


def _platform_health(call: Call) -> Answer:
    return Answer(
        200, {"status": "healthy", "version": call.settings.health.version, "environment": _reported(call)}
    )


def _config(call: Call) -> Answer:
    app = {"name": "dotmac-platform", "version": call.settings.health.version, "environment": _reported(call)}
    body: JsonObject = {
        "app": app,
        "features": dict(call.settings.flows.features),
        "auth": {"supports_mfa": True, "session_timeout": 900},
    }
    return Answer(200, body)


def _runtime_config(call: Call) -> Answer:
    body: JsonObject = {
        "api": {"base_url": f"https://{call.core.api_host}", "ws_url": f"wss://{call.core.api_host}/ws"},
        "deployment": {"mode": "multi_tenant", "environment": _reported(call)},
        "features": dict(call.settings.flows.features),
        "branding": {"company_name": "DotMac", "support_email": f"support@{call.core.admin_host}"},
    }
    return Answer(200, body)


def _metrics(call: Call) -> Answer:
    match call.settings.health.metrics:
        case Metrics.ABSENT:
            return error(call, 404, "Not Found")
        case Metrics.HTML:
            return text_answer(FOREIGN_PAGE, 200, "text/html; charset=utf-8")
        case _:
            return text_answer(call.core.metrics_text(call.core.environment), 200, _METRICS_TYPE)


def _keys(_call: Call) -> Answer:
    return Answer(200, {"keys": []})


def _discovery(call: Call) -> Answer:
    issuer = f"https://{call.core.api_host}"
    return Answer(200, {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json"})


def _docs(call: Call) -> Answer:
    if not call.settings.health.docs_public:
        return error(call, 404, "Not Found")
    page = "<!DOCTYPE html><html><head><title>DotMac Platform Services - Swagger UI</title></head></html>"
    return text_answer(page, 200, "text/html; charset=utf-8")


ROUTES = (
    Route("GET", "/health", _health, anonymous=200),
    Route("GET", "/health/live", _live, anonymous=200),
    Route("GET", "/health/ready", _ready, anonymous=200),
    Route("GET", "/ready", _ready, anonymous=200),
    Route("GET", f"{_V1}/health", _api_health, anonymous=200),
    Route("GET", "/health/redis", _redis),
    Route("GET", f"{_V1}/health/redis", _redis),
    Route("GET", f"{_V1}/platform/health", _platform_health, anonymous=200),
    Route("GET", f"{_V1}/platform/config", _config, anonymous=200),
    Route("GET", f"{_V1}/platform/runtime-config", _runtime_config),
    Route("GET", "/metrics", _metrics, anonymous=200),
    Route("GET", "/docs", _docs, anonymous=200),
    Route("GET", "/redoc", _docs, anonymous=200),
    Route("GET", "/.well-known/jwks.json", _keys),
    Route("GET", "/.well-known/openid-configuration", _discovery),
)
