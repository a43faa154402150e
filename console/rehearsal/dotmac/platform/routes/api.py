"""The API: middleware in the real order, routes, and what each request leaves behind."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import urlsplit

from console.rehearsal.dotmac.platform.core import (
    TENANT_REQUIRED,
    Answer,
    Call,
    Core,
    Route,
    error,
    fixed_answer,
    text_answer,
)
from console.rehearsal.dotmac.platform.records import Span
from console.rehearsal.dotmac.platform.routes import auth, flows, health, optional, trail
from console.rehearsal.dotmac.platform.routes.cors import cors_headers, preflight
from console.rehearsal.dotmac.platform.settings import Feature, PlatformSettings
from console.rehearsal.sim.nginx import UNAVAILABLE_PAGE
from console.rehearsal.sim.seeded import digest
from state.base.json import Json

_PLATFORM_V1 = "/api/platform/v1"
_V1 = "/api/v1"
_NEVER_FAIL = re.compile(r"/(health.*|ready|metrics.*|openapi\.json)")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

ROUTES: tuple[Route, ...] = (*health.ROUTES, *auth.ROUTES, *flows.ROUTES, *trail.ROUTES, *optional.ROUTES)
_FIXED = {(one.method, one.path): one for one in ROUTES if "{" not in one.path}
_TEMPLATES = tuple(
    (one, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one.path))) for one in ROUTES if "{" in one.path
)
_PATHS = frozenset(one.path for one in ROUTES)


def answer_api(call: Call) -> Answer:
    """Return what the API answers, and keep the line, the span and the count of the request."""
    call.core.settle()
    begin_us = call.core.now_us()
    if (
        call.method == "OPTIONS"
        and "Origin" in call.headers
        and "Access-Control-Request-Method" in call.headers
    ):
        return preflight(call)
    if not _host_is_trusted(call):
        return text_answer("Invalid host header", 400)
    try:
        answer = _dispatch(call)
    except (sqlite3.OperationalError, LookupError):
        answer = error(call, 500, "Internal server error", "DATABASE_ERROR")
    answer.headers += cors_headers(call)
    _stamp_ids(call, answer)
    _leave_records(call, answer, begin_us)
    return answer


def _host_is_trusted(call: Call) -> bool:
    host = urlsplit("//" + call.headers.get("Host", "")).hostname or ""
    trusted = {call.core.api_host, "127.0.0.1", "localhost"}
    return host in trusted or not call.settings.health.trusted_hosts_enforced


def _dispatch(call: Call) -> Answer:
    settings = call.settings
    if (fixed := settings.flows.answers.get(call.path)) is not None:
        return fixed_answer(fixed)
    if status := settings.flows.broken_paths.get(call.path):
        return error(call, status, "Not implemented" if status == 501 else "Request failed")
    share = 0.0 if _NEVER_FAIL.fullmatch(call.path) else settings.flows.error_share
    if share and call.core.dice.random() < share:
        return error(call, 500, "Internal server error")
    call.account = auth.identify(call)
    if (status := settings.auth.foreign_tenant_status) and _names_another_tenant(call):
        return text_answer(UNAVAILABLE_PAGE, status, "text/html")
    if call.path.startswith(_PLATFORM_V1 + "/"):
        refusal = _enter_platform_v1(call)
        if refusal is not None:
            return refusal
    if call.path == "/openapi.json":
        return _openapi(call)
    override = settings.auth.role_overrides.get((call.role, call.path))
    if override is not None and override >= 300:
        return error(call, override, "Request failed")
    route = _find(call)
    if route is None:
        return _not_found(call)
    refusal = None if override is not None else _refusal(call, route)
    return refusal or route.handler(call)


def _names_another_tenant(call: Call) -> bool:
    home = call.account.tenant if call.account is not None else None
    asked = call.headers.get("X-Tenant-ID")
    return home is not None and bool(asked) and asked not in {home.id, home.slug}


def _enter_platform_v1(call: Call) -> Answer | None:
    """Most routes are also served below /api/platform/v1, for platform admins alone."""
    if call.settings.flows.platform_v1_broken:
        return error(call, 500, "Internal server error", "HTTPException")
    if call.account is None:
        return error(call, 401, "Authentication required")
    if call.role != "platform_admin" and not call.settings.flows.platform_v1_open:
        return error(call, 403, "Platform permission required")
    call.path = _V1 + call.path.removeprefix(_PLATFORM_V1)
    return None


def _find(call: Call) -> Route | None:
    method = "GET" if call.method == "HEAD" else call.method
    fixed = _FIXED.get((method, call.path))
    if fixed is not None:
        return fixed
    for route, pattern in _TEMPLATES:
        match = pattern.fullmatch(call.path) if route.method == method else None
        if match:
            call.params = match.groupdict()
            return route
    return None


def _not_found(call: Call) -> Answer:
    if call.account is None:
        return error(call, 400, TENANT_REQUIRED, "TENANT_REQUIRED")
    return error(call, 405, "Method Not Allowed") if call.path in _PATHS else error(call, 404, "Not Found")


def _refusal(call: Call, route: Route) -> Answer | None:
    """Tenant first, then the cookie's CSRF token, then whether the route exists, then roles."""
    if call.account is None:
        if route.anonymous == 200:
            return None
        text = TENANT_REQUIRED if route.anonymous == 400 else "Not authenticated"
        return error(call, route.anonymous, text, "TENANT_REQUIRED" if route.anonymous == 400 else "")
    if call.method not in ("GET", "HEAD") and route.anonymous != 200 and _csrf_is_missing(call):
        return error(call, call.settings.auth.csrf_missing_status, "CSRF token missing or invalid")
    if route.feature is not None:
        answer = optional.feature_answer(call, route.feature(call.settings))
        if answer is not None:
            return answer
    status = route.denied.get(call.role)
    if status is None or (call.settings.auth.overexposed_reads and route.path in trail.OVEREXPOSED):
        return None
    return error(call, status, TENANT_REQUIRED if status == 400 else "Insufficient permissions")


