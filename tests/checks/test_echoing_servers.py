"""Servers that put what they were sent into their errors: nothing secret of it is left in what is told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from aiohttp import web

from checks.base import CouldNotLookError
from checks.clients.clients import Clients
from checks.clients.redact import MARK, Redactor
from state.base.images import ImageRef
from state.base.json import Json, JsonObject, obj
from state.runbook.load import load_runbook
from state.view.enums import Tier
from tests.paths import ROOT

PASSWORD = "it's/a canary+p@ss&word=77"
CANARIES: Mapping[str, str] = {
    "TOKEN": "canary-bearer-8fQ2xK9dLw",
    "PASSWORD": PASSWORD,
    "ACCESS": "CANARYACCESSKEY0815X",
    "SECRET": "canary/secret+key/of/the/store==",
    "HEADER": "canary-of-a-tenant-Vn82",
}
OF_THE_REALM = "canary-from-the-token-service-31"
OF_THE_DATABASE = "its own/canary@of:the database"
EVERY = (*CANARIES.values(), OF_THE_REALM, OF_THE_DATABASE)
STATUSES = (400, 403, 404, 500, 503)
PADS = ("", *("x" * size for size in range(40, 400, 23)))
"""What stands before an echo, so that an error is cut at any place of it."""
_S3 = "<?xml version='1.0'?><Error><Code>InternalError</Code><Message>{}</Message><Resource>/b</Resource></Error>"


def left(told: str, values: Sequence[str] = EVERY) -> list[str]:
    """Return which canary a text holds: eight characters of it in any spelling."""
    found = []
    for value in values:
        spelled = {value, quote(value, safe=""), json.dumps(value)[1:-1]}
        spelled |= {base64.b64encode(b"=" * at + value.encode()).decode()[4:-4] for at in range(3)}
        if any(one[at : at + 8] in told for one in spelled for at in range(len(one) - 7)):
            found.append(value)
    return found


def test_what_is_looked_for_is_found() -> None:
    for value in EVERY:
        coded = base64.b64encode(f"ann:{value}".encode()).decode()
        for told in (f"x {value} y", f"x {value[:9]}…", quote(value, safe=""), json.dumps(value), coded):
            assert value in left(told)


class Echo:
    """A server that answers every request with an error that holds all of it."""

    def __init__(self) -> None:
        self.status, self.pad = 500, ""
        self.url = ""
        self.heard: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        sent = " ".join(f"{name}: {value}" for name, value in request.headers.items() if name != "Accept")
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        with contextlib.suppress(ValueError):
            sent = f"{base64.b64decode(basic, validate=True).decode()} {sent}"
        said = f"{self.pad} {sent} {request.raw_path} {body}"
        self.heard.append(said)
        if request.path == "/realm":
            return web.json_response({"token": OF_THE_REALM})
        if request.path.startswith("/v2/") and OF_THE_REALM not in said:
            realm = f'Bearer realm="{self.url}/realm",service="r"'
            return web.json_response({"message": said}, status=401, headers={"WWW-Authenticate": realm})
        if "AWS4" in sent:
            text = _S3.format(said.replace("&", "&amp;").replace("<", "&lt;"))
            return web.Response(text=text, status=self.status, content_type="application/xml")
        return web.json_response({"message": said, "status": "error", "error": said}, status=self.status)


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    echo = Echo()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", echo.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    echo.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield echo
    finally:
        await runner.cleanup()


@asynccontextmanager
async def database() -> AsyncIterator[tuple[int, list[str]]]:
    """Serve PostgreSQL's protocol up to the password, which the error then holds; yield port and passwords."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                if (await reader.readexactly(size - 4))[:4] != struct.pack(">I", 80877103):
                    break
                writer.write(b"N")  # no TLS here
            writer.write(b"R" + struct.pack(">II", 8, 3))
            _, size = struct.unpack(">cI", await reader.readexactly(5))
            password = (await reader.readexactly(size - 4)).rstrip(b"\0")
            heard.append(password.decode())
            fields = b"SFATAL\0CXX000\0M" + b"no entry for " + password + b" of app\0\0"
            writer.write(b"E" + struct.pack(">I", len(fields) + 4) + fields)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def clients(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, database_url: str = "") -> Clients:
    """Return the clients of a runbook all of whose services are at one address."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(f"ECHO_{name}", value)
    monkeypatch.setenv("ECHO_DATABASE", database_url or "postgresql://127.0.0.1:9/x")
    data = yaml.safe_load((ROOT / "runbook.yaml").read_text())
    login: JsonObject = {"url": url, "username": "ann", "password": {"env": "ECHO_PASSWORD"}}
    bearer: JsonObject = {
        "url": url,
        "token": {"env": "ECHO_TOKEN"},
        "headers": {"X-Scope-OrgID": {"env": "ECHO_HEADER"}},
    }
    for env in data["environments"].values():
        env |= {
            "prometheus": bearer,
            "alertmanager": login,
            "registry": login,
            "traces": bearer,
            "logs": login,
        }
        store: dict[str, Json] = dict(obj(env["objectstore"]))
        keys: JsonObject = {"access_key": {"env": "ECHO_ACCESS"}, "secret_key": {"env": "ECHO_SECRET"}}
        env["objectstore"] = {**store, "url": url, **keys}
        env["database"] = {"url": {"env": "ECHO_DATABASE"}}
    book = folder / "book.yaml"
    book.write_text(yaml.safe_dump(data, sort_keys=False))
    return Clients(load_runbook(book).runbook)


def questions(made: Clients) -> dict[str, Callable[[], Awaitable[object]]]:
    tier = Tier.PRODUCTION
    image = ImageRef.parse("host.example/a/b:1")
    return {
        "prometheus": lambda: made.prometheus(tier).query("up"),
        "alertmanager": made.alertmanager(tier).alerts,
        "registry": lambda: made.registry(tier).digest(image),
        "traces": made.traces(tier).services,
        "logs": lambda: made.logs(tier).lines('{app="x"}', start_us=0, end_us=1),
        "objectstore": made.objectstore(tier).lifecycle,
    }


async def test_no_echo_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = 0
    async with echoing() as echo:
        made = clients(tmp_path, echo.url, monkeypatch)
        for name, ask in questions(made).items():
            for status in STATUSES:
                for echo.pad in PADS if status == 500 else PADS[:1]:
                    echo.status = status
                    with pytest.raises(CouldNotLookError) as caught:
                        await ask()
                    told = made.redactor.clean(str(caught.value))
                    quoted += MARK in told
                    assert left(told) == [], f"{name}, {status}, {len(echo.pad)}: {told}"
        await made.aclose()
    heard = "\n".join(echo.heard)
    assert {CANARIES["TOKEN"], PASSWORD, CANARIES["ACCESS"], CANARIES["HEADER"], OF_THE_REALM} <= set(
        left(heard)
    )
    assert quoted > len(PADS), "errors do quote the servers"


async def test_a_database_that_tells_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with database() as (port, heard):
        url = f"postgresql+psycopg://app:{quote(OF_THE_DATABASE, safe='')}@127.0.0.1:{port}/x"
        made = clients(tmp_path, "http://127.0.0.1:9", monkeypatch, url)
        with pytest.raises(CouldNotLookError) as caught:
            await made.sql(Tier.PRODUCTION).scalar("SELECT 1")
        await made.aclose()
    assert heard
    assert set(heard) == {OF_THE_DATABASE}
    assert MARK in made.redactor.clean(str(caught.value))
    assert left(made.redactor.clean(str(caught.value))) == []


@pytest.mark.parametrize(
    ("key", "value", "inner"),
    [
        ("url", "postgresql://app:p%40ss%2Fcanary@h/db", "p@ss/canary"),
        ("url", "redis://:canary%20of%20redis@h:6379/0", "canary of redis"),
        ("url", "postgresql://h/db?user=a&password=canary%2Bquery", "canary+query"),
        ("url", "https://h/x?api_key=canary+with+blanks", "canary with blanks"),
        ("url", "https://canary-token-of-some-length@h/x", "canary-token-of-some-length"),
        ("url", "host=h user=app password='canary of words'", "canary of words"),
        ("url", "Server=h;User Id=app;Password=canary-of-ado;", "canary-of-ado"),
        ("webhooks", "https://h/services/T00/B00/canaryXXXX1234", "/services/T00/B00/canaryXXXX1234"),
        ("webhooks", "https://h/hooks/very/long/one?k=canary99", "k=canary99"),
    ],
)
def test_what_opens_something_in_a_url_is_known_by_itself(key: str, value: str, inner: str) -> None:
    knows = Redactor()
    knows.register_pair(key, value)
    for told in (inner, value):
        assert inner not in knows.clean(f"refused {told} again")
        assert "canary" not in knows.clean(f"refused {told} again")
    assert knows.clean("app at h, /db") == "app at h, /db"


def test_the_path_of_what_is_no_webhook_is_everyday_text() -> None:
    knows = Redactor()
    knows.register_pair("url", "https://h/api/v1/customers/callbacks/of/payments")
    assert (
        knows.clean("GET /api/v1/customers/callbacks/of/payments")
        == "GET /api/v1/customers/callbacks/of/payments"
    )


@pytest.mark.parametrize("size", range(len("canary-at-a-cut")))
def test_the_beginning_of_a_value_at_a_cut_goes(size: int) -> None:
    knows = Redactor()
    knows.register("canary-at-a-cut")
    part = "canary-at-a-cut"[:size]
    assert knows.clean(f"it said {part}… and {part}") == f"it said {MARK if size > 3 else part}… and {part}"
