"""The platform as its customers reach it.

Its domains can be pinned to addresses, as curl's --resolve does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final

from checks.clients.errors import LoginRefusedError, MisconfiguredError, RefusedConnectionError, Where
from checks.clients.wire import Reply, Wire, trust
from checks.errors import CouldNotLookError
from state.base.clock import SystemClock
from state.base.json import EMPTY, Json, JsonObject, obj, text
from state.base.times import SECOND_US

if TYPE_CHECKING:
    import ssl

    from checks.clients.redact import Redactor
    from state.base.clock import Clock
    from state.runbook.environment import Domain, Environment
    from state.runbook.units import SecretRef


class NamesADomain:
    """Marks a setting whose value is the word of a domain: one that the runbook lacks is found when it is read."""


Surface = Annotated[str, NamesADomain()]
"""The word of a domain in the runbook: ``api``, ``admin``, ``shop``."""
MAIN: Final = ""
"""The runbook's first domain, whatever its word is."""

# Short: a stopping engine waits for this, and a login left behind expires anyway.
_LOGOUT_S = 2.0
# Only a guess, and harmless: a token that expires sooner gets a 401 and is renewed once.
_UNTOLD_LIFE_US = 3600 * SECOND_US


def address_of(domain: Domain) -> tuple[str, int]:
    """Return the host and port to connect to for a domain, its pin heeded."""
    if domain.pin is None:
        return domain.host, domain.port
    host, colon, port = domain.pin.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return domain.pin.strip("[]"), domain.port


class WebClient:
    """The domains of one environment, over HTTPS.

    With nothing followed and nothing kept between calls.
    """

    def __init__(
        self,
        environment: Environment,
        redactor: Redactor,
        *,
        timeout: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self.environment = environment
        self._redactor = redactor
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._context: ssl.SSLContext | None = None
        self._wires: dict[str, Wire] = {}
        self._tokens: dict[str, tuple[str, int]] = {}
        """A role's token, and when it is too old on the clock's monotonic time."""
        # Checks run concurrently: without it, each would log the same account in again.
        self._logging_in = asyncio.Lock()

    def url(self, surface: Surface, path: str = "") -> str:
        """Return the public URL of a path."""
        domain = self.domain(surface)
        port = "" if domain.port == 443 else f":{domain.port}"
        return f"https://{domain.host}{port}{path}"

    def word(self, surface: Surface) -> str:
        """Return the word by which the runbook names a domain."""
        return surface or next(iter(self.environment.domains.root))

    def domain(self, surface: Surface) -> Domain:
        """Return a domain of the runbook, by its word; MAIN is the first.

        Raises MisconfiguredError where there is none of that word.
        """
        domains, name = self.environment.domains.root, self.word(surface)
        if name not in domains:
            raise MisconfiguredError(
                f"the runbook names no domain {name} for {self.environment.title}; "
                f"expected environments.{self.environment.tier}.domains.{name}"
            )
        return domains[name]

    async def send(
        self,
        method: str,
        surface: Surface,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Json = None,
        host: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  each question has its own
    ) -> Reply:
        """Return the complete answer of any status; ``host`` replaces the Host header (and nothing else)."""
        wire = self._wire(surface)
        sent = {**(headers or {})}
        if host is not None:
            sent["Host"] = host
        return await wire.send(
            method,
            path,
            headers=sent,
            json=json,
            expected=f"{method} {path} of the {self.word(surface)} domain",
            timeout=timeout,
        )

    async def plain_http(self, surface: Surface, path: str) -> Reply | None:
        """Return what plain HTTP answers; None where nothing listens there or a pinned port hides it."""
        domain = self.domain(surface)
        if domain.http_pin is not None:
            host, port = address_of(domain.model_copy(update={"pin": domain.http_pin, "port": 80}))
        else:
            host, port = address_of(domain.model_copy(update={"port": 80}))
            if port != 80:
                return None
        where = Where(f"plain HTTP of {domain.host}", self.environment.title)
        wire = Wire(f"http://{host}:{port}", where, timeout=self._timeout, headers={"Host": domain.host})
        try:
            return await wire.send("GET", path, expected="a redirect to https")
        except RefusedConnectionError:
            return None  # no plain HTTP at all is as good as a redirect
        finally:
            await wire.aclose()

    def from_elsewhere(self, surface: Surface) -> Wire | None:
        """Return a wire to a domain from another address of this machine, to be closed; None where it has none.

        Loopback has many; of others only those that the machine's name leads to are known.
        """
        host, port = address_of(self.domain(surface))
        source = another_address(host, port)
        if source is None:
            return None
        wire = self._wire(surface)
        return wire.bound_to(source)

    async def post_form(
        self,
        surface: Surface,
        path: str,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the answer to a form that is sent as a browser sends it, of any status."""
        expected = f"POST {path} of the {self.word(surface)} domain"
        return await self._wire(surface).send("POST", path, headers=headers, form=form, expected=expected)

    async def get(self, surface: Surface, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the answer to a GET, of any status."""
        return await self.send("GET", surface, path, headers=headers)

    async def log_in(self, role: str) -> Reply:
        """Log a test account in and return the whole answer. Its token is registered as secret.

        Raises MisconfiguredError where the runbook has no such account or its password isn't there.
        """
        login = self.environment.login
        account = self.environment.accounts.get(role)
        if account is None:
            raise MisconfiguredError(
                f"the runbook has no account {role!r} for {self.environment.title}; expected accounts.{role}"
            )
        password = read_secret(account.password, self._redactor)
        body = {login.username_field: account.username, login.password_field: password}
        reply = await self.send("POST", MAIN, login.path, json=body)
        for cookie in reply.all("set-cookie"):
            value = cookie.partition(";")[0].partition("=")[2]
            self._redactor.register(value)
        if reply.status == 200:
            self._redactor.register(text(obj(reply.json()), login.token_field))
        return reply

    async def bearer(self, role: str, *, fresh: bool = False) -> dict[str, str]:
        """Return the headers of a logged-in test account: its bearer token and its tenant.

        Logins are kept, because each one leaves traces on the platform and some platforms limit them.
        Raises LoginRefusedError where the platform refuses the account.
        """
        async with self._logging_in:
            _, until_us = self._tokens.get(role, ("", 0))
            if fresh or until_us <= self._clock.mono_us():
                reply = await self.log_in(role)
                answer = obj(reply.json()) if reply.status == 200 else EMPTY
                token = text(answer, self.environment.login.token_field)
                if not token:
                    raise LoginRefusedError(
                        f"{reply.where} refused the test account {role} with {reply.status}; "
                        "expected 200 and a token (an account without a second factor)",
                        reply.status,
                    )
                self._tokens[role] = (token, self._clock.mono_us() + _kept_us(answer))
        headers = {"Authorization": f"Bearer {self._tokens[role][0]}"}
        tenant = self.environment.accounts[role].tenant
        if tenant is not None:
            headers[self.environment.login.tenant_header] = tenant
        return headers

    async def get_as(
        self,
        role: str | None,
        path: str,
        headers: Mapping[str, str] | None = None,
        surface: Surface = MAIN,
    ) -> Reply:
        """Return the answer to a GET by a role, or by nobody; a token that ran out is renewed once."""
        if role is None:
            return await self.get(surface, path, headers)
        return await self.send_as(role, "GET", path, headers=headers, surface=surface)

    async def send_as(
        self,
        role: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Json = None,
        surface: Surface = MAIN,
    ) -> Reply:
        """Return the answer to a logged-in test account, of any status; an expired token is renewed once."""
        more = headers or {}
        reply = await self.send(method, surface, path, headers={**await self.bearer(role), **more}, json=json)
        # Retried once: the token may have expired. A second 401 is the platform's answer, to be judged.
        if reply.status == 401:
            fresh = {**await self.bearer(role, fresh=True), **more}
            reply = await self.send(method, surface, path, headers=fresh, json=json)
        return reply

    async def aclose(self) -> None:
        """Log the test accounts out, where the platform lets them, and close the connections."""
        await self._log_out()
        for wire in self._wires.values():
            await wire.aclose()
        self._wires.clear()

    async def _log_out(self) -> None:
        tokens, self._tokens = self._tokens, {}
        path = self.environment.login.logout_path
        if path is None:
            return
        with contextlib.suppress(CouldNotLookError):  # nobody is there any more: the logins end by themselves
            for token, _ in tokens.values():
                headers = {"Authorization": f"Bearer {token}"}
                await self.send("POST", MAIN, path, headers=headers, timeout=_LOGOUT_S)

    def _wire(self, surface: Surface) -> Wire:
        surface = self.word(surface)
        if surface not in self._wires:
            domain = self.domain(surface)
            where = Where(f"{surface} domain {domain.host}", self.environment.title)
            if self._context is None:
                self._context = trust(where, self.environment.ca_file)
            host, port = address_of(domain)
            shown = f"[{host}]" if ":" in host else host
            public = domain.host if domain.port == 443 else f"{domain.host}:{domain.port}"
            self._wires[surface] = Wire(
                f"https://{shown}:{port}",
                where,
                timeout=self._timeout,
                context=self._context,
                headers={"Host": public},
                sni=domain.host,
            )
        return self._wires[surface]


def another_address(host: str, port: int) -> str | None:
    """Return an address of this machine that connections to a host don't come from by themselves, or None."""
    import socket

    try:
        family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)  # sends nothing: it only asks the system which way it would go
            usual = str(probe.getsockname()[0])
        if ip_address(usual).is_loopback:
            return "127.0.0.2" if usual != "127.0.0.2" and ":" not in usual else None
        own = {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, family)}
    except (OSError, ValueError):
        return None
    return min((one for one in own if one != usual and not ip_address(one).is_loopback), default=None)


def _kept_us(answer: JsonObject) -> int:
    """Return how long a login is kept: half of the life that the platform says it has.

    A platform that looks for the tenant first answers an old token with 400 as it answers a wrong tenant,
    so a login must not be used to its end.
    """
    life_s = answer.get("expires_in")
    if not isinstance(life_s, int) or life_s <= 0:
        return _UNTOLD_LIFE_US
    return life_s * SECOND_US // 2


def read_secret(ref: SecretRef | None, redactor: Redactor) -> str:
    """Return a secret that the runbook names, registered with the redactor; empty where there is none.

    Raises MisconfiguredError where the variable or file is not there.
    """
    from state.runbook.units import MissingSecretError

    if ref is None:
        return ""
    try:
        value = ref.read()
    except MissingSecretError as error:
        raise MisconfiguredError(str(error)) from None
    redactor.register(value)
    return value
