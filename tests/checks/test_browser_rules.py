"""Worlds of browsers' rules: policies, frames, cookies and origins, odd good ones among them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.clients.errors import Where
from checks.clients.wire import Reply
from checks.cookies import CookieRule, judge_cookies, parse_cookies
from checks.csp import framed_by_others, nonces, of_page, open_to, parse, styles_open
from checks.judging import Findings
from checks.origins import granted, lookalikes, origins_of
from checks.unobserved import is_html, stand_in, unobserved
from checks.web import hsts_days
from state.base.times import micros
from state.view.enums import Verdict

NOW = micros(datetime(2026, 11, 30, tzinfo=UTC))
HASH = "'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"


def reply(*headers: tuple[str, str], status: int = 200, body: str = "") -> Reply:
    return Reply(Where("web", "test"), status, headers, body.encode(), 1)


@pytest.mark.parametrize(
    ("policies", "left_open"),
    [
        (["default-src 'self'"], []),
        (["default-src 'none'; script-src 'self'"], []),
        (["default-src 'self' 'unsafe-inline'; script-src 'self'"], []),
        (["script-src 'self'; script-src 'unsafe-inline'"], []),
        (["script-src 'nonce-abc' 'unsafe-inline'"], []),
        (["script-src 'unsafe-inline' " + HASH], []),
        (["script-src 'self' 'unsafe-hashes' " + HASH], []),
        (["script-src 'nonce-abc' 'strict-dynamic' https: 'unsafe-inline'"], []),
        (["script-src 'self' 'wasm-unsafe-eval' blob:"], []),
        (["SCRIPT-SRC 'SELF'"], []),
        (["script-src 'self'; style-src 'self' 'unsafe-inline'"], []),
        (["script-src 'unsafe-inline'", "default-src 'self'"], []),
        (["script-src 'self' 'unsafe-eval'", "script-src 'unsafe-inline' 'self'"], []),
        (["script-src 'self', img-src *"], []),
        (["script-src https://*.shop.test"], []),
        (["  ; script-src 'self' ;; "], []),
        (["script-src-elem 'self'; script-src-attr 'none'"], []),
        (["script-src 'unsafe-inline'; script-src-elem 'self'; script-src-attr 'none'"], []),
        ([""], ["any source"]),
        (["img-src 'self'"], ["any source"]),
        (["upgrade-insecure-requests"], ["any source"]),
        (["default-src 'self' 'unsafe-inline'"], ["'unsafe-inline'"]),
        (["script-src 'self' 'unsafe-eval'"], ["'unsafe-eval'"]),
        (["script-src 'self' 'unsafe-inline', frame-ancestors 'none'"], ["'unsafe-inline'"]),
        (["script-src 'unsafe-inline'; script-src 'self'"], ["'unsafe-inline'"]),
        (["script-src 'nonce-' 'unsafe-inline'"], ["'unsafe-inline'"]),
        (["script-src 'nonce-a b' 'unsafe-inline'"], ["'unsafe-inline'"]),
        (["script-src 'sha1-AAAA=' 'unsafe-inline'"], ["'unsafe-inline'"]),
        (["script-src https:"], ["https:"]),
        (["script-src *"], ["*"]),
        (["script-src *:*"], ["*:*"]),
        (["script-src https://*"], ["https://*"]),
        (["script-src https://*:443"], ["https://*:443"]),
        (["script-src *.com"], ["*.com"]),
        (["script-src 'self' data:"], ["data:"]),
        (["script-src 'unsafe-inline'", "img-src 'self'"], ["'unsafe-inline'"]),
        (["script-src *; script-src-elem 'self'"], []),
        (["script-src 'self'; script-src-elem *"], ["*"]),
        (["script-src 'self'; script-src-attr 'unsafe-inline'"], ["'unsafe-inline'"]),
        ([], ["any source"]),
    ],
)
def test_what_policies_leave_open_to_scripts(policies: list[str], left_open: list[str]) -> None:
    assert open_to(parse(policies)) == left_open


def test_what_is_required_is_accepted_and_further_sources_are_unsafe() -> None:
    assert open_to(parse(["script-src 'unsafe-eval' 'self'"]), required=["'unsafe-eval'"]) == []
    assert open_to(parse(["script-src blob: 'self'"]), unsafe=["blob:"]) == ["blob:"]
    assert open_to(parse(["script-src 'nonce-a' 'unsafe-inline'"]), unsafe=["'unsafe-inline'"]) == []
    assert styles_open(parse(["default-src 'self'; style-src 'unsafe-inline'"]))
    assert not styles_open(parse(["default-src 'self'"]))
    assert nonces(parse(["script-src 'nonce-Ab1' 'self'"])) == {"Ab1"}


@pytest.mark.parametrize(
    ("policy", "options", "others"),
    [
        ("frame-ancestors 'none'", [], ""),
        ("frame-ancestors 'self'", [], ""),
        ("frame-ancestors https://admin.shop.test", [], ""),
        ("default-src 'self'", ["DENY"], ""),
        ("default-src 'self'", ["sameorigin"], ""),
        ("default-src 'self'", ["DENY, DENY"], ""),
        ("frame-ancestors *", ["DENY"], "*"),
        ("frame-ancestors https:", ["SAMEORIGIN"], "https:"),
        ("frame-ancestors 'self' https://evil.example", [], "https://evil.example"),
        ("default-src 'self'", [], "other sites"),
        ("default-src 'self'", ["ALLOW-FROM https://x.test"], "other sites"),
        ("default-src 'self'", ["DENY, ALLOWALL"], "other sites"),
    ],
)
def test_who_may_frame_a_page(policy: str, options: list[str], others: str) -> None:
    assert framed_by_others(parse([policy]), options, {"admin.shop.test"}) == others


def test_a_policy_in_the_page_counts_in_its_head_alone() -> None:
    meta = (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self'; frame-ancestors 'none'\">"
    )
    assert of_page(f"<html><head>{meta}</head></html>") == [{"script-src": ("'self'",)}]
    assert of_page(f"<html><head></head><body>{meta}</body></html>") == []


@pytest.mark.parametrize(
    ("header", "days"),
    [
        ("max-age=31536000; includeSubDomains", 365),
        ('max-age="31536000"', 365),
        ("includeSubDomains; MAX-AGE = 31536000", 365),
        ("max-age=0", 0),
        ("max-age=0; max-age=31536000", 0),
        ("max-age=-1", 0),
        ("", 0),
    ],
)
def test_how_long_hsts_lasts(header: str, days: int) -> None:
    assert hsts_days(header) == days


GOOD = "sid={}; Path=/; Secure; HttpOnly; SameSite=Strict"
LATE, PAST = "Wed, 21 Oct 2037 07:28:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.mark.parametrize(
    ("cookies", "verdict"),
    [
        ([GOOD], Verdict.PASS),
        ([GOOD + "; Max-Age=3600"], Verdict.PASS),
        ([GOOD + f"; Max-Age=3600; Expires={LATE}"], Verdict.PASS),
        ([GOOD + "; Domain="], Verdict.PASS),
        (["SID=a", GOOD], Verdict.FAIL),  # another name, which lets in too
        (["sid=; Path=/; Max-Age=0", GOOD], Verdict.PASS),
        ([f"sid=; Path=/; Expires={PAST}", GOOD], Verdict.PASS),
        ([GOOD, "theme=dark; Path=/"], Verdict.PASS),
        ([GOOD, "AWSALB=abcdefghijklmnopqrstuvwx; Path=/; Expires=" + LATE], Verdict.PASS),
        ([GOOD, "csrftoken=abc; Path=/; Secure; SameSite=Lax"], Verdict.PASS),
        ([GOOD, "session_id=abc; Path=/"], Verdict.FAIL),
        ([GOOD, "x=eyJh.eyJz.c2ln; Path=/; Secure; SameSite=Lax"], Verdict.FAIL),
        (["sid=a; Path=/api; SameSite=Strict", GOOD], Verdict.FAIL),
        ([GOOD, "sid=a; Path=/api; SameSite=Strict"], Verdict.FAIL),
        ([f"sid=; Path=/; Secure; HttpOnly; SameSite=Strict; Expires={PAST}"], Verdict.FAIL),
        ([GOOD + "; Max-Age=-5"], Verdict.FAIL),
        (["sid=a; Secure; HttpOnly; SameSite=Strict"], Verdict.FAIL),
        ([GOOD + f"; Expires={LATE}"], Verdict.FAIL),
        ([GOOD + f"; Max-Age=; Expires={LATE}"], Verdict.FAIL),
        ([GOOD + "; Max-Age=9999999"], Verdict.FAIL),
        ([GOOD + "; Domain=shop.test"], Verdict.FAIL),
        (["sid=a; Path=/; HttpOnly; SameSite=None"], Verdict.FAIL),
        (["sid=a; Path=/; Secure; HttpOnly"], Verdict.FAIL),
        ([], Verdict.FAIL),
    ],
)
def test_what_cookies_are(cookies: list[str], verdict: Verdict) -> None:
    findings = Findings()
    seen = parse_cookies(reply(*(("Set-Cookie", c) for c in cookies)), "/api/auth/login?x=/", NOW)
    judge_cookies("api", seen, {"sid": CookieRule(max_days=1)}, findings)
    assert findings.outcome("good").verdict is verdict


@pytest.mark.parametrize(
    ("cookie", "dropped"),
    [
        ("__Host-sid=a; Secure; Path=/; HttpOnly; SameSite=Strict", False),
        ("__Host-sid=a; Secure; Path=/; Domain=x.test; HttpOnly; SameSite=Strict", True),
        ("__Host-sid=a; Secure; HttpOnly; SameSite=Strict", True),
        ("__Secure-sid=a; Path=/; HttpOnly; SameSite=Strict", True),
    ],
)
def test_a_cookie_with_a_prefix_that_it_does_not_keep_is_dropped(cookie: str, dropped: bool) -> None:
    (seen,) = parse_cookies(reply(("Set-Cookie", cookie)), "/login", NOW)
    assert bool(seen.problem) is dropped


OWN = "https://admin.shop.test"


@pytest.mark.parametrize(
    "origin",
    [
        "http://admin.shop.test",
        "https://admin.shop.test:8443",
        "https://admin.shop.test.launch-console-probe.invalid",
        "https://launch-console-probe-admin.shop.test",
        "https://launch-console-probe.admin.shop.test",
        "https://adminxshop.test",
        "https://admin.shopxtest",
        "https://launch-console-probe.shop.test",
    ],
)
def test_an_origin_that_a_careless_pattern_takes_for_ours_is_tried(origin: str) -> None:
    assert origin in lookalikes(OWN)
    assert OWN not in lookalikes(OWN)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Access-Control-Allow-Origin", OWN)], (True, False)),
        ([("Access-Control-Allow-Origin", "*")], (True, False)),
        ([("access-control-allow-origin", OWN), ("Access-Control-Allow-Credentials", "true")], (True, True)),
        ([("Access-Control-Allow-Origin", OWN), ("Access-Control-Allow-Credentials", "True")], (True, False)),
        ([("Access-Control-Allow-Origin", OWN)] * 2, (False, False)),
        ([("Access-Control-Allow-Origin", f"{OWN}, *")], (False, False)),
        ([("Access-Control-Allow-Origin", OWN + "/")], (False, False)),
        ([], (False, False)),
    ],
)
def test_what_lets_an_origin_in(headers: list[tuple[str, str]], expected: tuple[bool, bool]) -> None:
    assert granted(OWN, reply(*headers)) == expected


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (reply(), True),
        (reply(status=401), True),
        (reply(status=500), True),
        (reply(("Age", "0")), True),
        (reply(("Age", "120")), False),
        (reply(status=429), False),
        (reply(status=502), False),
        (reply(status=503), False),
        (reply(status=504), False),
        (reply(status=524), False),
    ],
)
def test_whose_word_an_answer_is(answer: Reply, seen: bool) -> None:
    assert (unobserved(answer) == "") is seen


@pytest.mark.parametrize(
    ("body", "stands_in"),
    [
        ("<html><title>Maintenance</title></html>", True),
        ("<!doctype html><p>We'll be back soon</p>", True),
        ("<html><head><title>Welcome to nginx!</title></head></html>", True),
        ("<html><title>Sign in</title><form></form></html>", False),
        ("<html><title>Admin</title>" + "<p>maintenance windows</p>" * 200 + "</html>", False),
        ('{"title": "maintenance"}', False),
    ],
)
def test_a_page_that_stands_in_for_another_is_told(body: str, stands_in: bool) -> None:
    assert bool(stand_in(reply(body=body))) is stands_in
    assert is_html(reply(body=body)) is body.startswith("<")


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", []),
        ("[]", []),
        (
            '["https://Admin.example.com/", "https://b.example.com"]',
            ["https://admin.example.com", "https://b.example.com"],
        ),
        ("https://a.example.com, https://b.example.com,", ["https://a.example.com", "https://b.example.com"]),
        ("*", ["*"]),
        ('"https://a.example.com"', []),
        ("[" * 5000, ["[" * 5000]),
    ],
)
def test_a_setting_lists_origins_as_json_or_with_commas(value: str, origins: list[str]) -> None:
    assert origins_of(value) == origins
