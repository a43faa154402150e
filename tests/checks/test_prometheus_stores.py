"""Stores that speak Prometheus' API, over sockets: partial answers, native histograms, tenants, no ``/-/ready``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from checks.clients.alertmanager import AlertmanagerClient
from checks.clients.errors import MisconfiguredError, PartialError, UnauthorizedError, WrongContentError
from checks.clients.prometheus import PrometheusClient
from checks.errors import CouldNotLookError
from state.base.json import Json
from state.runbook.environment import Endpoint
from state.runbook.units import SecretRef

POINT: dict[str, Json] = {"metric": {}, "value": [1.0, "1"], "values": [[1.0, "1"]]}
HISTOGRAM: dict[str, Json] = {"count": "2", "sum": "3", "buckets": [[0, "0", "1", "2"]]}


class Store:
    """Answers every query with ``answer``; its pages and what it wants of a request are set by a test."""

    def __init__(self) -> None:
        self.answer: dict[str, Json] = {}
        self.result: list[Json] = [POINT]
        self.ready = 404
        self.tenant = ""
        self.seen: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append(request.path)
        if self.tenant and request.headers.get("X-Scope-OrgID") != self.tenant:
            return web.json_response({"message": "no org id"}, status=401)
        if request.path == "/-/ready":
            return web.Response(status=self.ready, text="it says so")
        if request.path == "/api/v2/alerts":
            return web.json_response([])
        kind = "matrix" if request.path.endswith("query_range") else "vector"
        data = {"resultType": kind, "result": self.result}
        return web.json_response({"status": "success", "data": data, **self.answer})


@asynccontextmanager
async def stored(**headers: str | SecretRef) -> AsyncIterator[tuple[Store, PrometheusClient, Endpoint]]:
    store = Store()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", store.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    endpoint = Endpoint(url=f"http://127.0.0.1:{runner.addresses[0][1]}", timeout=5, headers=headers)
    client = PrometheusClient(endpoint, "production")
    try:
        yield store, client, endpoint
    finally:
        await client.aclose()
        await runner.cleanup()


@pytest.mark.parametrize("answer", [{"isPartial": True}, {"warnings": ["1 store didn't answer"]}])
async def test_an_answer_that_says_it_is_partial_is_none(answer: dict[str, Json]) -> None:
    async with stored() as (store, client, _):
        store.answer = answer
        with pytest.raises(PartialError):
            await client.query("x")
        with pytest.raises(PartialError):
            await client.query_range("x", 0, 15, 15)


@pytest.mark.parametrize(
    "answer", [{"isPartial": False}, {"warnings": []}, {"infos": ["metric might not be a counter"]}]
)
async def test_a_whole_answer_with_remarks_is_one(answer: dict[str, Json]) -> None:
    async with stored() as (store, client, _):
        store.answer = answer
        assert [s.value for s in await client.query("x")] == [1.0]
        assert [s.points for s in await client.query_range("x", 0, 15, 15)] == [((1.0, 1.0),)]


@pytest.mark.parametrize(
    "series",
    [
        {"metric": {}, "histogram": [1.0, HISTOGRAM], "histograms": [[1.0, HISTOGRAM]]},
        {**POINT, "histogram": [1.0, HISTOGRAM], "histograms": [[2.0, HISTOGRAM]]},
        {"metric": {}},
    ],
)
async def test_a_series_without_floats_is_an_error_also_beside_others(series: dict[str, Json]) -> None:
    async with stored() as (store, client, _):
        store.result = [POINT, series]
        with pytest.raises(WrongContentError):
            await client.query("x")
        with pytest.raises(WrongContentError):
            await client.query_range("x", 0, 15, 15)


@pytest.mark.parametrize(
    ("status", "ready"), [(200, True), (404, True), (403, True), (405, True), (503, False)]
)
async def test_a_store_without_a_page_is_ready_when_it_answers_a_query(status: int, ready: bool) -> None:
    async with stored() as (store, client, _):
        store.ready = status
        if ready:
            await client.ready()
        else:
            with pytest.raises(CouldNotLookError):
                await client.ready()
        assert ("/api/v1/query" in store.seen) is (ready and status != 200)
        store.ready, store.answer = 404, {"isPartial": True}
        with pytest.raises(PartialError):
            await client.ready()


async def test_a_tenant_is_told_by_a_header_which_may_be_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "tenant"
    file.write_text("blue\n")
    for value in ("blue", SecretRef(file=file)):
        async with stored(**{"X-Scope-OrgID": value}) as (store, client, endpoint):
            store.tenant = "blue"
            assert await client.query("x")
            alertmanager = AlertmanagerClient(endpoint, "production")
            assert await alertmanager.alerts() == []
            await alertmanager.aclose()
            store.tenant = "red"
            with pytest.raises(UnauthorizedError) as caught:
                await client.ready()
            assert "blue" not in str(caught.value)
    async with stored(**{"X-Scope-OrgID": SecretRef(file=tmp_path / "none")}) as (_, client, _endpoint):
        with pytest.raises(MisconfiguredError, match="header X-Scope-OrgID"):
            await client.query("x")


@pytest.mark.parametrize(
    "headers", [{"Authorization": "x"}, {"a b": "x"}, {"X": "a\nb"}, {"X": ""}, {"Host": "x"}]
)
def test_a_header_that_cannot_be_sent_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Endpoint(url="http://x", headers=headers)
