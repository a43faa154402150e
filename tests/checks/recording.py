"""An API server on loopback that keeps what it is asked and by whom, and proxies that do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from aiohttp import web

from state.base.json import JsonObject
from tests.cluster.certificates import Authority

UID = "0a51bb05-5c88-4a0b-a0f6-2c5a3d5f3c61"
_WHO = ("authorization", "user-agent")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what, and as whom."""

    path: str
    who: tuple[tuple[str, str], ...]
    """Headers that say it, and the common name of a client certificate."""
    agent: str


@dataclass(slots=True)
class RecordingServer:
    """Says that nothing is there, to whoever asks with one of the tokens in ``valid`` (empty: to anybody)."""

    authority: Authority
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens, by a name that is in its certificate."""
        return f"https://localhost:{self.port}"

    def who(self, agent: str) -> list[tuple[tuple[str, str], ...]]:
        """Return as whom a program asked, each way once."""
        return sorted({one.who for one in self.asked if agent in one.agent})

    async def handle(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        who = [
            (name.lower(), value) for name, value in request.headers.items() if name.startswith("Impersonate")
        ]
        who += [("authorization", authorization)] if authorization else []
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert") or {}
        who += [
            ("cn", value)
            for part in certificate.get("subject", ())
            for key, value in part
            if key == "commonName"
        ]
        self.asked.append(Asked(request.path, tuple(sorted(who)), request.headers.get("User-Agent", "")))
        if self.valid and authorization.removeprefix("Bearer ") not in self.valid:
            return web.json_response({"kind": "Status", "code": 401, "message": "Unauthorized"}, status=401)
        return web.json_response(_answer(request.path))


def _answer(path: str) -> JsonObject:
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.3"}
    if path.endswith("/secrets"):
        return {"apiVersion": "v1", "kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": []}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
    if path == "/api/v1":
        return {"kind": "APIResourceList", "groupVersion": "v1", "resources": []}
    name = path.rsplit("/", maxsplit=1)[-1]
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": UID}}


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[RecordingServer]:
    """Serve over TLS, with client certificates for those who have one."""
    authority = Authority(folder / "certificates")
    server = RecordingServer(authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.ca))
    context.load_cert_chain(*map(str, authority.serving("server")))
    context.verify_mode = ssl.CERT_OPTIONAL
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    server.port = int(runner.addresses[0][1])
    try:
        yield server
    finally:
        await runner.cleanup()


@dataclass(slots=True)
class Proxy:
    """A proxy that keeps which hosts it was asked for, with which credentials; it takes every name for loopback."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def http_proxy() -> AsyncIterator[Proxy]:
    """Serve CONNECT."""
    proxy = Proxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        host, _, port = head.split()[1].rpartition(":")
        sent = next((one for one in head.splitlines() if one.lower().startswith("proxy-authorization")), "")
        proxy.asked.append(f"{head.split()[0]} {host} {sent.rpartition(' ')[2]}".strip())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _joined(reader, writer, int(port))

    async with _served(handle, proxy):
        yield proxy


@asynccontextmanager
async def socks_proxy(user: str, password: str) -> AsyncIterator[Proxy]:
    """Serve SOCKS5 to whoever knows a password; without a user to anybody."""
    proxy = Proxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 2 if user else 0
        if method not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes((5, method)))
        if user:
            name = await reader.readexactly((await reader.readexactly(2))[1])
            word = await reader.readexactly((await reader.readexactly(1))[0])
            good = (name.decode(), word.decode()) == (user, password)
            writer.write(bytes((1, 0 if good else 1)))
            if not good:
                return
        kind = (await reader.readexactly(4))[3]
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        target = await reader.readexactly(length)
        port = int.from_bytes(await reader.readexactly(2), "big")
        proxy.asked.append(f"{kind} {target.decode() if kind == 3 else target.hex()}")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await _joined(reader, writer, port)

    async with _served(handle, proxy):
        yield proxy


@asynccontextmanager
async def _served(handle: object, proxy: Proxy) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[None]] = set()

    async def careful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            await handle(reader, writer)  # type: ignore[operator]  # a coroutine function of this file
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(careful, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(65536):
                target.write(piece)
                await target.drain()
        target.close()

    async with AsyncExitStack() as stack:
        stack.callback(back.close)
        await asyncio.gather(copy(reader, back), copy(there, writer))


def config(
    server: RecordingServer,
    user: JsonObject,
    cluster: JsonObject | None = None,
    names: Sequence[str] = ("x",),
) -> JsonObject:
    """Return a kubeconfig that leads to a server, with an entry for each name."""
    place = {"server": server.url, "certificate-authority": str(server.authority.ca), **(cluster or {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": place} for name in names],
        "users": [{"name": name, "user": user} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }
