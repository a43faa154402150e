"""What the service answers: pages, products, health and metrics, behind its ingress."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from aiohttp import web

from console.rehearsal.sim.nginx import NO_BACKEND, UNAVAILABLE_PAGE
from console.rehearsal.web_service.names import Site
from state.base.json import Json

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; object-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PAGE = (
    '<!doctype html><html><head><title>{title}</title><script src="/static/shop.js"></script></head></html>'
)
_PAGES = {"/": "Shop", "/cart": "Cart"}
_PRODUCTS: list[Json] = [{"id": 1, "name": "teapot"}, {"id": 2, "name": "kettle"}, {"id": 3, "name": "cup"}]


@dataclass(slots=True)
class State:
    """What an environment of the service is like now."""

    open: bool = True
    """Whether a pod is ready: otherwise the ingress answers alone."""
    error_share: float = 0.0
    requests: int = 0
    failed: int = 0


class Front:
    """The ingress and the program behind it, for one environment."""

    def __init__(self, site: Site, state: State, seed: int, log: Callable[[str], None]) -> None:
        self._site, self._state, self._log = site, state, log
        self._dice = Random(f"{seed} {site.namespace} requests")

    def https_application(self) -> web.Application:
        """Return what answers behind TLS."""
        return _application(self._answer)

    def http_application(self) -> web.Application:
        """Return what answers plain HTTP: it leads to https."""
        return _application(self._redirect)

    def _answer(self, request: web.Request) -> web.Response:
        if request.host.partition(":")[0] != self._site.host:
            return web.Response(status=404, text=NO_BACKEND)
        if not self._state.open:
            return web.Response(status=503, text=UNAVAILABLE_PAGE, content_type="text/html", headers=_HEADERS)
        reply = self._program(request.path)
        self._log(f"{request.method} {request.path} {reply.status}")
        reply.headers.update(_HEADERS)
        return reply

    def _program(self, path: str) -> web.Response:
        state = self._state
        if path == self._site.health_path:
            return _json({"status": "ok", "environment": self._site.tier.value})
        if path == "/metrics":
            return web.Response(status=403, text="not from outside")
        state.requests += 1
        if self._dice.random() < state.error_share:
            state.failed += 1
            return _json({"error": "internal"}, 500)
        if path in _PAGES:
            return web.Response(text=_PAGE.format(title=_PAGES[path]), content_type="text/html")
        if path == "/static/shop.js":
            return web.Response(text="fetch('/products');", content_type="text/javascript")
        if path == "/products":
            return _json({"products": _PRODUCTS})
        return _json({"error": "not found"}, 404)

    def _redirect(self, request: web.Request) -> web.Response:
        target = f"https://{self._site.host}{request.rel_url}"
        return web.Response(status=308, headers={"Location": target})


def _json(body: Json, status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


def _application(answer: Callable[[web.Request], web.Response]) -> web.Application:
    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    server = web.Application()
    server.router.add_route("*", "/{path:.*}", handle)
    return server
