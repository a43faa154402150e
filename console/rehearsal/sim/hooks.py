"""Faults at the door: callables that may answer a request before the server does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

Before: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded(hooks: list[Before]) -> web.Application:
    """Return an application that asks every hook, in order, before its own routes.

    The first answer that is not None is sent. The list stays the caller's: what is added later counts.
    """

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        for hook in tuple(hooks):
            answer = await hook(request)
            if answer is not None:
                return answer
        return await handler(request)

    return web.Application(middlewares=[ask], client_max_size=8 * 1024 * 1024)
