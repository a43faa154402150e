"""Which origins may call the API from a browser."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Literal

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN, Surface
from checks.guides import browsers
from checks.judging import STEADY, Findings, key
from checks.unobserved import unobserved
from checks.workloads import first_part, part_env
from state.base.json import texts
from state.base.numbers import plural
from state.base.text import line
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient
    from checks.clients.wire import Reply


class CorsSettings(Settings):
    """Which origins may call the API from a browser."""

    path: str
    """What a preflight asks for."""
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    """And how."""
    origin: Surface = MAIN
    """The domain whose pages call it."""
    allowed: tuple[str, ...] = ()
    """Besides the origin of that domain."""
    refused: tuple[str, ...] = (
        "http://localhost:3000",
        "http://localhost:3001",
        "https://launch-console-probe.invalid",
        "null",
    )
    """Besides origins like that domain's own: another scheme, port or host that a careless pattern takes for it."""
    credentials: bool = False
    """The session is a cookie: the allowed origins need Access-Control-Allow-Credentials."""
    configured: str = ""
    """The setting of the release that lists the allowed origins; none: only what is asked tells of them."""


@check("web.cors", CorsSettings, guide=browsers.CORS, ttl=STEADY, judges=Judges.CANDIDATE)
async def cors(settings: CorsSettings, context: CheckContext) -> Outcome:
    """Judge by preflights, and by what GET answers, that exactly the intended origins are allowed."""
    findings = Findings()
    web = context.clients.web(context.tier)
    own = web.url(settings.origin)
    expected = dict.fromkeys((own, *settings.allowed), True)
    listed = await _listed(settings.configured, context, findings) if settings.configured else []
    for origin in listed:
        findings.need(origin in expected, f"{settings.configured} allows {line(origin, 200)}; it must not")
    for origin in (*settings.refused, *lookalikes(own), *listed):
        expected.setdefault(origin, False)
    asked = [_asked(origin, settings, web, findings) for origin in expected]
    judged = 0
    for origin, (preflight, answer) in zip(expected, await asyncio.gather(*asked), strict=True):
        if preflight is None:
            continue
        if why := unobserved(preflight) or ("answers 5xx" if preflight.status >= 500 else ""):
            findings.blind(f"a preflight from {origin} {why}")
            continue
        judged += not expected[origin]
        _judge(origin, preflight, answer, expected[origin], settings, findings)
    return findings.outcome(
        f"{own} is allowed; {plural(judged, 'other origin is', 'other origins are')} refused"
    )


def lookalikes(own: str) -> list[str]:
    """Return origins like one of ours that a rule takes for it where it is written carelessly.

    Another scheme or port; a pattern without its end, its beginning, or with dots that stand for any character; and
    hosts below and beside it.
    """
    scheme, _, rest = own.partition("://")
    host, _, _ = rest.partition(":")
    label, _, parent = host.partition(".")
    found = [
        own.replace("https://", "http://", 1),
        f"{scheme}://{host}:8443",
        f"{own}.launch-console-probe.invalid",
        f"{scheme}://launch-console-probe-{rest}",
        f"{scheme}://launch-console-probe.{rest}",
        f"{scheme}://launch-console-probe.invalid/{rest}",
    ]
    found += [
        f"{scheme}://{rest[:at]}x{rest[at + 1 :]}"
        for at, char in enumerate(rest.partition(":")[0])
        if char == "."
    ]
    if "." in parent:
        found += [f"https://launch-console-probe.{parent}", f"http://{label}-x.{parent}"]
    return [origin for origin in dict.fromkeys(found) if origin != own]


async def _listed(setting: str, context: CheckContext, findings: Findings) -> list[str]:
    """Return the origins that a setting of the release lists: as JSON, or with commas between them."""
    env = await findings.look(part_env(context, first_part(context)))
    if env is None:
        return []
    value = env.values.get(setting)
    findings.saw(key(setting), "not set" if value is None else line(value, 400))
    return origins_of(value or "")


def origins_of(value: str) -> list[str]:
    """Return the origins of a setting, as browsers send them: from a JSON list, or with commas between them."""
    try:
        told = texts(json.loads(value))
    except (ValueError, RecursionError):
        told = tuple(value.split(","))
    return [one.strip().rstrip("/").lower() for one in told if one.strip()]


async def _asked(
    origin: str, settings: CorsSettings, web: WebClient, findings: Findings
) -> tuple[Reply | None, Reply | None]:
    """Return the answers to a preflight and to a GET, which browsers look at both."""
    headers = {"Origin": origin, "Access-Control-Request-Method": settings.method}
    preflight = await findings.look(web.send("OPTIONS", MAIN, settings.path, headers=headers))
    if settings.method != "GET" or preflight is None:
        return preflight, None
    return preflight, await findings.look(web.get(MAIN, settings.path, {"Origin": origin}))


def _judge(
    origin: str,
    preflight: Reply,
    answer: Reply | None,
    required: bool,
    settings: CorsSettings,
    findings: Findings,
) -> None:
    allowed, credentials = granted(origin, preflight)
    findings.saw(
        key(origin), {"status": preflight.status, "allowed": allowed, "credentials": credentials and allowed}
    )
    also = answer is not None and answer.status < 500 and granted(origin, answer)[0]
    if required:
        findings.need(
            allowed and preflight.status < 300,
            f"{origin} is refused ({preflight.status}); it must be allowed",
        )
        findings.need(
            not (settings.credentials and allowed) or credentials,
            f"{origin} is allowed without credentials, so browsers drop the answers to a session",
        )
        if answer is not None and 200 <= answer.status <= 299 and not unobserved(answer):
            findings.need(also, f"{origin} is allowed by the preflight and not by the answer itself")
    elif allowed or also:
        by = "" if allowed else " by the answer to a GET"
        findings.wrong(
            f"{origin} is allowed{' with credentials' if credentials else ''}{by}; it must be refused"
        )


def granted(origin: str, reply: Reply) -> tuple[bool, bool]:
    """Return whether an answer lets pages of an origin read it, and with credentials: as browsers compare it.

    A header that comes twice is read as one with both values, which is no origin.
    """
    told = reply.all("access-control-allow-origin")
    with_credentials = [one.strip() for one in reply.all("access-control-allow-credentials")] == ["true"]
    return len(told) == 1 and told[0].strip() in {origin, "*"}, with_credentials
