"""A console in a browser, on loopback: textual-serve's page and socket behind an address that can't be guessed.

The library alone answers everybody: each account of this machine, and each page that a browser has open, could look
at the launch or, where it may drive, act as whoever serves. So the address holds a key, a request must name this host
(a name that is made to point here is refused), and a socket must come from this very page.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

HOST = "127.0.0.1"


class LoopbackServer(Server):
    """Serves the program of one command; each page that is opened runs one of its own."""

    def __init__(self, command: str, title: str, port: int, key: str) -> None:
        super().__init__(command, host=HOST, port=port, title=title, public_url=f"http://{HOST}:{port}")
        self._key = key

    @property
    def address(self) -> str:
        """The address to open."""
        return f"{self.public_url}/{self._key}/"

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: whoever starts it tells the address."""

    async def whole(self) -> web.Application:
        """Return the application, below its key and behind its guard."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            origin = request.headers.get("Origin", self.public_url)
            if request.host != f"{HOST}:{self.port}" or origin != self.public_url:
                raise web.HTTPForbidden(text=f"open {self.public_url} on this machine, with its key")
            return await handler(request)

        outer = web.Application(middlewares=[guard])
        outer.on_response_prepare.append(self._harden)
        outer.add_subapp(f"/{self._key}", await self._make_app())
        return outer

    async def _harden(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Let the page load nothing from elsewhere (its template names a font's server), nor be framed or kept."""
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws://{HOST}:{self.port}; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"

    def answer(self) -> None:
        """Answer until a signal ends it. Raises OSError where the port is taken."""
        web.run_app(self.whole(), host=HOST, port=self.port, print=None, access_log=None)
