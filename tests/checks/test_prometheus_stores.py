"""Stores that speak Prometheus' API, over sockets: partial answers, native histograms, tenants, no ``/-/ready``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from checks.clients.alertmanager import AlertmanagerClient
from checks.clients.endpoint_login import Secret
from checks.clients.errors import MisconfiguredError, PartialError, UnauthorizedError, WrongContentError
from checks.clients.prometheus import PrometheusClient
from checks.clients.user_agent import USER_AGENT
from checks.errors import CouldNotLookError
from state.base.json import Json
from state.runbook.environment import Endpoint
from state.runbook.units import MissingSecretError, SecretRef, TokenRef
from tests.checks.recording import recording

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


@asynccontextmanager
async def logged_in(
    **options: object,
) -> AsyncIterator[tuple[Guarded, list[PrometheusClient | AlertmanagerClient]]]:
    """Serve what is asked for with one Authorization only, and clients for it below a prefix."""
    store = Guarded()
    app = web.Application()
    app.router.add_route("*", "/prefix/{path:.*}", store.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    body = {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/prefix/", "timeout": 20, **options}
    endpoint = Endpoint.model_validate(body)
    secrets = {"token": reader(endpoint.token), "password": reader(endpoint.password)}
    clients = [
        PrometheusClient(endpoint, "production", **secrets),
        AlertmanagerClient(endpoint, "production", **secrets),
    ]
    try:
        yield store, clients
    finally:
        for client in clients:
            await client.aclose()
        await runner.cleanup()


def reader(ref: SecretRef | None) -> Secret:
    return "" if ref is None else ref.read


class Guarded(Store):
    """A store that lets in whoever has the one right Authorization."""

    def __init__(self) -> None:
        super().__init__()
        self.right = ""
        self.agents: set[str] = set()

    async def handle(self, request: web.Request) -> web.Response:
        self.agents.add(request.headers.get("User-Agent", ""))
        if request.headers.get("Authorization", "") != self.right:
            return web.json_response({"message": "who are you?"}, status=401)
        if request.path.endswith("/api/v2/alerts"):
            return web.json_response([])
        if request.path.endswith("/api/v2/status"):
            return web.json_response({"versionInfo": {}, "config": {"original": ""}})
        return await super().handle(request)


async def works(client: PrometheusClient | AlertmanagerClient) -> None:
    await client.ready()
    if isinstance(client, PrometheusClient):
        assert await client.query("x")
    else:
        assert await client.alerts() == []


async def test_a_token_is_read_again_when_its_file_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    async with logged_in(token={"file": str(file)}) as (store, clients):
        for client in clients:
            store.right = "Bearer old"
            await works(client)
            store.right = "Bearer new"
            with pytest.raises(UnauthorizedError):
                await client.ready()
            file.write_text("new\n")
            await works(client)
            file.write_text("old\n")
        assert store.agents == {USER_AGENT}


async def test_a_token_that_a_program_tells_is_asked_for_anew_when_it_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho >> '{tmp_path}/runs'\ncat '{tmp_path}/token'\n")
    program.chmod(0o700)
    (tmp_path / "token").write_text("old\n")
    async with logged_in(token={"exec": [str(program)]}) as (store, clients):
        for client in clients:
            (tmp_path / "token").write_text("old\n")
            (tmp_path / "runs").write_text("")
            store.right = "Bearer old"
            await works(client)
            await works(client)
            assert (tmp_path / "runs").read_text() == "\n"
            kind = '{"kind": "ExecCredential", "status": {"token": "new"}}'
            (tmp_path / "token").write_text(kind)
            store.right = "Bearer new"
            await works(client)
            assert (tmp_path / "runs").read_text() == "\n\n"
    program.write_text("#!/bin/sh\necho 'log in first' >&2\nexit 3\n")
    with pytest.raises(MissingSecretError, match="program ended with 3: log in first"):
        TokenRef(exec=(str(program),)).read()


async def test_a_user_and_a_password_below_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass\n")
    async with logged_in(username="ann", password={"file": str(tmp_path / "password")}) as (store, clients):
        store.right = "Basic YW5uOnBhc3M="
        for client in clients:
            await works(client)


async def test_a_client_certificate_is_presented(tmp_path: Path) -> None:
    async with recording(tmp_path) as server:
        certificate, key = server.authority.client("ann")
        both = tmp_path / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        ways: list[dict[str, Json]] = [
            {"cert_file": str(certificate), "key_file": str(key)},
            {"cert_file": str(both)},
        ]
        for way in ways:
            body = {"url": server.url, "ca_file": str(server.authority.ca), "timeout": 20, **way}
            endpoint = Endpoint.model_validate(body)
            for client in (
                PrometheusClient(endpoint, "production"),
                AlertmanagerClient(endpoint, "production"),
            ):
                server.asked.clear()
                await client.ready() if isinstance(client, PrometheusClient) else await client.status()
                assert {one.who for one in server.asked} == {(("cn", "ann"),)}
                await client.aclose()
        broken = Endpoint.model_validate({"url": server.url, "cert_file": str(server.authority.ca)})
        with pytest.raises(MisconfiguredError, match="cert_file"):
            AlertmanagerClient(broken, "production")
        with pytest.raises(MisconfiguredError, match="cert_file"):
            await PrometheusClient(broken, "production").query("x")


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://x", "key_file": "k"},
        {"url": "http://x", "cert_file": "c"},
        {"url": "http://x", "token": {}},
        {"url": "http://x", "token": {"env": "A", "exec": ["p"]}},
    ],
)
def test_what_cannot_be_meant_is_refused(body: dict[str, Json]) -> None:
    with pytest.raises(ValidationError):
        Endpoint.model_validate(body)
