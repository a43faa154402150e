from __future__ import annotations

import pytest

from console.rehearsal.dotmac.platform import Metrics, Outage
from tests.console.rehearsal.dotmac.platform.conftest import Site, body


async def test_health_family(site: Site) -> None:
    health = await site.call("/health")
    assert (health.status_code, body(health)) == (
        200,
        {"status": "healthy", "version": "1.0.0", "environment": "production"},
    )
    live = body(await site.call("/health/live"))
    assert live["status"] == "alive"
    assert str(live["timestamp"]).startswith("2026-11-18T")
    for path in ("/health/ready", "/ready"):
        ready = body(await site.call(path))
        assert (ready["status"], ready["healthy"], ready["failed_services"]) == ("ready", True, [])
        assert len(site_services(ready)) == 9
    for path in ("/api/v1/health", "/api/v1/platform/health", "/api/v1/platform/config"):
        assert (await site.call(path)).status_code == 200


def site_services(ready: object) -> list[str]:
    from state.base.json import obj, objs, text

    return [text(service, "name") for service in objs(obj(ready).get("services"))]


async def test_readiness_answers_200_when_it_is_not_ready(site: Site) -> None:
    site.settings.health.failing_services = {"redis"}
    ready = await site.call("/health/ready")
    assert ready.status_code == 200
    assert (body(ready)["status"], body(ready)["healthy"]) == ("not ready", False)
    assert body(ready)["failed_services"] == ["redis"]
    fixed = body(await site.call("/api/v1/health"))
    assert (fixed["status"], fixed["healthy"]) == ("healthy", False)


async def test_health_says_what_the_switches_say(site: Site) -> None:
    site.settings.health.status, site.settings.health.text = 503, "unhealthy"
    site.settings.health.reported_environment = "development"
    answer = await site.call("/health")
    assert answer.status_code == 503
    assert (body(answer)["status"], body(answer)["environment"]) == ("unhealthy", "development")


async def test_anonymous_callers_of_what_wants_a_tenant_get_400(site: Site) -> None:
    for path in (
        "/health/redis",
        "/api/v1/platform/runtime-config",
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/metrics/",
        "/api/v1/no/such/path",
        "/api/v1/tenants",
    ):
        answer = await site.call(path, header={"X-Tenant-ID": "smoke"})
        assert (answer.status_code, body(answer)["detail"]) == (400, "Tenant ID is required")
    for path in ("/health/redis", "/api/v1/platform/runtime-config", "/.well-known/jwks.json"):
        assert (await site.call(path, role="tenant_user")).status_code == 200
    assert (await site.call("/api/v1/no/such/path", role="tenant_user")).status_code == 404


async def test_an_error_has_the_platforms_own_format(site: Site) -> None:
    answer = body(await site.call("/api/v1/tenants"))
    assert " ".join(answer) == (
        "error_code message user_message correlation_id timestamp status severity category retryable details detail"
    )


async def test_ids_are_sent_and_echoed(site: Site) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    given = {"X-Correlation-ID": "chosen", "X-Trace-ID": "t-1", "traceparent": parent}
    answer = await site.call("/health", header=given)
    assert answer.headers["X-Correlation-ID"] == "chosen"
    assert (answer.headers["X-Trace-ID"], answer.headers["traceparent"]) == ("t-1", parent)
    assert len((await site.call("/health")).headers["X-Request-ID"]) == 36


async def test_metrics(site: Site) -> None:
    answer = await site.call("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "dotmac_http_requests_total" in (await site.call("/metrics")).text
    site.settings.health.metrics = Metrics.INTERNAL
    assert (await site.call("/metrics")).status_code == 403
    inside = await site.client.get(site.service.url + "/metrics")
    assert inside.status_code == 200
    site.settings.health.metrics = Metrics.ABSENT
    assert (await site.call("/metrics")).status_code == 404
    site.settings.health.metrics = Metrics.HTML
    page = await site.call("/metrics")
    assert (page.status_code, page.text[:15]) == (200, "<!doctype html>")


async def test_a_bogus_host_header_is_refused_unless_the_list_has_a_wildcard(site: Site) -> None:
    bogus = await site.call("/health", host="bogus.invalid", server_name="api.dotmac.test")
    assert (bogus.status_code, bogus.text) == (400, "Invalid host header")
    site.settings.health.trusted_hosts_enforced = False
    assert (
        await site.call("/health", host="bogus.invalid", server_name="api.dotmac.test")
    ).status_code == 200
    inside = await site.client.get(site.service.url + "/health")
    assert inside.status_code == 200


async def test_docs_and_inventory(site: Site) -> None:
    assert (await site.call("/docs")).status_code == 404
    assert (await site.call("/openapi.json")).status_code == 200
    site.settings.health.docs_public, site.settings.health.openapi_public = True, False
    assert (await site.call("/docs")).status_code == 200
    assert (await site.call("/openapi.json")).status_code == 404


async def test_a_forced_error_shows_its_stack_only_where_debugging_is_on(site: Site) -> None:
    quiet = await site.call("/api/v1/jobs/dashboard", role="tenant_admin")
    assert (quiet.status_code, body(quiet)["details"]) == (500, {})
    site.settings.health.stack_traces = True
    loud = await site.call("/api/v1/jobs/dashboard", role="tenant_admin")
    assert "Traceback" in str(body(loud)["details"])


async def test_a_share_of_requests_fails_but_never_health(site: Site) -> None:
    await site.token("tenant_user")
    site.settings.flows.error_share = 0.5
    seen = [
        (await site.call("/api/v1/feature-flags/flags", role="tenant_user")).status_code for _ in range(40)
    ]
    assert 8 < seen.count(500) < 32
    assert {(await site.call("/health")).status_code for _ in range(20)} == {200}


async def test_answers_take_the_time_that_a_switch_says(site: Site) -> None:
    site.settings.flows.latency_ms = 30
    answer = await site.call("/health", header={"traceparent": f"00-{'c' * 32}-{'d' * 16}-01"})
    assert answer.elapsed.total_seconds() >= 0.03
    assert site.platform.records.spans["c" * 32][0].duration_us >= 30_000


@pytest.mark.parametrize(
    ("outage", "status", "start"),
    [(Outage.UNAVAILABLE, 503, "<html>"), (Outage.HTML, 200, "<!doctype"), (Outage.LOGIN, 302, "")],
)
async def test_outages_that_answer(site: Site, outage: Outage, status: int, start: str) -> None:
    site.settings.web.api_outage = outage
    answer = await site.call("/health/ready")
    assert answer.status_code == status
    assert answer.text.startswith(start)


async def test_outages_that_do_not_answer(site: Site) -> None:
    import httpx

    site.settings.web.api_outage = Outage.DROP
    with pytest.raises(httpx.RemoteProtocolError):
        await site.call("/health")
    site.settings.web.api_outage = Outage.TRUNCATED
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        (await site.call("/health/ready")).json()
    site.settings.web.api_outage = Outage.HANG
    site.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await site.call("/health")
