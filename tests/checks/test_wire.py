"""Every client, against every kind of trouble: an error of its own, in time, that says where and why."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest
from aiohttp import web

from checks.base import CouldNotLookError
from checks.clients import errors
from checks.clients.alertmanager import AlertmanagerClient
from checks.clients.answers import refuse_status
from checks.clients.helm_release import HelmClient
from checks.clients.http import WebClient
from checks.clients.kube import KubeClient
from checks.clients.objectstore import ObjectStoreClient
from checks.clients.prometheus import PrometheusClient
from checks.clients.redact import Redactor
from checks.clients.registry import RegistryClient
from checks.clients.sql import SqlClient
from checks.clients.telemetry import LogsClient, TracesClient
from checks.clients.tls import TlsClient
from checks.clients.user_agent import USER_AGENT
from checks.clients.wire import Wire
from state.base.images import ImageRef
from state.runbook.environment import Domain, Endpoint, Environment, Kube, ObjectStore
from state.runbook.units import SecretRef
from tests.checks.authority import TestAuthority
from tests.checks.environment import environment
from tests.checks.trouble import JSON, S3, Speech, Trouble, troubled

TIMEOUT = 1.5
SLACK_S = 10.0
"""Real seconds by which an answer may be late on a busy machine: what counts is that it comes."""


class Closable(Protocol):
    """A client."""

    async def aclose(self) -> None: ...


Ask = Callable[[str, Path, Path | None], tuple[Closable, Callable[[], Awaitable[object]]]]


def _endpoint(url: str, ca: Path | None) -> Endpoint:
    return Endpoint(url=url, timeout=TIMEOUT, ca_file=ca)


def _kubeconfig(url: str, folder: Path, ca: Path | None) -> Kube:
    authority = f", certificate-authority: {ca}" if ca else ""
    file = folder / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\n"
        f"clusters: [{{name: c, cluster: {{server: '{url}'{authority}}}}}]\n"
        "users: [{name: u, user: {token: not-a-real-token}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
    )
    return Kube(kubeconfig=file, context="x", namespace="ns")


def _kube(url: str, folder: Path, ca: Path | None) -> KubeClient:
    return KubeClient(_kubeconfig(url, folder, ca), "production", Redactor(), timeout=TIMEOUT)


def ask_kube(url: str, folder: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = _kube(url, folder, ca)
    return client, lambda: client.list_objects("/api/v1/nodes")


def ask_watch(url: str, folder: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = _kube(url, folder, ca)

    async def watched() -> list[object]:
        return [one async for one in client.watch("/api/v1/pods", {}, idle_timeout=TIMEOUT)]

    return client, watched


def ask_helm(url: str, folder: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = _kube(url, folder, ca)
    return client, HelmClient(client, "dotmac", "production", Redactor()).history


def ask_prometheus(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = PrometheusClient(_endpoint(url, ca), "production")
    return client, lambda: client.query("up")


def ask_alertmanager(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = AlertmanagerClient(_endpoint(url, ca), "production")
    return client, client.alerts


def ask_registry(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = RegistryClient(_endpoint(url, ca), "production", Redactor())
    return client, lambda: client.digest(ImageRef.parse("host.example/a/b:1"))


def ask_objectstore(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    ref = SecretRef(env="UNUSED")
    store = ObjectStore(url=url, bucket="bucket", access_key=ref, secret_key=ref, ca_file=ca)
    client = ObjectStoreClient(store, "production", access_key="a" * 8, secret_key="s" * 8, timeout=TIMEOUT)
    return client, client.lifecycle


def ask_traces(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = TracesClient(_endpoint(url, ca), "production")
    return client, client.services


def ask_logs(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = LogsClient(_endpoint(url, ca), "production")
    return client, lambda: client.lines('{app="x"}', start_us=0, end_us=1)


def ask_grafana(url: str, _: Path, ca: Path | None) -> tuple[Closable, Callable[[], Awaitable[object]]]:
    client = Wire.to(_endpoint(url, ca), errors.Where("Grafana", "production"))
    return client, lambda: client.get_json("/api/health", expected="Grafana's health")


CLIENTS: dict[str, tuple[Ask, Speech]] = {
    "kube": (ask_kube, JSON),
    "watch": (ask_watch, JSON),
    "helm": (ask_helm, JSON),
    "prometheus": (ask_prometheus, JSON),
    "alertmanager": (ask_alertmanager, JSON),
    "registry": (ask_registry, JSON),
    "objectstore": (ask_objectstore, S3),
    "traces": (ask_traces, JSON),
    "logs": (ask_logs, JSON),
    "grafana": (ask_grafana, JSON),
}
EXPECTED: dict[Trouble, type[CouldNotLookError]] = {
    Trouble.HANG: errors.TimedOutError,
    Trouble.UNAUTHORIZED: errors.UnauthorizedError,
    Trouble.FORBIDDEN: errors.ForbiddenError,
    Trouble.NOT_FOUND: errors.NotFoundError,
    Trouble.FAILED: errors.ServerFailedError,
    Trouble.HTML: errors.WrongContentError,
    Trouble.BROKEN: errors.WrongContentError,
    Trouble.CUT: errors.WrongContentError,
    Trouble.HUGE: errors.TooLargeError,
    Trouble.LOGIN: errors.WrongContentError,
}
NO_BODY = {Trouble.HANG, Trouble.CUT, Trouble.HUGE}
"""A HEAD has no body to break."""


async def error_of(ask: Ask, url: str, folder: Path, ca: Path | None = None) -> CouldNotLookError:
    """Return the error of one question, having checked that it came in time and is one line with a place."""
    client, question = ask(url, folder, ca)
    try:
        started = time.monotonic()
        with pytest.raises(CouldNotLookError) as caught:
            await question()
        assert time.monotonic() - started < TIMEOUT + SLACK_S
    finally:
        await client.aclose()
    message = str(caught.value)
    assert "production" in message
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("name", CLIENTS)
async def test_each_trouble_has_its_error(name: str, trouble: Trouble, tmp_path: Path) -> None:
    ask, speech = CLIENTS[name]
    if name == "registry" and trouble in NO_BODY:
        pytest.skip("a HEAD has no body")
    if name == "watch" and trouble is Trouble.HUGE:
        pytest.skip("a watch has no end; its lines are capped instead")
    async with troubled(trouble, speech) as port:
        error = await error_of(ask, f"http://127.0.0.1:{port}", tmp_path)
    assert isinstance(error, EXPECTED[trouble]), error


@pytest.mark.parametrize("name", CLIENTS)
async def test_nobody_listens(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = await error_of(CLIENTS[name][0], f"http://127.0.0.1:{port}", tmp_path)
    assert isinstance(error, errors.RefusedConnectionError), error


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_certificate_of_a_stranger(name: str, tmp_path: Path) -> None:
    ours, foreign = TestAuthority(tmp_path, "Ours"), TestAuthority(tmp_path, "Foreign")
    ask, speech = CLIENTS[name]
    async with troubled(Trouble.NOT_FOUND, speech, foreign.context("127.0.0.1")) as port:
        error = await error_of(ask, f"https://127.0.0.1:{port}", tmp_path, ours.ca_file)
    assert isinstance(error, errors.UntrustedError), error


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_certificate_of_ours(name: str, tmp_path: Path) -> None:
    ours = TestAuthority(tmp_path, "Ours")
    ask, speech = CLIENTS[name]
    async with troubled(Trouble.NOT_FOUND, speech, ours.context("127.0.0.1")) as port:
        error = await error_of(ask, f"https://127.0.0.1:{port}", tmp_path, ours.ca_file)
    assert isinstance(error, errors.NotFoundError), error


@pytest.mark.parametrize("name", CLIENTS)
async def test_each_says_who_asks(name: str, tmp_path: Path) -> None:
    agents: set[str] = set()

    async def note(request: web.Request) -> web.Response:
        agents.add(request.headers.get("User-Agent", ""))
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", note)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await error_of(CLIENTS[name][0], f"http://127.0.0.1:{runner.addresses[0][1]}", tmp_path)
    finally:
        await runner.cleanup()
    assert agents == {USER_AGENT}


def _platform(port: int, ca: Path | None) -> Environment:
    return environment(api=Domain(host="api.test", pin=f"127.0.0.1:{port}"), ca_file=ca)


@pytest.mark.parametrize("trouble", [Trouble.HANG, Trouble.CUT, Trouble.HUGE])
async def test_the_platform_in_trouble(trouble: Trouble, tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path)
    async with troubled(trouble, JSON, authority.context("api.test")) as port:
        client = WebClient(_platform(port, authority.ca_file), Redactor(), timeout=TIMEOUT)
        with pytest.raises(EXPECTED[trouble]):
            await client.get("api", "/health")
        await client.aclose()


async def test_the_platform_is_asked_by_its_name(tmp_path: Path) -> None:
    """The certificate is for the name, not for the address that it is pinned to."""
    authority = TestAuthority(tmp_path)
    async with troubled(Trouble.FORBIDDEN, JSON, authority.context("api.test")) as port:
        client = WebClient(_platform(port, authority.ca_file), Redactor(), timeout=TIMEOUT)
        assert (await client.get("api", "/health")).status == 403
        await client.aclose()
    async with troubled(Trouble.FORBIDDEN, JSON, authority.context("other.test")) as port:
        client = WebClient(_platform(port, authority.ca_file), Redactor(), timeout=TIMEOUT)
        with pytest.raises(errors.UntrustedError):
            await client.get("api", "/health")
        await client.aclose()


async def test_a_handshake_tells_even_a_strangers_certificate(tmp_path: Path) -> None:
    ours, foreign = TestAuthority(tmp_path, "Ours"), TestAuthority(tmp_path, "Foreign")
    for authority, trusted in ((ours, True), (foreign, False)):
        async with troubled(Trouble.FORBIDDEN, JSON, authority.context("api.test", days=5)) as port:
            env = _platform(port, ours.ca_file)
            facts = await TlsClient(env, timeout=TIMEOUT).handshake(env.domains.named()["api"])
        assert facts.trusted is trusted
        assert facts.names == ("api.test",)
        assert bool(facts.why_not) is not trusted


async def test_a_handshake_with_something_else(tmp_path: Path) -> None:
    async with troubled(Trouble.FORBIDDEN) as port:
        env = _platform(port, None)
        with pytest.raises(CouldNotLookError):
            await TlsClient(env, timeout=TIMEOUT).handshake(env.domains.named()["api"])


async def test_a_database_in_trouble(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        client = SqlClient(
            f"postgresql+psycopg://reader:hunter22hunter22@127.0.0.1:{port}/x",
            "production",
            statement_timeout=TIMEOUT,
            connect_timeout=2.0,
        )
        with pytest.raises(errors.TimedOutError):
            await client.rows("SELECT 1")
        assert time.monotonic() - started < TIMEOUT + SLACK_S
        await client.aclose()
    client = SqlClient(
        f"postgresql+psycopg://reader:hunter22hunter22@127.0.0.1:{port}/x",
        "production",
        statement_timeout=TIMEOUT,
    )
    with pytest.raises(errors.RefusedConnectionError) as caught:
        await client.rows("SELECT 1")
    assert "hunter22" not in str(caught.value)
    await client.aclose()


async def test_the_others_go_on_while_one_hangs(tmp_path: Path) -> None:
    async with troubled(Trouble.HANG) as silent, troubled(Trouble.FORBIDDEN) as quick:
        hanging = asyncio.create_task(error_of(ask_prometheus, f"http://127.0.0.1:{silent}", tmp_path))
        await error_of(ask_alertmanager, f"http://127.0.0.1:{quick}", tmp_path)
        assert not hanging.done()
        assert isinstance(await hanging, errors.TimedOutError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RejectedError),
        (401, errors.UnauthorizedError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (410, errors.GoneError),
        (422, errors.RejectedError),
        (500, errors.ServerFailedError),
    ],
)
def test_a_refusal_has_a_class_of_its_own(status: int, kind: type[CouldNotLookError]) -> None:
    body = b'{"message": "409 things are wrong"}'
    with pytest.raises(CouldNotLookError) as told:
        refuse_status(
            errors.Where("x", "y"), status, {"content-type": "application/json"}, body, expected="z"
        )
    assert type(told.value) is kind
