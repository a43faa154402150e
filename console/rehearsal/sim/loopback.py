"""A server on a loopback port."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from aiohttp import web

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listener:
    """A running server; ``url`` has no slash at its end."""

    runner: web.AppRunner
    host: str
    port: int
    url: str

    async def close(self) -> None:
        """Stop listening and drop open connections."""
        await self.runner.cleanup()


async def listen(
    application: web.Application, port: int = 0, *, ssl_context: ssl.SSLContext | None = None
) -> Listener:
    """Serve ``application`` on 127.0.0.1, on a free port where ``port`` is 0.

    Raises OSError where the port is taken.
    """
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, port, ssl_context=ssl_context)
    await site.start()
    found = int(runner.addresses[0][1])
    scheme = "https" if ssl_context else "http"
    return Listener(runner, LOOPBACK, found, f"{scheme}://{LOOPBACK}:{found}")
