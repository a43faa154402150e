"""Tokens that nobody may be able to make, each beside a good one that was accepted at the same place."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.guides import accounts
from checks.judging import STEADY, Findings, key, lookup
from checks.unobserved import unobserved
from state.base.json import JsonObject, obj, text
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.wire import Reply

_HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_NONE: Final = ("none", "None", "NONE", "nOnE")
_AT_ONCE: Final = 4
_GOOD: Final = ("valid", "active", "authenticated", "is_valid", "ok")
"""Fields by which an answer of 200 says whether the token was good (RFC 7662: ``active``)."""


class ForgedSettings(Settings):
    """Tokens that nobody may be able to make."""

    path: str
    """A path that tells whether a token is good."""
    keys: tuple[str, ...] = ("",)
    """Published signing keys; the empty one is what an unset key often becomes."""
    claims: dict[str, JsonValue] = {}
    """Claims that would give the most rights."""
    refused: tuple[int, ...] = (400, 401, 403)
    """Statuses that refuse a token."""
    role: str | None = None
    """Whose good token is the control, and whose claims are forged; none: the first account of the environment."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """A token and how it was made, in words."""

    how: str
    token: str


@dataclass(frozen=True, slots=True)
class _Way:
    """How a token is handed over."""

    name: str
    cookie: str
    """The cookie's name; empty: the Authorization header."""
    tenant: Mapping[str, str]

    def headers(self, token: str) -> dict[str, str]:
        if self.cookie:
            return {"Cookie": f"{self.cookie}={token}", **self.tenant}
        return {"Authorization": f"Bearer {token}", **self.tenant}


@check(
    "auth.forged_tokens",
    ForgedSettings,
    guide=accounts.FORGED,
    ttl=STEADY,
    leaves="a login of a test account",
    judges=Judges.CANDIDATE,
)
async def forged_tokens(settings: ForgedSettings, context: CheckContext) -> Outcome:
    """Judge that forged tokens are refused where a good one is accepted: signed with a known key, or not at all.

    Made of a real account's claims, with every HMAC and every spelling of none, in the header and, where the platform
    takes its token from one, in the cookie.
    """
    findings = Findings()
    web = context.clients.web(context.tier)
    role = settings.role or next(iter(context.environment.accounts), "")
    login = await web.log_in(role)
    if login.status != 200:
        findings.blind(
            f"{login.where} refused the test account {role} with {login.status}: nothing to compare with"
        )
        return findings.outcome("")
    account = context.environment.accounts[role]
    tenant = {context.environment.login.tenant_header: account.tenant} if account.tenant is not None else {}
    good = text(obj(login.json()), context.environment.login.token_field)
    nobody = await web.get(MAIN, settings.path, tenant)
    ways = [(_Way("header", "", tenant), good), *((_Way("cookie", n, tenant), v) for n, v in _cookies(login))]
    tried = 0
    for way, token in ways:
        control = await findings.look(web.get(MAIN, settings.path, way.headers(token))) if token else None
        accepted = control is not None and _accepts(control, nobody)
        findings.saw(key("good_token", way.name, way.cookie), "accepted" if accepted else "not accepted")
        if not accepted and way.cookie:
            continue  # the platform takes no token from a cookie
        tried += await _try(way, settings, context, token, account.username, findings)
        if not accepted:
            said = control.status if control is not None else "nothing"
            findings.blind(
                f"{settings.path} answers {said} to a good token and {nobody.status} to none, so a refusal there "
                "proves nothing"
            )
    return findings.outcome(
        f"{plural(tried, 'forged token is', 'forged tokens are')} refused at {settings.path}, and a good one isn't"
    )


def _cookies(login: Reply) -> Iterator[tuple[str, str]]:
    for header in login.all("set-cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        if value.strip():
            yield name.strip(), value.strip()


def _accepts(reply: Reply, nobody: Reply) -> bool:
    """Return whether a token was taken for good: nobody gets the same answer."""
    if not 200 <= reply.status <= 299 or unobserved(reply) or _says_no(reply):
        return False
    return not 200 <= nobody.status <= 299 or _says_no(nobody) or nobody.body != reply.body


def _says_no(reply: Reply) -> bool:
    try:
        answer = reply.json()
    except CouldNotLookError:  # what is no JSON says neither
        return False
    return any(lookup(answer, field) is False for field in _GOOD)


async def _try(
    way: _Way,
    settings: ForgedSettings,
    context: CheckContext,
    good: str,
    username: str,
    findings: Findings,
) -> int:
    """Hand over every forgery in one way, and return how many were judged."""
    web, now = context.clients.web(context.tier), context.clock.wall_us() // SECOND_US
    limit = asyncio.Semaphore(_AT_ONCE)

    async def ask(one: Forgery) -> Reply | None:
        async with limit:
            return await findings.look(web.get(MAIN, settings.path, way.headers(one.token)))

    made = list(forgeries(settings, claims_of(good), username, now))
    judged = 0
    for one, reply in zip(made, await asyncio.gather(*map(ask, made)), strict=True):
        if reply is None:
            continue
        findings.saw(key(way.name, one.how), reply.status)
        if why := unobserved(reply):
            findings.blind(f"{settings.path} {why} to a token made with {one.how}")
        elif 200 <= reply.status <= 299 and not _says_no(reply):
            judged += 1
            findings.wrong(
                f"a token made with {one.how} is accepted at {settings.path} in the {way.name} ({reply.status})"
            )
        elif reply.status not in settings.refused and not 200 <= reply.status <= 299:
            findings.blind(f"a token made with {one.how} is answered with {reply.status}; expected 401")
        else:
            judged += 1
    return judged


def claims_of(token: str) -> JsonObject:
    """Return the claims of a JSON Web Token; empty where it is another kind of token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return obj(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (ValueError, RecursionError):
        return {}


def forgeries(settings: ForgedSettings, real: JsonObject, username: str, now: int) -> Iterator[Forgery]:
    """Yield tokens that must be refused: of a real account's claims, and of those that the runbook names."""
    lives = {"iat": now, "exp": now + 300}
    own = {**(real or {**settings.claims, "sub": username}), **lives}
    for who, claims in (
        ("a real account's claims", own),
        ("the runbook's claims", {**lives, **settings.claims}),
    ):
        for number, signing in enumerate(settings.keys):
            name = "the empty key" if not signing else f"published key {number}"
            for algorithm in _HASHES if claims is own else ("HS256",):
                yield Forgery(f"{name}, {algorithm}, {who}", _signed(claims, signing, algorithm))
        for algorithm in _NONE:
            yield Forgery(f"no signature (alg {algorithm}), {who}", _unsigned(claims, algorithm))
    if not real:
        for sub in ("1", 1):
            yield Forgery(f"the empty key, HS256, account {sub!r}", _signed({**own, "sub": sub}, "", "HS256"))
    yield Forgery("a random key", _signed(own, secrets.token_hex(32), "HS256"))


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _signed(claims: Mapping[str, object], signing: str, algorithm: str) -> str:
    body = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}"
    mark = hmac.new(signing.encode(), body.encode(), _HASHES[algorithm]).digest()
    return f"{body}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def _unsigned(claims: Mapping[str, object], algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}."
