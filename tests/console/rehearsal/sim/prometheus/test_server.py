from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from aiohttp import web
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException

from console.rehearsal.dotmac.metrics import fresh_traffic
from console.rehearsal.sim.prometheus.answers import number
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.sim.prometheus.server import Prometheus
from console.rehearsal.world.traffic import Behaviour, Traffic
from state.base.json import Json, JsonObject, items, obj, objs, path, text
from tests.clocks import ManualClock
from tests.console.rehearsal.serving import served

_PODS = ("api-a", "api-b", "api-c")
_SCOPE = 'namespace="dotmac-production",endpoint!~"/(health.*|ready|metrics.*)"'
_BAD = f'sum(rate(dotmac_http_requests_total{{{_SCOPE},status_code=~"5.."}}[1m]))'
_ALL = f"sum(rate(dotmac_http_requests_total{{{_SCOPE}}}[1m]))"
_RULES = (
    AlertRule(
        "HighErrorRatio",
        f"{_BAD} / {_ALL} > 0.05",
        for_s=120,
        labels={"severity": "critical"},
        annotations={"summary": "ratio is {{ $value | humanizePercentage }} in {{ $labels.namespace }}"},
    ),
    AlertRule("TargetDown", "up == 0", labels={"severity": "page"}, annotations={"pod": "{{ $labels.pod }}"}),
    AlertRule("Ambiguous", "up / on(job) up"),
)


@dataclass
class _World:
    clock: ManualClock
    traffic: Traffic
    server: Prometheus
    http: httpx.AsyncClient
    url: str

    @property
    def now_s(self) -> int:
        return self.clock.wall_us() // 1_000_000

    async def data(self, place: str, **params: str | int) -> Json:
        answer = await self.http.get(f"/api/v1/{place}", params=params)
        assert answer.status_code == 200, answer.text
        body: JsonObject = answer.json()
        assert body["status"] == "success"
        return body["data"]


@pytest.fixture
async def world() -> AsyncIterator[_World]:
    clock = ManualClock()
    traffic = fresh_traffic("prom", clock).with_monitors()
    traffic.set("production", Behaviour(pods=_PODS))
    server = Prometheus(traffic, clock, rules=_RULES, targets=traffic, alertmanagers=["http://am:9093"])
    async with served(server.application()) as url, httpx.AsyncClient(base_url=url) as http:
        yield _World(clock, traffic, server, http, url)


async def test_the_client_library_gets_vectors_scalars_and_matrices(world: _World) -> None:
    def ask() -> None:
        client = PrometheusConnect(url=world.url, disable_ssl=True, retry=False)
        assert client.check_prometheus_connection()
        (total,) = client.custom_query(_ALL)
        assert total["metric"] == {}
        assert 25 < float(total["value"][1]) < 55
        assert client.custom_query("1 + 2") == [world.now_s, "3"]
        start = datetime.fromtimestamp(world.now_s - 600, UTC)
        end = datetime.fromtimestamp(world.now_s, UTC)
        (series,) = client.custom_query_range(_ALL, start_time=start, end_time=end, step="15s")
        assert [at for at, _ in series["values"]] == list(range(world.now_s - 600, world.now_s + 1, 15))
        assert client.custom_query("nothing") == []
        assert "dotmac_http_requests_total" in client.all_metrics()
        with pytest.raises(PrometheusApiClientException, match="bad_data"):
            client.custom_query("sum(")

    await asyncio.to_thread(ask)


async def test_get_and_post_give_the_same(world: _World) -> None:
    form = {"query": _ALL, "time": str(world.now_s)}
    got = await world.http.get("/api/v1/query", params=form)
    posted = await world.http.post("/api/v1/query", data=form)
    assert got.json() == posted.json()
    span = {"query": "up", "start": "2026-11-18T06:00:00Z", "end": "2026-11-18T06:10:00Z", "step": "1m"}
    by_form = await world.http.post("/api/v1/query_range", data=span)
    assert (by_form.status_code, by_form.json()["data"]["resultType"]) == (200, "matrix")


@pytest.mark.parametrize(
    ("place", "params", "message"),
    [
        ("query", {"query": "sum("}, 'invalid parameter "query": parse error: unclosed left parenthesis'),
        ("query", {}, 'invalid parameter "query"'),
        ("query", {"query": "up", "time": "soon"}, 'cannot parse "soon" to a valid timestamp'),
        ("query_range", {"query": "up", "start": "0", "end": "100"}, 'invalid parameter "step"'),
        (
            "query_range",
            {"query": "up", "start": "5", "end": "1", "step": "1"},
            "must not be before start time",
        ),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}, "zero or negative"),
        (
            "query_range",
            {"query": "up", "start": "0", "end": "11001", "step": "1"},
            "exceeded maximum resolution",
        ),
        (
            "query_range",
            {"query": "up[5m]", "start": "0", "end": "9", "step": "1"},
            'expression type "range vector"',
        ),
        ("query_range", {"query": "'a'", "start": "0", "end": "9", "step": "1"}, 'expression type "string"'),
        ("series", {}, "no match[] parameter provided"),
        ("series", {"match[]": "up["}, 'invalid parameter "match[]"'),
    ],
)
async def test_a_bad_request_says_what_is_wrong(
    world: _World, place: str, params: dict[str, str], message: str
) -> None:
    answer = await world.http.get(f"/api/v1/{place}", params=params)
    body = answer.json()
    assert (answer.status_code, body["status"], body["errorType"]) == (400, "error", "bad_data")
    assert message in body["error"]