def _csrf_is_missing(call: Call) -> bool:
    by_cookie = "access_token" in call.cookies and "Authorization" not in call.headers
    return by_cookie and call.headers.get("X-CSRF-Token", "") != call.cookies.get("csrf_token", "-")


def _is_served(route: Route, settings: PlatformSettings) -> bool:
    return route.feature is None or route.feature(settings) is not Feature.DISABLED


def _openapi(call: Call) -> Answer:
    """The inventory of what is served; disabled routes are not in it."""
    if not call.settings.health.openapi_public:
        return error(call, 404, "Not Found")
    paths: dict[str, dict[str, Json]] = defaultdict(dict)
    for route in ROUTES:
        if _is_served(route, call.settings) and route.path not in ("/docs", "/redoc"):
            operation: Mapping[str, Json] = {
                "operationId": _operation(route),
                "responses": {"200": {"description": "OK"}},
            }
            paths[route.path][route.method.lower()] = operation
    info = {"title": "DotMac Platform Services", "version": call.settings.health.version}
    return Answer(200, {"openapi": "3.1.0", "info": info, "paths": dict(sorted(paths.items()))})


def _operation(route: Route) -> str:
    return f"{route.method.lower()}{re.sub(r'[^a-z0-9]+', '_', route.path.lower())}"


def _stamp_ids(call: Call, answer: Answer) -> None:
    answer.headers += [("X-Request-ID", call.request_id), ("X-Correlation-ID", call.correlation_id)]
    for name in ("X-Trace-ID", "traceparent"):
        if value := call.headers.get(name):
            answer.headers.append((name, value))


def _leave_records(call: Call, answer: Answer, begin_us: int) -> None:
    core = call.core
    match = _TRACEPARENT.fullmatch(call.headers.get("traceparent", ""))
    trace_id, parent = match.groups() if match else ("", "")
    core.records.requests[call.method, call.path, answer.status] += 1
    core.log("DEBUG", f"dispatch {call.method} {call.path}", call.correlation_id, trace_id)
    core.log("INFO", f'"{call.method} {call.path} HTTP/1.1" {answer.status}', call.correlation_id, trace_id)
    if answer.status >= 500:
        core.log("ERROR", f"{call.method} {call.path} failed", call.correlation_id, trace_id)
    if trace_id and core.settings.observers.traces_recorded:
        span_id = digest(core.seed, call.request_id, trace_id).hex()[:16]
        tags: dict[str, Json] = {
            "http.method": call.method,
            "http.target": call.path,
            "http.status_code": answer.status,
        }
        tags["correlation_id"] = call.correlation_id
        duration_us = max(1, core.now_us() - begin_us) + int(call.settings.flows.latency_ms * 1000)
        core.records.trace(
            Span(trace_id, span_id, parent, f"{call.method} {call.path}", begin_us, duration_us, tags)
        )


def own_metrics(core: Core) -> str:
    """Return the platform's own counters in Prometheus's text format, for a world without other metrics."""
    lines = ["# HELP dotmac_http_requests_total Requests", "# TYPE dotmac_http_requests_total counter"]
    for (method, path, status), count in sorted(core.records.requests.items()):
        labels = f'method="{method}",endpoint={json.dumps(path)},status_code="{status}",tenant_id="unknown"'
        lines.append(f"dotmac_http_requests_total{{{labels}}} {count}")
    return "\n".join(lines) + "\n"
