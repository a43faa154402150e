from __future__ import annotations

from console.rehearsal.dotmac.platform import Outage, Vault
from state.base.json import items, obj, objs, path, text
from tests.console.rehearsal.dotmac.platform.conftest import Site, body

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Correlation-ID": "probe-42"}


async def test_a_request_appears_in_tracing_after_a_while(site: Site) -> None:
    await site.call("/health", header=HEADER)
    missing = await site.watch(f"/api/traces/{TRACE}")
    assert (missing.status_code, body(missing)["data"]) == (404, None)
    await site.clock.advance(3)
    found = objs(body(await site.watch(f"/api/traces/{TRACE}"))["data"])
    assert [text(one, "traceID") for one in found] == [TRACE]
    assert path(found[0], ("processes", "p1", "serviceName")) == "dotmac-platform"
    span = objs(found[0]["spans"])[0]
    assert text(span, "operationName") == "GET /health"
    assert {"key": "correlation_id", "type": "string", "value": "probe-42"} in objs(span["tags"])
    assert items(body(await site.watch("/api/services"))["data"]) == ["dotmac-platform"]
    listed = body(await site.watch("/api/traces", service="dotmac-platform"))
    assert len(objs(listed["data"])) == 1


async def test_tracing_that_sees_nothing(site: Site) -> None:
    site.settings.observers.traces_recorded = False
    await site.call("/health", header=HEADER)
    await site.clock.advance(60)
    assert (await site.watch(f"/api/traces/{TRACE}")).status_code == 404
    site.settings.observers.jaeger = Outage.UNAVAILABLE
    assert (await site.watch("/api/services")).status_code == 503


async def found_lines(site: Site, query: str) -> list[str]:
    answer = body(await site.watch("/loki/api/v1/query_range", query=query, limit=50))
    streams = objs(path(answer, ("data", "result")))
    return [str(items(pair)[1]) for stream in streams for pair in items(stream["values"])]


async def test_a_request_appears_in_the_logs(site: Site) -> None:
    await site.call("/health", header=HEADER)
    await site.clock.advance(2)
    lines = await found_lines(site, '{app="dotmac-backend"} |= "probe-42"')
    assert len(lines) == 1
    assert TRACE in lines[0]
    assert await found_lines(site, '{app="dotmac-backend", level=~"error|warn.*"} |= "probe-42"') == []
    assert await found_lines(site, '{app="other"}') == []
    assert await found_lines(site, '{app=~".+"} != "probe-42" |~ "GET .*health"') == []
    bad = await site.watch("/loki/api/v1/query_range", query="nonsense")
    assert bad.status_code == 400


async def test_logs_that_are_silent_or_too_loud(site: Site) -> None:
    site.settings.health.log_level = "DEBUG"
    await site.call("/health")
    await site.clock.advance(2)
    assert await found_lines(site, '{level="debug"}')
    site.settings.observers.logs_recorded = False
    assert await found_lines(site, '{app="dotmac-backend"}') == []


async def test_dashboards_vault_and_collector(site: Site) -> None:
    assert body(await site.watch("/api/health"))["database"] == "ok"
    site.settings.observers.grafana_database = "failing"
    assert (await site.watch("/api/health")).status_code == 503
    for state, status in ((Vault.UNSEALED, 200), (Vault.SEALED, 503), (Vault.UNINITIALISED, 501)):
        site.settings.observers.vault = state
        answer = await site.watch("/v1/sys/health")
        assert (answer.status_code, body(answer)["sealed"]) == (status, state is not Vault.UNSEALED)
    assert body(await site.call("/api/v1/secrets/health", role="tenant_user"))["healthy"] is True
    url = site.watching.url + "/v1/traces"
    assert (await site.client.post(url, json={"resourceSpans": []})).status_code == 200
    site.settings.observers.otlp_status = 503
    assert (await site.client.post(url, json={})).status_code == 503


async def test_github_tells_what_ran_for_a_commit(site: Site) -> None:
    place = "/repos/dotmactech/dotmac-platform/commits/9dd485de"
    runs = (await site.watch(f"{place}/check-runs", filter="all", per_page=3)).json()
    assert (runs["total_count"], len(runs["check_runs"])) == (6, 3)
    first = await site.watch(f"{place}/check-runs", filter="all", per_page=3)
    assert 'page=2>; rel="next"' in first.headers["Link"]
    latest = body(await site.watch(f"{place}/check-runs"))
    assert latest["total_count"] == 5, "an attempt that was repeated is left out"
    statuses = await site.watch(f"{place}/statuses")
    assert [one["context"] for one in statuses.json()] == ["frontend-types", "frontend-lint"]
    site.settings.observers.ci_checks["unit-tests"] = "in_progress"
    runs = body(await site.watch(f"{place}/check-runs"))
    running = next(one for one in objs(runs["check_runs"]) if one["name"] == "unit-tests")
    assert (running["status"], running["conclusion"], running["completed_at"]) == ("in_progress", None, None)
    site.settings.observers.ci_unknown_commit = True
    answer = await site.watch(f"{place}/check-runs")
    assert (answer.status_code, body(answer)["message"]) == (422, "No commit found for SHA: 9dd485de")


async def test_ci_is_told_as_a_plain_list_too(site: Site) -> None:
    answer = body(await site.watch("/repos/9dd485de/status"))
    states = {one["name"]: one["state"] for one in objs(answer["checks"])}
    assert (len(states), states["integration-tests"]) == (7, "success")
    site.settings.observers.ci_unknown_commit = True
    assert obj((await site.watch("/repos/9dd485de/status")).json())["message"]
