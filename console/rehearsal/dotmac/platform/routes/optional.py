"""Routes that a launch may go without: partner work, AWX provisioning, deployment orchestration."""

from __future__ import annotations

from console.rehearsal.dotmac.platform.core import Answer, Call, Route, error
from console.rehearsal.dotmac.platform.routes.access import PLATFORM_ONLY
from console.rehearsal.dotmac.platform.settings import Feature, PlatformSettings
from state.base.json import Json

_V1 = "/api/v1"
_PARTNER_PATHS = (
    "/partner/tenants",
    "/partner/billing/summary",
    "/partner/billing/invoices",
    "/partner/billing/invoices/export",
    "/partner/support/tickets",
    "/partner/reports/usage",
    "/partner/reports/sla",
    "/partner/alerts/sla",
    "/partner/alerts/billing",
)
_DEPLOYMENT_PATHS = (
    "/templates",
    "/instances",
    "/executions",
    "/stats/resources",
    "/stats/templates",
    "/schedule",
)
_NOT_PARTNERS = {"platform_admin": 403, "tenant_admin": 403, "tenant_user": 403}


def _partner_feature(settings: PlatformSettings) -> Feature:
    return settings.flows.partner


def _provisioning_feature(settings: PlatformSettings) -> Feature:
    return settings.flows.provisioning


def _deployment_feature(settings: PlatformSettings) -> Feature:
    return settings.flows.deployment


def _partner(call: Call) -> Answer:
    links = call.core.database.query("SELECT managed_tenant_id, access_role FROM partner_tenant_links")
    items: list[Json] = [dict(row) for row in links]
    return Answer(200, {"items": items, "total": len(items)})


def _provisioning(call: Call) -> Answer:
    done = call.settings.flows.provisioning_worker
    status = "completed" if done else "queued"
    job = {"id": call.params["id"], "status": status, "playbook": "tenant.yml"}
    return Answer(200, {"jobs": [job], "total": 1})


def _new_provisioning(call: Call) -> Answer:
    return Answer(202, {"id": call.core.new_id("provisioning"), "status": "queued"})


def _deployment(_call: Call) -> Answer:
    return Answer(200, {"items": [], "total": 0})


def feature_answer(call: Call, feature: Feature) -> Answer | None:
    """Return what an optional route answers a caller who is logged in; None where it is implemented."""
    match feature:
        case Feature.DISABLED:
            return error(call, 404, "Not Found")
        case Feature.FORBIDDEN:
            return error(call, 403, "Not a partner user")
        case Feature.BROKEN:
            return error(call, 500, "Internal server error")
        case Feature.IMPLEMENTED:
            return None


_PROVISIONING = f"{_V1}/tenants/{{id}}/provisioning/jobs"

ROUTES = (
    *(
        Route("GET", _V1 + path, _partner, denied=_NOT_PARTNERS, feature=_partner_feature)
        for path in _PARTNER_PATHS
    ),
    Route("GET", _PROVISIONING, _provisioning, denied=PLATFORM_ONLY, feature=_provisioning_feature),
    Route("POST", _PROVISIONING, _new_provisioning, denied=PLATFORM_ONLY, feature=_provisioning_feature),
    *(
        Route("GET", _V1 + path, _deployment, denied=PLATFORM_ONLY, feature=_deployment_feature)
        for path in _DEPLOYMENT_PATHS
    ),
)
