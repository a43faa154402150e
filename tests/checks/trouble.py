"""A server that fails in one way at a time, on a loopback socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What the server does wrong."""

    HANG = "hang"
    """Sends half a body and then nothing."""
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    FAILED = "500"
    HTML = "html"
    BROKEN = "broken"
    """A body that is complete for HTTP and breaks off in the middle of its JSON."""
    CUT = "cut"
    """Closes the connection in the middle of a body."""
    HUGE = "huge"
    LOGIN = "login"
    """Redirects to a login page."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How a server talks: its content type, a good beginning of a body, and its errors by status."""

    content_type: str = "application/json"
    opening: str = '{"status": "success", "data": {"result": ["'
    error: str = '{"message": "no", "error": "no"}'
    error_codes: tuple[tuple[int, str], ...] = ()

    def error_body(self, status: int) -> str:
        """Return the body of an error."""
        return self.error.replace("CODE", dict(self.error_codes).get(status, "Error"))


JSON = Speech()
S3 = Speech(
    "application/xml",
    '<?xml version="1.0"?><LifecycleConfiguration><Rule><ID>',
    "<?xml version='1.0'?><Error><Code>CODE</Code><Message>no</Message><Resource>/b</Resource>"
    "<RequestId>1</RequestId><HostId>h</HostId></Error>",
    ((401, "Unauthorized"), (403, "AccessDenied"), (404, "NoSuchBucket"), (500, "InternalError")),
)


def answer(trouble: Trouble, speech: Speech) -> bytes:
    """Return the bytes that the server sends."""
    if trouble in {Trouble.UNAUTHORIZED, Trouble.FORBIDDEN, Trouble.NOT_FOUND, Trouble.FAILED}:
        return _reply(int(trouble), speech.content_type, speech.error_body(int(trouble)))
    if trouble is Trouble.HTML:
        return _reply(200, "text/html", "<!doctype html><html><body>Welcome</body></html>")
    if trouble is Trouble.BROKEN:
        return _reply(200, speech.content_type, speech.opening)
    if trouble is Trouble.HUGE:
        return _reply(200, speech.content_type, speech.opening + "x" * (10 * 1024 * 1024))
    if trouble is Trouble.LOGIN:
        return b"HTTP/1.1 302 Found\r\nLocation: https://sso.example.com/login\r\nContent-Length: 0\r\n\r\n"
    return _reply(200, speech.content_type, speech.opening, length=5000)


def _reply(status: int, content_type: str, body: str, length: int | None = None) -> bytes:
    raw = body.encode()
    head = (
        f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {length or len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


@asynccontextmanager
async def troubled(
    trouble: Trouble, speech: Speech = JSON, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve trouble and give the port."""
    ended = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(trouble, speech))
            await writer.drain()
            if trouble is Trouble.HANG:
                await ended.wait()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        ended.set()
        server.close()
        for writer in writers:
            writer.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
