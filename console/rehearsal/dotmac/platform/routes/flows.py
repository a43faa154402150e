"""The platform's business: tenants, billing, jobs, users."""

from __future__ import annotations

from console.rehearsal.dotmac.platform.core import TENANT_REQUIRED, Answer, Call, Route, error
from console.rehearsal.dotmac.platform.database import Row
from console.rehearsal.dotmac.platform.routes.access import (
    HOME_TENANT,
    MEMBERS,
    PLATFORM_ONLY,
    TENANT_ADMINS,
    TENANT_ROLES,
)
from state.base.json import Json, text

_V1 = "/api/v1"
_PLANS = (("starter", 4900), ("professional", 14900), ("enterprise", 49900))
_TENANT_COLUMNS = "id, name, slug, plan_type, status, created_at"
_JOB_COLUMNS = (
    "id, tenant_id, job_type, title, status, progress_percent, created_at, started_at, completed_at"
)


def _listed(rows: list[Row]) -> list[Json]:
    return [dict(row) for row in rows]


def _page(call: Call, rows: list[Row]) -> tuple[list[Json], int, int]:
    page, size = max(1, call.number("page", 1)), max(1, min(call.number("page_size", 20), 100))
    return _listed(rows[(page - 1) * size : page * size]), page, size


def _tenants(call: Call) -> Answer:
    rows = call.core.database.query(f"SELECT {_TENANT_COLUMNS} FROM tenants ORDER BY slug")  # noqa: S608  a constant
    items, page, size = _page(call, rows)
    return Answer(200, {"items": items, "total": len(rows), "page": page, "page_size": size})


def _tenant(call: Call) -> Answer:
    sql = f"SELECT {_TENANT_COLUMNS} FROM tenants WHERE id = ?"  # noqa: S608  a constant
    rows = call.core.database.query(sql, call.params.get("id") or call.tenant_id())
    if call.params and call.role != "platform_admin" and call.params["id"] != call.tenant_id():
        return error(call, 403, "Not a member of this tenant")
    if rows:
        return Answer(200, dict(rows[0]))
    if call.role == "platform_admin" and not call.params:
        return Answer(200, {"id": None, "name": "Platform", "slug": "platform", "status": "active"})
    return error(call, 404, "Tenant not found")


def _portal(call: Call) -> Answer:
    rows = call.core.database.query("SELECT status FROM invoices WHERE tenant_id = ?", call.tenant_id())
    still_open = sum(row["status"] == "open" for row in rows)
    return Answer(
        200, {"tenant_id": call.tenant_id(), "invoices": {"total": len(rows), "open": still_open}, "users": 3}
    )


def _users(call: Call) -> Answer:
    rows = call.core.database.query(
        "SELECT id, username, email, tenant_id, is_active FROM users ORDER BY username"
    )
    items, page, size = _page(call, rows)
    return Answer(200, {"users": items, "total": len(rows), "page": page, "page_size": size})


def _invoices(call: Call) -> Answer:
    columns = "invoice_id, tenant_id, invoice_number, status, currency, total_amount, created_at"
    sql = f"SELECT {columns} FROM invoices"  # noqa: S608  a constant
    tenant_id = call.tenant_id()
    database = call.core.database
    rows = database.query(f"{sql} WHERE tenant_id = ?", tenant_id) if tenant_id else database.query(sql)
    return Answer(200, {"invoices": _listed(rows[:50]), "total_count": len(rows), "has_more": len(rows) > 50})


def _plans(_call: Call) -> Answer:
    return Answer(
        200,
        [
            {"plan_id": name, "name": name.title(), "price": price, "currency": "EUR"}
            for name, price in _PLANS
        ],
    )


def _billing_settings(call: Call) -> Answer:
    return Answer(
        200,
        {"tenant_id": call.tenant_id(), "currency": "EUR", "payment_terms_days": 14, "tax_inclusive": True},
    )


def _payment_methods(call: Call) -> Answer:
    rows = call.core.database.query(
        "SELECT id, type, last4 FROM billing_payment_methods WHERE tenant_id = ?", call.tenant_id()
    )
    return Answer(200, _listed(rows))


def _billing_summary(call: Call) -> Answer:
    rows = call.core.database.query(
        "SELECT status, SUM(total_amount) AS total, COUNT(*) AS n FROM invoices GROUP BY status"
    )
    zero = call.settings.flows.billing_zero
    totals = {str(row["status"]): 0 if zero else row["total"] for row in rows}
    count = 0 if zero else sum(int(row["n"] or 0) for row in rows)
    return Answer(200, {"currency": "EUR", "totals": totals, "invoices": count})


