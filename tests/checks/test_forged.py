"""Forged tokens against platforms that accept a good one, and one forgery or none."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from checks.base import CheckContext
from checks.clients.errors import Where
from checks.clients.wire import Reply
from checks.forged import ForgedSettings, forged_tokens
from state.base.json import JsonObject
from state.view.enums import Verdict
from tests.clocks import ManualClock

KEY = "the-key-of-this-platform"
SETTINGS = ForgedSettings(path="/verify", keys=("", "change-me"), claims={"sub": "probe", "admin": True})
Accepts = Callable[[str, JsonObject, JsonObject], bool]
"""Of a token's signed part, header and claims: whether this world's fault lets it in."""


def part(value: JsonObject) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sign(body: str, key: str, word: str = "sha256") -> str:
    return base64.urlsafe_b64encode(hmac.new(key.encode(), body.encode(), word).digest()).decode().rstrip("=")


def good_token() -> str:
    body = f"{part({'alg': 'HS256'})}.{part({'sub': 'ann', 'iss': 'shop'})}"
    return f"{body}.{sign(body, KEY)}"


class Platform:
    """Answers /login and /verify; ``fault`` says what else than the good signature is taken."""

    def __init__(
        self, fault: Accepts, *, cookie: bool = False, waf: int = 0, open_to_all: bool = False
    ) -> None:
        self.fault, self.cookie, self.waf, self.open_to_all = fault, cookie, waf, open_to_all

    def verify(self, headers: Mapping[str, str]) -> int:
        if self.waf:
            return self.waf
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if self.cookie:
            token = token or headers.get("Cookie", "").partition("=")[2]
        if self.open_to_all:
            return 200
        head, _, rest = token.partition(".")
        claims, _, mark = rest.partition(".")
        if not claims:
            return 401
        decoded = [json.loads(base64.urlsafe_b64decode(one + "==")) for one in (head, claims)]
        if hmac.compare_digest(mark, sign(f"{head}.{claims}", KEY)):
            return 200
        return 200 if self.fault(token, decoded[0], decoded[1]) else 401

    async def log_in(self, _: str) -> Reply:
        cookies = (("Set-Cookie", f"access={good_token()}; Path=/"),) if self.cookie else ()
        return Reply(Where("w", "t"), 200, cookies, json.dumps({"access_token": good_token()}).encode(), 1)

    async def get(self, _: str, __: str, headers: Mapping[str, str]) -> Reply:
        return Reply(Where("w", "t"), self.verify(headers), (), b"{}", 1)


def signed_with(key: str, word: str = "HS256") -> Accepts:
    name = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[word]

    def accepts(token: str, head: JsonObject, claims: JsonObject) -> bool:
        del claims
        body, _, mark = token.rpartition(".")
        return head["alg"] == word and hmac.compare_digest(mark, sign(body, key, name))

    return accepts


def nothing(*_: object) -> bool:
    return False


async def judged(platform: Platform) -> tuple[Verdict, str]:
    account = SimpleNamespace(tenant=None, username="ann")
    environment = SimpleNamespace(
        accounts={"admin": account}, login=SimpleNamespace(token_field="access_token")
    )
    clients = SimpleNamespace(web=lambda _: platform)
    context = SimpleNamespace(
        tier="production", clients=clients, environment=environment, clock=ManualClock()
    )
    outcome = await forged_tokens(SETTINGS, cast("CheckContext", context))
    return outcome.verdict, outcome.summary


@pytest.mark.parametrize(
    ("platform", "verdict"),
    [
        (Platform(nothing), Verdict.PASS),
        (Platform(nothing, cookie=True), Verdict.PASS),
        (Platform(signed_with("")), Verdict.FAIL),
        (Platform(signed_with("change-me")), Verdict.FAIL),
        (Platform(signed_with("", "HS384")), Verdict.FAIL),
        (Platform(signed_with("change-me", "HS512")), Verdict.FAIL),
        (Platform(lambda t, h, c: h["alg"] == "none"), Verdict.FAIL),
        (Platform(lambda t, h, c: h["alg"] == "None"), Verdict.FAIL),
        (Platform(lambda t, h, c: str(h["alg"]).upper() == "NONE" and h["alg"] != "none"), Verdict.FAIL),
        (Platform(lambda t, h, c: signed_with("")(t, h, c) and c["sub"] == "ann"), Verdict.FAIL),
        (Platform(lambda t, h, c: signed_with("")(t, h, c) and c.get("admin") is True), Verdict.FAIL),
        (
            Platform(lambda t, h, c: signed_with("")(t, h, c) and c.get("iss") == "shop", cookie=True),
            Verdict.FAIL,
        ),
        (Platform(lambda t, h, c: True), Verdict.FAIL),
        (Platform(nothing, waf=403), Verdict.UNKNOWN),
        (Platform(nothing, waf=401), Verdict.UNKNOWN),
        (Platform(nothing, waf=429), Verdict.UNKNOWN),
        (Platform(nothing, waf=503), Verdict.UNKNOWN),
    ],
)
async def test_forged_tokens_are_refused_where_a_good_one_is_not(
    platform: Platform, verdict: Verdict
) -> None:
    found, summary = await judged(platform)
    assert found is verdict, summary
