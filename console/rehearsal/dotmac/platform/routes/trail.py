"""What the platform says about itself: audit trail, login statistics, flags, secrets, alerts, monitoring."""

from __future__ import annotations

import hmac

from console.rehearsal.dotmac.platform.core import Answer, Call, Route, error
from console.rehearsal.dotmac.platform.database import Row
from console.rehearsal.dotmac.platform.routes.access import NOBODY, PLATFORM_ONLY
from console.rehearsal.dotmac.platform.settings import Vault
from state.base.json import Json, JsonObject, objs

_V1 = "/api/v1"
_WEBHOOK_LIMIT = 120
_FILTERS = ("activity_type", "action", "user_id", "username", "tenant_id")
_COLUMNS = (
    "id, activity_type, severity, action, description, tenant_id, user_id, username, timestamp, ip_address,"
    " user_agent, request_id"
)
_OVEREXPOSED = (
    "/partners/",
    "/partners/applications",
    "/partners/commission-rules/",
    "/rate-limits/rules",
    "/rate-limits/logs",
    "/monitoring/logs",
    "/monitoring/metrics",
    "/monitoring/alerts/channels",
    "/monitoring/infrastructure/metrics",
)


def _activities(call: Call) -> Answer:
    rows = _audit_rows(call)
    page, size = max(1, call.number("page", 1)), max(1, min(call.number("per_page", 50), 500))
    shown: list[Json] = [dict(row) for row in rows[(page - 1) * size : page * size]]
    body: JsonObject = {
        "activities": shown,
        "total": len(rows),
        "page": page,
        "per_page": size,
        "has_next": len(rows) > page * size,
    }
    return Answer(200, body)


def _audit_rows(call: Call) -> list[Row]:
    if call.settings.flows.audit_api_empty:
        return []
    filters = {name: call.query[name] for name in _FILTERS if name in call.query}
    where = " AND ".join(f"{name} = ?" for name in filters) or "1"
    sql = f"SELECT {_COLUMNS} FROM audit_activities WHERE {where} ORDER BY timestamp DESC, rowid DESC"  # noqa: S608  names are ours
    rows = call.core.database.query(sql, *filters.values())
    return [{**row, "timestamp": str(row["timestamp"]).replace(" ", "T")} for row in rows]


def _platform_logs(call: Call) -> Answer:
    rows = _audit_rows(call)
    logs: list[Json] = [dict(row) for row in rows[:100]]
    return Answer(200, {"logs": logs, "total": len(rows)})


def _recent(call: Call) -> Answer:
    rows = [] if call.settings.flows.recent_audit_empty else _audit_rows(call)
    actions: list[Json] = [dict(row) for row in rows[: call.number("limit", 50)]]
    return Answer(200, {"actions": actions, "total": len(rows), "limit": call.number("limit", 50)})


def _auth_metrics(call: Call) -> Answer:
    rows = call.core.database.query("SELECT action, COUNT(*) AS n FROM audit_activities GROUP BY action")
    counts = {str(row["action"]): int(row["n"] or 0) for row in rows}
    good, bad = counts.get("login_success", 0), counts.get("login_failed", 0)
    if call.settings.flows.auth_metrics_zero:
        good = bad = 0
    total = good + bad
    body: dict[str, Json] = {
        "total_logins": total,
        "successful_logins": good,
        "failed_logins": bad,
        "login_success_rate": round(100 * good / total, 1) if total else 0.0,
        "active_sessions": good,
        "password_resets": 0,
        "period": "30d",
    }
    return Answer(200, body)


def _flags(_call: Call) -> Answer:
    return Answer(
        200, [{"name": "new-dashboard", "enabled": True}, {"name": "beta-reports", "enabled": False}]
    )


def _flag_status(call: Call) -> Answer:
    works = call.settings.flows.feature_flags_redis
    return Answer(200, {"redis_available": works, "healthy": works, "total_flags": 2, "cache_size": 2})


def _secrets_health(call: Call) -> Answer:
    healthy = call.settings.observers.vault in Vault
    url = f"https://vault.{call.core.environment}.internal:8200"
    return Answer(200, {"enabled": True, "healthy": healthy, "vault_url": url, "mount_path": "secret"})


def _secret_names(_call: Call) -> Answer:
    return Answer(200, {"secrets": [{"path": "auth/jwt_secret"}, {"path": "billing/paystack"}]})


def _webhook(call: Call) -> Answer:
    if not call.settings.flows.webhook_secret_set:
        return error(call, 503, "Alertmanager webhook secret is not configured")
    bearer = call.headers.get("Authorization", "").removeprefix("Bearer ")
    given = call.headers.get("X-Alertmanager-Token") or bearer or call.query.get("token", "")
    if not hmac.compare_digest(given.encode(), call.core.key("webhook").encode()):
        return error(call, 401, "Invalid webhook token")
    draw = call.core.limiter.draw("webhook", call.source, limit=_WEBHOOK_LIMIT, window_s=60, leaks=False)
    if not draw.allowed:
        return Answer(429, {"error": f"Rate limit exceeded: {_WEBHOOK_LIMIT} per 1 minute"})
    alerts = objs(call.json().get("alerts"))
    told = call.settings.flows.webhook_channels
    results: list[Json] = [{"alert": number, "channels_notified": told} for number in range(len(alerts))]
    call.core.log("WARNING", f"alerts received count={len(alerts)}", call.correlation_id)
    body: JsonObject = {
        "alerts_processed": len(alerts),
        "total_channels_notified": told * len(alerts),
        "results": results,
    }
    return Answer(202, body)


def _test_alert(call: Call) -> Answer:
    told = call.settings.flows.webhook_channels
    return Answer(200, {"success": told > 0, "channels_notified": told})


def _listing(_call: Call) -> Answer:
    return Answer(200, {"items": [], "total": 0})


def _overexposed(path: str) -> Route:
    """These should be the platform's own; the real one shows them to every login (``overexposed_reads``)."""
    return Route("GET", _V1 + path, _listing, denied=PLATFORM_ONLY)


OVEREXPOSED = frozenset(_V1 + path for path in _OVEREXPOSED)

ROUTES = (
    Route("GET", f"{_V1}/audit/activities", _activities, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/platform/audit/logs", _platform_logs, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/admin/platform/audit/recent", _recent, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/auth/metrics", _auth_metrics, denied={"tenant_user": 403, "partner": 403}),
    Route("GET", f"{_V1}/feature-flags/flags", _flags),
    Route("GET", f"{_V1}/feature-flags/status", _flag_status),
    Route("GET", f"{_V1}/secrets/health", _secrets_health, anonymous=401),
    Route("GET", f"{_V1}/secrets/secrets", _secret_names, denied=PLATFORM_ONLY),
    Route("POST", f"{_V1}/monitoring/alerts/webhook", _webhook, anonymous=200),
    Route("POST", f"{_V1}/monitoring/alerts/test", _test_alert, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/partners/portal/dashboard", _listing, denied=NOBODY),
    *(_overexposed(path) for path in _OVEREXPOSED),
)
