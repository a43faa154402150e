"""Where sockets end: an aiohttp request becomes a ``Call``, an ``Answer`` becomes a response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from console.rehearsal.dotmac.platform.core import Answer, Call, Core, text_answer
from console.rehearsal.dotmac.platform.settings import Outage
from console.rehearsal.sim.nginx import UNAVAILABLE_PAGE

FOREIGN_PAGE = (
    "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Surface:
    """One server of the platform: what answers, and how it fails as a whole."""

    core: Core
    answer: Callable[[Call], Answer]
    outage: Callable[[], Outage]
    latency_ms: Callable[[], float] = lambda: 0.0


async def read_call(core: Core, request: web.Request, *, through_ingress: bool) -> Call:
    """Return a request, with its body read; ids that the client chose are kept."""
    correlation = request.headers.get("X-Correlation-ID") or core.new_id("correlation")
    return Call(
        core=core,
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        cookies=request.cookies,
        body=await request.read(),
        source=request.remote or "",
        correlation_id=correlation,
        request_id=request.headers.get("X-Request-ID") or core.new_id("request"),
        through_ingress=through_ingress,
    )


def write_answer(answer: Answer, *, with_body: bool = True) -> web.Response:
    """Return an answer as aiohttp sends it."""
    payload = answer.payload() if answer.body is not None else b""
    response = web.Response(status=answer.status, body=payload if with_body else b"")
    response.headers["Content-Type"] = answer.content_type
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


async def fail(request: web.Request, outage: Outage) -> Answer | None:
    """Return what a server in ``outage`` answers, or None where it works (or only breaks its bodies off)."""
    match outage:
        case Outage.UNAVAILABLE:
            return text_answer(UNAVAILABLE_PAGE, 503, "text/html")
        case Outage.HTML:
            return text_answer(FOREIGN_PAGE, 200, "text/html")
        case Outage.LOGIN:
            return Answer(302, b"", [("Location", "/login?next=" + request.path)], "text/html")
        case Outage.DROP:
            if request.transport is not None:
                request.transport.abort()
            return Answer(503, b"")
        case Outage.HANG:
            await asyncio.Event().wait()
            return None
        case _:
            return None


async def respond(surface: Surface, request: web.Request, *, through_ingress: bool = False) -> Answer:
    """Return the surface's answer to one request, after its latency."""
    failure = await fail(request, surface.outage())
    if failure is not None:
        return failure
    if latency_ms := surface.latency_ms():
        await asyncio.sleep(latency_ms / 1000)
    call = await read_call(surface.core, request, through_ingress=through_ingress)
    answer = surface.answer(call)
    if surface.outage() is Outage.TRUNCATED:
        payload = answer.payload()
        return Answer(answer.status, payload[: len(payload) // 2], answer.headers, answer.content_type)
    return answer


def application(surface: Surface) -> web.Application:
    """Return ``surface`` as a server of its own, without the ingress before it."""

    async def handle(request: web.Request) -> web.Response:
        return write_answer(await respond(surface, request), with_body=request.method != "HEAD")

    server = web.Application(client_max_size=1 << 20)
    server.router.add_route("*", "/{path:.*}", handle)
    return server