def _jobs(call: Call) -> Answer:
    sql = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE tenant_id = ? ORDER BY created_us DESC"  # noqa: S608  a constant
    rows = call.core.database.query(sql, call.tenant_id())
    items, page, size = _page(call, rows)
    return Answer(
        200, {"jobs": items, "total": len(rows), "page": page, "page_size": size, "has_more": False}
    )


def _job(call: Call) -> Answer:
    sql = f"SELECT {_JOB_COLUMNS} FROM jobs WHERE id = ? AND tenant_id = ?"  # noqa: S608  a constant
    rows = call.core.database.query(sql, call.params["id"], call.tenant_id())
    return Answer(200, dict(rows[0])) if rows else error(call, 404, "Job not found")


def _new_job(call: Call) -> Answer:
    tenant_id = call.tenant_id()
    if tenant_id is None:
        return error(call, 400, TENANT_REQUIRED)
    body = call.json()
    job_type = text(body, "job_type", "smoke")[:50]
    job_id = call.core.database.add_job(tenant_id, job_type, text(body, "title", job_type)[:200])
    call.core.log("INFO", f"job queued id={job_id} queue=default", call.correlation_id)
    answer = _job_by_id(call, job_id)
    answer.status = 201
    return answer


def _job_by_id(call: Call, job_id: str) -> Answer:
    call.params["id"] = job_id
    return _job(call)


def _job_statistics(call: Call) -> Answer:
    rows = call.core.database.query(
        "SELECT status, COUNT(*) AS n FROM jobs WHERE tenant_id = ? GROUP BY status", call.tenant_id()
    )
    counts = {str(row["status"]): int(row["n"] or 0) for row in rows}
    names = ("pending", "running", "completed", "failed")
    return Answer(
        200, {"total_jobs": sum(counts.values()), **{f"{name}_jobs": counts.get(name, 0) for name in names}}
    )


def _empty_list(_call: Call) -> Answer:
    return Answer(200, [])


def _stats(call: Call) -> Answer:
    rows = call.core.database.query(
        "SELECT (SELECT COUNT(*) FROM tenants) AS tenants, (SELECT COUNT(*) FROM users) AS users"
    )
    return Answer(
        200,
        {"total_tenants": rows[0]["tenants"], "total_users": rows[0]["users"], "system_health": "healthy"},
    )


def _categories(_call: Call) -> Answer:
    return Answer(
        200, [{"category": one, "display_name": one.title()} for one in ("database", "jwt", "redis", "vault")]
    )


def _broken(call: Call) -> Answer:
    """Broken on the real platform for everybody who is logged in, so no smoke test may rely on it."""
    return error(call, 500, "Internal server error")


ROUTES = (
    Route("GET", f"{_V1}/tenants", _tenants, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/tenants/current", _tenant),
    Route("GET", f"{_V1}/tenants/portal/dashboard", _portal, denied=MEMBERS),
    Route("GET", f"{_V1}/tenants/{{id}}", _tenant),
    Route("GET", f"{_V1}/users", _users, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/billing/invoices", _invoices, denied=TENANT_ROLES),
    Route("GET", f"{_V1}/billing/subscriptions/plans", _plans, denied=TENANT_ROLES),
    Route("GET", f"{_V1}/billing/settings", _billing_settings, denied=HOME_TENANT),
    Route("GET", f"{_V1}/billing/tenant/payment-methods", _payment_methods, denied=TENANT_ADMINS),
    Route("GET", f"{_V1}/platform/billing/summary", _billing_summary, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/jobs", _jobs, denied=HOME_TENANT),
    Route("POST", f"{_V1}/jobs", _new_job, denied=HOME_TENANT),
    Route("GET", f"{_V1}/jobs/statistics", _job_statistics, denied=HOME_TENANT),
    Route("GET", f"{_V1}/jobs/scheduler/scheduled-jobs", _empty_list, denied=MEMBERS),
    Route("GET", f"{_V1}/jobs/dashboard", _broken),
    Route("GET", f"{_V1}/audit/dashboard", _broken),
    Route("GET", f"{_V1}/billing/dashboard", _broken),
    Route("GET", f"{_V1}/billing/pricing/rules/conflicts", _broken),
    Route("GET", f"{_V1}/jobs/{{id}}", _job, denied=HOME_TENANT),
    Route("GET", f"{_V1}/admin/platform/stats", _stats, denied=PLATFORM_ONLY),
    Route("GET", f"{_V1}/admin/settings/categories", _categories, denied=PLATFORM_ONLY),
)
