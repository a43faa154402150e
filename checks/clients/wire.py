"""One HTTP service asked once: a deadline for the whole answer, a cap on its size, no redirects.

No cookie jar, no retries.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.clients.answers import BODY_LIMIT, read_json, read_object, refuse_status, too_large
from checks.clients.endpoint_login import EndpointLogin, Secret, present
from checks.clients.errors import MisconfiguredError, Where, from_transport
from checks.clients.kubeconfig.connection import is_loopback
from checks.clients.user_agent import USER_AGENT
from state.base.json import Json, JsonObject
from state.base.text import line

if TYPE_CHECKING:
    import httpx

    from state.runbook.environment import Endpoint

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer, whatever its status. Header names are as they came.

    There may be several of a name.
    """

    where: Where
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed_ms: int

    def header(self, name: str) -> str | None:
        """Return the first header of a name, or None."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        """Return every header of a name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self, expected: str = "JSON") -> Json:
        """Return the body's JSON. Raises WrongContentError where it is none."""
        return read_json(self.where, self._lower(), self.body, expected=expected)

    def object(self, expected: str = "a JSON object") -> JsonObject:
        """Return the body's JSON object. Raises WrongContentError where it is none."""
        return read_object(self.where, self._lower(), self.body, expected=expected)

    def need_success(self, *, expected: str, permission: str = "") -> Reply:
        """Return the reply itself, or raise the error of its status."""
        refuse_status(
            self.where, self.status, self._lower(), self.body, expected=expected, permission=permission
        )
        return self

    def _lower(self) -> dict[str, str]:
        return {key.lower(): value for key, value in reversed(self.headers)}


def trust(where: Where, ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those in ``ca_file``.

    Raises MisconfiguredError where the file can't be read.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise MisconfiguredError(
                f"{where}: ca_file {ca_file} cannot be used ({line(str(error), 100)}); "
                "expected PEM certificates"
            ) from None
    return context


def own_headers(endpoint: Endpoint, where: Where) -> dict[str, str]:
    """Return the headers that the runbook adds to every request.

    Raises MisconfiguredError for a secret that isn't there, or holds what no header can.
    """
    from state.runbook.units import MissingSecretError

    found = {}
    for name, value in endpoint.headers.items():
        try:
            found[name] = value if isinstance(value, str) else value.read().strip()
        except MissingSecretError as error:
            raise MisconfiguredError(f"{where}: header {name}: {error}") from None
        if not found[name].isprintable() or not found[name].isascii():
            raise MisconfiguredError(f"{where}: header {name}: its secret holds what no header can")
    return found


class Wire:
    """Requests to one base URL. Shared by the clients of services that speak HTTP."""

    def __init__(
        self,
        base: str,
        where: Where,
        *,
        timeout: float,
        context: ssl.SSLContext | None = None,
        headers: Headers | None = None,
        sni: str | None = None,
        login: EndpointLogin | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.where = where
        self._timeout = timeout
        self._context = context
        # No compression: a small body could inflate past the cap within a single chunk.
        self._headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **(headers or {})}
        self._sni = sni
        self._login = login
        self._client: httpx.AsyncClient | None = None
        self._source: str | None = None
        """The address of this machine that connections come from; None: as the system chooses."""

    @classmethod
    def to(cls, endpoint: Endpoint, where: Where, *, token: Secret = "", password: Secret = "") -> Wire:
        """Return the wire to an endpoint of the runbook, with its credentials."""
        headers = own_headers(endpoint, where)
        login = EndpointLogin(endpoint, where, token, password)
        context = trust(where, endpoint.ca_file) if endpoint.url.startswith("https") else None
        if context is not None:
            present(context, endpoint, where)
        return cls(
            endpoint.url, where, timeout=endpoint.timeout, context=context, headers=headers, login=login
        )

    def bound_to(self, source: str) -> Wire:
        """Return another wire to the same place whose connections come from an address of this machine."""
        other = Wire(
            self.base,
            self.where,
            timeout=self._timeout,
            context=self._context,
            headers=self._headers,
            sni=self._sni,
            login=self._login,
        )
        other._source = source
        return other

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None,
        headers: Headers | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        expected: str = "an answer",
        timeout: float | None = None,  # noqa: ASYNC109  each question has its own
    ) -> Reply:
        """Return the complete answer of any status.

        ``path`` may be an absolute URL. A token that was refused is read anew, and where it is another one the
        request is made once more. Raises an error of ``checks.clients.errors`` where there is no complete answer.
        """
        sent = {**(headers or {})}
        own = self._login is not None and "Authorization" not in sent
        if own and (authorization := await self._authorization()):
            sent["Authorization"] = authorization

        async def ask() -> Reply:
            return await self._ask(
                method,
                path,
                params=params,
                headers=sent,
                json=json,
                form=form,
                expected=expected,
                timeout=timeout,
            )

        reply = await ask()
        if own and reply.status == 401 and "Authorization" in sent:
            renewed = await self._authorization(fresh=True)
            if renewed != sent["Authorization"]:
                sent["Authorization"] = renewed
                reply = await ask()
        return reply

    async def _authorization(self, *, fresh: bool = False) -> str:
        assert self._login is not None
        if self._login.slow:
            return await asyncio.to_thread(self._login.header, fresh=fresh)
        return self._login.header(fresh=fresh)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None,
        headers: Headers,
        json: Json,
        form: Mapping[str, str] | None,
        expected: str,
        timeout: float | None,  # noqa: ASYNC109  each question has its own
    ) -> Reply:
        import httpx

        limit = self._timeout if timeout is None else timeout
        url = path if "://" in path else f"{self.base}{path}"
        started = time.monotonic()
        extensions = {"sni_hostname": self._sni} if self._sni else {}
        try:
            # httpx's timeout applies per read: a server that drips bytes would never hit it.
            async with asyncio.timeout(limit):
                client = self._open()
                request = client.build_request(
                    method,
                    url,
                    params=dict(params) if isinstance(params, Mapping) else list(params) if params else None,
                    headers={**self._headers, **headers},
                    json=json,
                    data=dict(form) if form else None,
                    extensions=extensions,
                    timeout=limit,
                )
                answer = await client.send(request, stream=True)
                try:
                    body = await self._read(answer, expected)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise from_transport(
                self.where, error, address=self.base, expected=expected, timeout=limit
            ) from None
        elapsed = int((time.monotonic() - started) * 1000)
        return Reply(self.where, answer.status_code, tuple(answer.headers.multi_items()), body, elapsed)

    async def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None,
        *,
        expected: str,
    ) -> Json:
        """Return the JSON at a path; any status but a success is an error."""
        reply = await self.send(
            "GET", path, params=params, headers={"Accept": "application/json"}, expected=expected
        )
        return reply.need_success(expected=expected).json(expected)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(self, answer: httpx.Response, expected: str) -> bytes:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > BODY_LIMIT:
                raise too_large(self.where, expected)
        return bytes(body)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            from http.cookiejar import CookieJar, DefaultCookiePolicy

            import httpx

            bound = self._source and httpx.AsyncHTTPTransport(
                verify=self._context or False, local_address=self._source
            )
            self._client = httpx.AsyncClient(
                transport=bound or None,
                verify=self._context or False,
                # httpx keeps cookies by default: one check's login would leak into the next request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=not is_loopback(self.base),
                # Idle connections expire early: a call on one the peer has closed would fail, and is not
                # retried.
                limits=httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=15.0),
            )
        return self._client
