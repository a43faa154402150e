from __future__ import annotations

import pytest

from console.rehearsal.dotmac.platform import Feature
from state.base.json import integer, items, obj, objs, text
from tests.console.rehearsal.dotmac.platform.conftest import ROLES, Site, body

# Path -> the status for platform admin, tenant admin, tenant user, partner, nobody.
MATRIX = {
    "/api/v1/tenants": (200, 403, 403, 403, 400),
    "/api/v1/tenants/current": (200, 200, 200, 200, 400),
    "/api/v1/tenants/portal/dashboard": (403, 200, 200, 403, 400),
    "/api/v1/users": (200, 403, 403, 403, 400),
    "/api/v1/billing/invoices": (200, 200, 200, 403, 400),
    "/api/v1/billing/subscriptions/plans": (200, 200, 200, 403, 400),
    "/api/v1/billing/settings": (400, 200, 200, 403, 400),
    "/api/v1/billing/tenant/payment-methods": (200, 200, 403, 403, 400),
    "/api/v1/platform/billing/summary": (200, 403, 403, 403, 400),
    "/api/v1/jobs": (400, 200, 200, 403, 400),
    "/api/v1/jobs/statistics": (400, 200, 200, 403, 400),
    "/api/v1/jobs/scheduler/scheduled-jobs": (403, 200, 200, 403, 400),
    "/api/v1/jobs/dashboard": (500, 500, 500, 500, 400),
    "/api/v1/audit/activities?per_page=5": (200, 403, 403, 403, 400),
    "/api/v1/platform/audit/logs": (200, 403, 403, 403, 400),
    "/api/v1/admin/platform/stats": (200, 403, 403, 403, 400),
    "/api/v1/admin/settings/categories": (200, 403, 403, 403, 400),
    "/api/v1/secrets/secrets": (200, 403, 403, 403, 400),
    "/api/v1/feature-flags/flags": (200, 200, 200, 200, 400),
    "/api/v1/feature-flags/status": (200, 200, 200, 200, 400),
    "/api/v1/secrets/health": (200, 200, 200, 200, 401),
    "/api/v1/auth/verify": (200, 200, 200, 200, 401),
    "/api/v1/partners/": (200, 403, 403, 403, 400),
    "/api/v1/rate-limits/rules": (200, 403, 403, 403, 400),
    "/api/v1/monitoring/metrics": (200, 403, 403, 403, 400),
    "/api/platform/v1/tenants": (200, 403, 403, 403, 401),
    "/api/platform/v1/health": (200, 403, 403, 403, 401),
}


@pytest.mark.parametrize("path", MATRIX)
async def test_the_roles_matrix(site: Site, path: str) -> None:
    seen = [(await site.call(path, role=role)).status_code for role in (*ROLES, None)]
    assert tuple(seen) == MATRIX[path]


async def test_a_role_that_may_too_much_or_too_little(site: Site) -> None:
    overrides = site.settings.auth.role_overrides
    overrides["tenant_user", "/api/v1/tenants"] = 200
    overrides["anonymous", "/api/v1/users"] = 200
    overrides["platform_admin", "/api/v1/tenants"] = 403
    assert items(body(await site.call("/api/v1/tenants", role="tenant_user"))["items"])
    assert (await site.call("/api/v1/tenants", role="tenant_admin")).status_code == 403
    assert (await site.call("/api/v1/tenants", role="platform_admin")).status_code == 403
    assert (await site.call("/api/v1/users")).status_code == 200


async def test_reads_that_the_real_platform_shows_to_every_login(site: Site) -> None:
    site.settings.auth.overexposed_reads = True
    for path in ("/api/v1/partners/", "/api/v1/rate-limits/logs", "/api/v1/monitoring/alerts/channels"):
        assert (await site.call(path, role="tenant_user")).status_code == 200
        assert (await site.call(path)).status_code == 400


async def invoice_tenants(site: Site, role: str, header: str, tenant: str) -> set[str]:
    answer = await site.call("/api/v1/billing/invoices", role=role, header={header: tenant})
    return {text(one, "tenant_id") for one in objs(body(answer)["invoices"])}


async def test_a_foreign_tenant_header_is_ignored_unless_data_leaks(site: Site) -> None:
    rows = site.platform.database.query(
        "SELECT id, slug FROM tenants WHERE slug NOT IN ('smoke', 'partner-home')"
    )
    foreign, slug = str(rows[0]["id"]), str(rows[0]["slug"])
    home = text(body(await site.call("/api/v1/tenants/current", role="tenant_admin")), "id")
    assert await invoice_tenants(site, "tenant_admin", "X-Tenant-ID", foreign) == {home}
    assert await invoice_tenants(site, "platform_admin", "X-Target-Tenant-ID", foreign) == {foreign}
    assert await invoice_tenants(site, "platform_admin", "X-Tenant-ID", slug) == {foreign}
    assert (await site.call(f"/api/v1/tenants/{foreign}", role="tenant_admin")).status_code == 403
    site.settings.auth.foreign_tenant_served = True
    assert await invoice_tenants(site, "tenant_admin", "X-Tenant-ID", foreign) == {foreign}


async def new_job(site: Site) -> str:
    answer = await site.call(
        "/api/v1/jobs", "POST", role="tenant_admin", json={"job_type": "smoke", "title": "probe"}
    )
    assert (answer.status_code, body(answer)["status"]) == (201, "pending")
    return text(body(answer), "id")


async def status_of(site: Site, job: str) -> str:
    return text(body(await site.call(f"/api/v1/jobs/{job}", role="tenant_admin")), "status")


