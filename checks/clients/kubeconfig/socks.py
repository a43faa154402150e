"""Connections through a SOCKS5 proxy, as client-go makes them: the proxy looks names up (RFC 1928, RFC 1929)."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

_REPLIES: Final = {
    1: "it failed", 2: "its rules forbid it", 3: "the network is out of reach", 4: "the host is out of reach",
    5: "the connection was refused", 6: "it took too long", 7: "it knows no such command", 8: "no such address",
}  # fmt: skip


class _NoNames(AbstractResolver):
    """Leaves names to the proxy: behind one, this machine often knows none of them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        one = ResolveResult(hostname=host, host="0.0.0.0", port=port, family=family, proto=0, flags=0)
        return [one]

    async def close(self) -> None:
        return None


class SocksConnector(aiohttp.TCPConnector):
    """Connects through a proxy such as ``socks5://user:password@host:1080``."""

    def __init__(self, proxy: str, ssl: Any) -> None:
        super().__init__(ssl=ssl, resolver=_NoNames())
        self._socks_proxy = urlsplit(proxy)

    async def _wrap_create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Make one connection; aiohttp has no public place for it, and a test on the wire says when it moved."""
        request, client_error = kwargs["req"], kwargs.get("client_error", aiohttp.ClientConnectorError)
        known = {key: kwargs[key] for key in ("ssl", "server_hostname") if key in kwargs}
        try:
            made = await self._through(str(request.url.host), int(request.url.port or 443))
            try:
                return await asyncio.get_running_loop().create_connection(*args, **known, sock=made)
            except BaseException:
                made.close()
                raise
        except OSError as error:
            raise client_error(request.connection_key, error) from error

    async def _through(self, host: str, port: int) -> socket.socket:
        loop = asyncio.get_running_loop()
        proxy = self._socks_proxy
        infos = await loop.getaddrinfo(proxy.hostname or "", proxy.port or 1080, type=socket.SOCK_STREAM)
        family, kind, proto, _, address = infos[0]
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, address)
            await _greet(made, unquote(proxy.username or ""), unquote(proxy.password or ""))
            await _ask(made, host, port)
        except BaseException:
            made.close()
            raise
        return made


async def _greet(made: socket.socket, user: str, password: str) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(made, b"\x05\x02\x00\x02" if user else b"\x05\x01\x00")
    version, method = await _read(made, 2)
    if version != 5 or method not in ({0, 2} if user else {0}):
        raise OSError("the SOCKS proxy wants other credentials, or is none")
    if method == 2:
        name, word = user.encode(), password.encode()
        await loop.sock_sendall(made, bytes((1, len(name))) + name + bytes((len(word),)) + word)
        if (await _read(made, 2))[1]:
            raise OSError("the SOCKS proxy refused the credentials of proxy-url")


async def _ask(made: socket.socket, host: str, port: int) -> None:
    try:
        address = ip_address(host)
        target = (b"\x01" if address.version == 4 else b"\x04") + address.packed
    except ValueError:
        name = host.encode("idna")
        target = b"\x03" + bytes((len(name),)) + name
    await asyncio.get_running_loop().sock_sendall(made, b"\x05\x01\x00" + target + port.to_bytes(2, "big"))
    _, reply, _, kind = await _read(made, 4)
    if reply:
        raise OSError(
            f"the SOCKS proxy did not connect to {host}:{port}: {_REPLIES.get(reply, 'it says why not')}"
        )
    length = {1: 4, 4: 16}.get(kind) or (await _read(made, 1))[0]
    await _read(made, length + 2)


async def _read(made: socket.socket, count: int) -> bytes:
    loop, answer = asyncio.get_running_loop(), b""
    while len(answer) < count:
        piece = await loop.sock_recv(made, count - len(answer))
        if not piece:
            raise OSError("the SOCKS proxy hung up")
        answer += piece
    return answer
