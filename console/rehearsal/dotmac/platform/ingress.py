"""The ingress controller before one environment: TLS, hosts, browser headers, redirect from http."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from secrets import token_urlsafe
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from aiohttp import web

from console.rehearsal.dotmac.platform.core import Answer, text_answer
from console.rehearsal.dotmac.platform.edge import Surface, respond, write_answer
from console.rehearsal.dotmac.platform.service import Platform
from console.rehearsal.dotmac.platform.settings import Csp, Metrics, WebSettings
from console.rehearsal.sim.certificate_authority import Authority, CertificateFault
from console.rehearsal.sim.nginx import NO_BACKEND

API_CSP = "default-src 'none'; frame-ancestors 'none'"


def admin_csp(api_host: str) -> str:
    """Return a policy for the Admin UI without an unsafe source."""
    return (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" connect-src 'self' https://{api_host} wss://{api_host}; object-src 'none'; base-uri 'self';"
        f" form-action 'self'; frame-ancestors 'none'"
    )


def weak_csp() -> str:
    """Return the one policy in the platform's repository: it allows what a policy is there to forbid."""
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
        " style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: https:; connect-src 'self' https: wss:; frame-ancestors 'none'"
    )


def browser_headers(web_settings: WebSettings, csp: Csp, strong: str) -> list[tuple[str, str]]:
    """Return what the controller adds to every answer of a host."""
    found = []
    if csp is not Csp.NONE:
        name = "Content-Security-Policy" + ("-Report-Only" if web_settings.csp_report_only else "")
        found.append((name, strong if csp is Csp.STRONG else weak_csp()))
    if web_settings.hsts:
        found.append(("Strict-Transport-Security", web_settings.hsts))
    if web_settings.nosniff:
        found.append(("X-Content-Type-Options", "nosniff"))
    if web_settings.frame_options:
        found.append(("X-Frame-Options", web_settings.frame_options))
    return found


class Ingress:
    """One environment's front: ``https_application`` with ``ssl_context``, and ``http_application``."""

    def __init__(
        self, platform: Platform, authority: Authority, fronted: Callable[[], bool] = lambda: True
    ) -> None:
        """``fronted`` says whether the cluster has an ingress for the hosts; without one nobody knows them."""
        self._platform, self._authority, self._fronted = platform, authority, fronted
        core = platform.core
        self.hosts = (core.api_host, core.admin_host)
        self._names: WeakKeyDictionary[object, str] = WeakKeyDictionary()
        self._surfaces = dict(zip(self.hosts, (platform.api_surface, platform.admin_surface), strict=True))

    def ssl_context(self) -> ssl.SSLContext:
        """Return the TLS context; it follows ``settings.web.certificate`` at each handshake."""
        return self._authority.switching_context(self.hosts, self._certificate, self._names)

    def _certificate(self) -> CertificateFault:
        return self._platform.settings.web.certificate if self._fronted() else CertificateFault.SELF_SIGNED

    def https_application(self) -> web.Application:
        """Return the server behind TLS."""
        return _application(self._forward)

    def http_application(self) -> web.Application:
        """Return the server of plain HTTP, which only redirects."""
        return _application(self._redirect)

    def _surface(self, request: web.Request) -> tuple[str, Surface] | None:
        """The host decides; a name that nobody has goes where the TLS handshake wanted to go."""
        if not self._fronted():
            return None
        tls = request.get_extra_info("ssl_object")
        for name in (_host_name(request.host), self._names.get(tls, "") if tls else ""):
            if name in self._surfaces:
                return name, self._surfaces[name]
        return None

    async def _forward(self, request: web.Request) -> web.Response:
        found = self._surface(request)
        if found is None:
            return write_answer(text_answer(NO_BACKEND, 404))
        host, surface = found
        settings = self._platform.settings
        blocked = settings.health.metrics is Metrics.INTERNAL and host == self.hosts[0]
        if blocked and request.path.rstrip("/") == "/metrics":
            answer = text_answer(
                "<html><body><center><h1>403 Forbidden</h1></center></body></html>", 403, "text/html"
            )
        else:
            answer = await respond(surface, request, through_ingress=True)
        self._add_headers(answer, host)
        return write_answer(answer, with_body=request.method != "HEAD")

    def _add_headers(self, answer: Answer, host: str) -> None:
        settings = self._platform.settings.web
        if host == self.hosts[0]:
            added = browser_headers(settings, settings.csp_api, API_CSP)
        else:
            policy = settings.csp_admin_text
            told = policy.replace("{nonce}", token_urlsafe(16)) if policy else admin_csp(self.hosts[0])
            added = browser_headers(settings, settings.csp_admin, told)
            added += [("Content-Security-Policy", more) for more in settings.csp_admin_more]
        names = {name.lower() for name, _ in added}
        answer.headers = [header for header in answer.headers if header[0].lower() not in names] + added

    async def _redirect(self, request: web.Request) -> web.Response:
        status = self._platform.settings.web.redirect_status
        if self._surface(request) is None:
            return write_answer(text_answer(NO_BACKEND, 404))
        if status is None:
            return await self._forward(request)
        host = self._platform.settings.web.redirect_host or _host_name(request.host)
        target = f"https://{host}{request.rel_url}"
        return write_answer(Answer(status, b"", [("Location", target)], "text/html"))


def _application(handler: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    server = web.Application(client_max_size=1 << 20)
    server.router.add_route("*", "/{path:.*}", handler)
    return server


def _host_name(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "").lower()