async def test_a_job_goes_through_the_worker(site: Site) -> None:
    job = await new_job(site)
    assert await status_of(site, job) == "pending"
    await site.clock.advance(1.5)
    assert await status_of(site, job) == "running"
    await site.clock.advance(3)
    assert await status_of(site, job) == "completed"
    counted = body(await site.call("/api/v1/jobs/statistics", role="tenant_user"))
    assert (counted["total_jobs"], counted["completed_jobs"]) == (1, 1)
    assert (await site.call("/api/v1/jobs/other", role="tenant_admin")).status_code == 404


async def test_a_job_that_is_stuck_or_fails(site: Site) -> None:
    site.settings.flows.jobs_stuck = True
    stuck = await new_job(site)
    await site.clock.advance(600)
    assert await status_of(site, stuck) == "pending"
    site.settings.flows.jobs_stuck, site.settings.flows.jobs_fail = False, True
    assert await status_of(site, stuck) == "failed"


async def test_a_flow_that_fails_does_so_for_everybody(site: Site) -> None:
    site.settings.flows.broken_paths = {"/api/v1/billing/invoices": 503, "/api/v1/auth/login": 500}
    assert (await site.call("/api/v1/billing/invoices")).status_code == 503
    assert (await site.log_in("tenant_user")).status_code == 500
    assert (await site.call("/api/v1/tenants")).status_code == 400


async def test_billing_that_returns_zeros(site: Site) -> None:
    path = "/api/v1/platform/billing/summary"
    assert integer(body(await site.call(path, role="platform_admin")), "invoices") > 0
    site.settings.flows.billing_zero = True
    zero = body(await site.call(path, role="platform_admin"))
    assert (zero["invoices"], set(obj(zero["totals"]).values())) == (0, {0})


async def test_the_platform_prefix_as_the_real_one_breaks_it(site: Site) -> None:
    site.settings.flows.platform_v1_broken = True
    assert (await site.call("/api/platform/v1/health")).status_code == 500
    assert (await site.call("/api/platform/v1/health", role="platform_admin")).status_code == 500
    assert (await site.call("/api/v1/tenants", role="platform_admin")).status_code == 200


async def test_the_platform_prefix_that_lets_every_login_in(site: Site) -> None:
    site.settings.flows.platform_v1_open = True
    assert (await site.call("/api/platform/v1/health", role="tenant_user")).status_code == 200
    assert (await site.call("/api/platform/v1/tenants", role="tenant_user")).status_code == 403
    assert (await site.call("/api/platform/v1/health")).status_code == 401


async def served(site: Site, part: str) -> list[str]:
    return [path for path in obj(body(await site.call("/openapi.json"))["paths"]) if part in path]


PARTNER, AWX, DEPLOY = (
    "/api/v1/partner/tenants",
    "/api/v1/tenants/t/provisioning/jobs",
    "/api/v1/stats/resources",
)


async def test_optional_routes_are_gone_by_default(site: Site) -> None:
    for path, role, part in (
        (PARTNER, "partner", "/api/v1/partner/"),
        (AWX, "platform_admin", "provisioning"),
        (DEPLOY, "platform_admin", "/api/v1/stats/"),
    ):
        assert (await site.call(path, role=role)).status_code == 404
        assert (await site.call(path)).status_code == 400
        assert await served(site, part) == []


@pytest.mark.parametrize(
    ("feature", "status"), [(Feature.IMPLEMENTED, 200), (Feature.FORBIDDEN, 403), (Feature.BROKEN, 500)]
)
async def test_optional_routes_in_their_other_states(site: Site, feature: Feature, status: int) -> None:
    flows = site.settings.flows
    flows.partner = flows.provisioning = flows.deployment = feature
    assert (await site.call(PARTNER, role="partner")).status_code == status
    assert (await site.call(AWX, role="platform_admin")).status_code == status
    assert (await site.call(DEPLOY, role="platform_admin")).status_code == status
    assert len(await served(site, "/api/v1/partner/")) == 9
    assert await served(site, "provisioning")


async def test_provisioning_without_a_worker_stays_queued(site: Site) -> None:
    site.settings.flows.provisioning = Feature.IMPLEMENTED
    assert (await site.call(AWX, "POST", role="platform_admin", json={})).status_code == 202

    async def state() -> list[str]:
        return [
            text(one, "status") for one in objs(body(await site.call(AWX, role="platform_admin"))["jobs"])
        ]

    assert await state() == ["queued"]
    site.settings.flows.provisioning_worker = True
    assert await state() == ["completed"]


async def test_the_alert_webhook(site: Site) -> None:
    path = "/api/v1/monitoring/alerts/webhook"
    header = {"Authorization": f"Bearer {site.platform.secret('webhook')}"}
    alerts = {"alerts": [{"labels": {"alertname": "Probe"}}]}
    assert (await site.call(path, "POST", json=alerts)).status_code == 401
    answer = await site.call(path, "POST", json=alerts, header=header)
    assert (answer.status_code, body(answer)["alerts_processed"]) == (202, 1)
    assert body(answer)["total_channels_notified"] == 2
    site.settings.flows.webhook_channels = 0
    nobody = body(await site.call(path, "POST", json=alerts, header=header))
    assert nobody["total_channels_notified"] == 0
    site.settings.flows.webhook_secret_set = False
    assert (await site.call(path, "POST", json=alerts, header=header)).status_code == 503


async def test_config_lists_the_modules(site: Site) -> None:
    features = obj(body(await site.call("/api/v1/platform/config"))["features"])
    assert (features["billing"], features["partner"]) == (True, False)
    site.settings.flows.features["billing"] = False
    assert obj(body(await site.call("/api/v1/platform/config"))["features"])["billing"] is False