async def test_a_query_that_cannot_be_evaluated_is_422(world: _World) -> None:
    answer = await world.http.get("/api/v1/query", params={"query": "up / on(job) up"})
    assert (answer.status_code, answer.json()["errorType"]) == (422, "execution")
    assert "many-to-many matching not allowed" in answer.json()["error"]


async def test_11000_points_are_still_allowed(world: _World) -> None:
    span = {"query": "vector(1)", "start": "0", "end": "11000", "step": "1"}
    assert (await world.http.get("/api/v1/query_range", params=span)).status_code == 200


async def test_raw_samples_of_a_range_selector(world: _World) -> None:
    data = obj(await world.data("query", query='up{pod="api-a"}[1m]'))
    assert data["resultType"] == "matrix"
    (series,) = objs(data["result"])
    values = items(series["values"])
    assert len(values) == 4
    assert all(items(value)[1] == "1" for value in values)


async def test_series_labels_targets_and_metadata(world: _World) -> None:
    series = objs(await world.data("series", **{"match[]": 'up{job="dotmac-api"}'}))
    assert sorted(text(one, "pod") for one in series) == list(_PODS)
    assert "status_code" in items(await world.data("labels"))
    assert items(await world.data("label/pod/values")) == list(_PODS)
    assert "up" in items(await world.data("label/__name__/values"))
    targets = objs(path(await world.data("targets"), ["activeTargets"]))
    assert {text(target, "scrapePool") for target in targets} >= {"dotmac-api", "ingress-nginx", "prometheus"}
    assert {text(target, "health") for target in targets} == {"up"}
    metadata = obj(await world.data("metadata", metric="dotmac_http_requests_total"))
    assert path(metadata, ["dotmac_http_requests_total"]) == [
        {"type": "counter", "help": "Total HTTP requests", "unit": ""}
    ]
    assert text(obj(await world.data("status/buildinfo")), "version") == "3.5.0"
    managers = objs(path(await world.data("alertmanagers"), ["activeAlertmanagers"]))
    assert managers == [{"url": "http://am:9093/api/v2/alerts"}]
    assert (await world.http.get("/-/ready")).text == "Prometheus Server is Ready.\n"
    assert (await world.http.get("/-/healthy")).status_code == 200


async def _states(world: _World) -> dict[str, str]:
    rules = objs(path(await world.data("rules"), ["groups"]))
    return {text(rule, "name"): text(rule, "state") for group in rules for rule in objs(group["rules"])}


async def test_an_alert_is_pending_for_its_time_and_then_fires(world: _World) -> None:
    assert await _states(world) == {
        "HighErrorRatio": "inactive",
        "TargetDown": "inactive",
        "Ambiguous": "inactive",
    }
    world.traffic.set("production", Behaviour(pods=_PODS, error_ratio=0.3))
    await world.clock.advance(60)
    assert (await _states(world))["HighErrorRatio"] == "pending"
    await world.clock.advance(180)
    (alert,) = objs(path(await world.data("alerts"), ["alerts"]))
    assert text(alert, "state") == "firing"
    assert alert["labels"] == {"alertname": "HighErrorRatio", "severity": "critical"}
    assert text(obj(alert["annotations"]), "summary").startswith(("ratio is 29", "ratio is 3"))
    (post,) = world.server.firing()
    assert text(obj(post), "startsAt") == text(alert, "activeAt")
    world.traffic.set("production", Behaviour(pods=_PODS))
    await world.clock.advance(180)
    assert (await _states(world))["HighErrorRatio"] == "inactive"


async def test_how_often_one_asks_does_not_change_a_state(world: _World) -> None:
    often = Prometheus(world.traffic, world.clock, rules=_RULES)
    world.traffic.set("production", Behaviour(pods=_PODS, error_ratio=0.3))
    for _ in range(30):
        await world.clock.advance(10)
        often.firing()
    assert often.firing() == world.server.firing()
    assert len(often.firing()) == 1


async def test_a_rule_that_cannot_be_evaluated_says_so(world: _World) -> None:
    world.traffic.set("production", Behaviour(pods=_PODS, scraped=False))
    await world.clock.advance(60)
    rules = [
        rule for group in objs(path(await world.data("rules"), ["groups"])) for rule in objs(group["rules"])
    ]
    health = {text(rule, "name"): text(rule, "health") for rule in rules}
    assert health == {"HighErrorRatio": "ok", "TargetDown": "ok", "Ambiguous": "err"}
    alerts = objs(path(await world.data("alerts"), ["alerts"]))
    assert {text(obj(alert["annotations"]), "pod") for alert in alerts} == set(_PODS)


async def test_a_hook_can_answer_with_a_page_of_html(world: _World) -> None:
    async def page(request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/api/"):
            return web.Response(text="<html>sign in</html>", content_type="text/html")
        return None

    world.server.hooks.append(page)
    assert (await world.http.get("/api/v1/query?query=up")).text == "<html>sign in</html>"
    assert (await world.http.get("/-/ready")).status_code == 200


@pytest.mark.alone  # a bound of time
async def test_twenty_minutes_of_a_ratio_are_worked_out_fast(world: _World) -> None:
    params: dict[str, str | int] = {
        "query": f"{_BAD} / {_ALL}",
        "start": world.now_s - 1200,
        "end": world.now_s,
        "step": 15,
    }
    fastest = 1.0
    for _ in range(5):
        began = time.perf_counter()
        await world.data("query_range", **params)
        fastest = min(fastest, time.perf_counter() - began)
    assert fastest < 0.05


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3.0, "3"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-2.5, "-2.5"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (12345678901234567890.0, "12345678901234567000"),
    ],
)
def test_a_number_is_written_as_go_writes_it(value: float, written: str) -> None:
    assert number(value) == written
