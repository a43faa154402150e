"""A bounded burst of wrong passwords: it must be stopped, and stop nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.guides import browsers
from checks.judging import STEADY, Findings
from checks.workloads import ingress_of
from state.base.json import obj, path, text
from state.base.numbers import plural
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.wire import Reply

_STOPPED: Final = frozenset({423, 429})
"""Too many requests, or the account that was tried is locked."""


class RateLimitSettings(Settings):
    """A bounded burst of wrong passwords."""

    path: str
    """Where passwords are tried."""
    max_calls: int = 8
    """A bound: the burst never sends more."""
    username: str = "launch-console-probe"
    """Nobody's name: no real account is locked."""
    role: str
    """An account that must still get in, from the same place, after the burst."""
    ingress_annotations: tuple[str, ...] = ()
    """One of these must be on the ingress: the limit of all other paths."""
    ingress_at_most: int = 100_000
    """A limit above it limits nobody."""


@check(
    "web.rate_limit",
    RateLimitSettings,
    guide=browsers.RATE_LIMIT,
    ttl=STEADY,
    leaves="a burst of failed logins",
    judges=Judges.CANDIDATE,
)
async def rate_limit(settings: RateLimitSettings, context: CheckContext) -> Outcome:
    """Judge that a burst of wrong passwords is stopped, and that it stops nobody else."""
    findings = Findings()
    web = context.clients.web(context.tier)
    login = context.environment.login
    body = {login.username_field: settings.username, login.password_field: "not-the-password"}
    # At once, not one after the other: a limit per minute is about how fast they come.
    calls = [
        findings.look(web.send("POST", MAIN, settings.path, json=body)) for _ in range(settings.max_calls)
    ]
    replies = [reply for reply in await asyncio.gather(*calls) if reply is not None]
    statuses = [reply.status for reply in replies]
    findings.saw("statuses", sorted(statuses))
    odd = next((reply for reply in replies if reply.status >= 500 or reply.status == 404), None)
    if odd is not None or not replies:
        findings.blind(f"{settings.path} answers {odd.status if odd else 'nothing'}; expected 401 or 429")
        return findings.outcome("")
    findings.need(min(statuses) >= 400, f"{settings.path} let a wrong password in ({min(statuses)})")
    limited = sum(status in _STOPPED for status in statuses)
    findings.need(limited > 0, f"{plural(len(replies), 'wrong password')} at once at {settings.path}: no 429")
    retry = next((reply.header("retry-after") for reply in replies if reply.status == 429), None)
    findings.saw("retry_after", retry or "absent")
    how = await _others(settings, context, findings) if limited else ""
    await _ingress_limits(settings, context, findings)
    return findings.outcome(f"{limited} of {plural(len(replies), 'wrong password')} stopped; {how}")


async def _others(settings: RateLimitSettings, context: CheckContext, findings: Findings) -> str:
    """Judge that others still get in after the burst: another account, or else one from another address."""
    web, login = context.clients.web(context.tier), context.environment.login
    account = context.environment.accounts.get(settings.role)
    if account is None:
        findings.blind(
            f"the runbook has no account {settings.role} for {context.environment.title}, so whether others still "
            "in"
        )
        return ""
    right = {
        login.username_field: account.username,
        login.password_field: context.clients.secret(account.password),
    }
    status = await _tried(web.send("POST", MAIN, settings.path, json=right), context, findings)
    findings.saw("other_account_after", status)
    if status == 200:
        return "another account still got in"
    if status is None:
        return ""
    if status != 429:
        findings.blind(f"after the burst the test account {settings.role} got {status}; expected 200")
        return ""
    # From here every account is limited: by address, which is right, or all alike, which locks everybody out.
    elsewhere = web.from_elsewhere(MAIN)
    if elsewhere is None:
        findings.blind(
            "after the burst another account is limited too (429): by address, or one limit for all? This host has "
            "no second address to try it from"
        )
        return ""
    status = await _tried(elsewhere.send("POST", settings.path, json=right), context, findings)
    await elsewhere.aclose()
    findings.saw("other_address_after", status)
    if status is not None:
        findings.need(
            status != 429,
            "after the burst another account is locked out (429): one limit for all, from any address",
        )
        if status not in {200, 429}:
            findings.blind(
                f"from another address the test account {settings.role} got {status}; expected 200"
            )
    return "the limit is one per address"


async def _tried(asking: Awaitable[Reply], context: CheckContext, findings: Findings) -> int | None:
    reply = await findings.look(asking)
    for header in reply.all("set-cookie") if reply is not None else ():
        context.clients.redactor.register(header.partition(";")[0].partition("=")[2])
    return reply.status if reply is not None else None


def _limits(given: str, at_most: int) -> bool:
    """Return whether an annotation limits anything: nginx takes 0 and what is no number for no limit."""
    return given.strip().isdecimal() and 0 < int(given) <= at_most


async def _ingress_limits(settings: RateLimitSettings, context: CheckContext, findings: Findings) -> None:
    if not settings.ingress_annotations:
        return
    kube = context.clients.kube(context.tier)
    ingresses = await findings.look(
        kube.list_objects(f"/apis/networking.k8s.io/v1/namespaces/{kube.namespace}/ingresses")
    )
    if ingresses is None:
        return
    host = context.clients.web(context.tier).domain(MAIN).host
    ingress = ingress_of(ingresses.items, host, settings.path)
    if ingress is None:
        findings.wrong(f"no ingress serves {host}")
        return
    given = obj(path(ingress, ("metadata", "annotations")))
    limits = {name: text(given, name) for name in settings.ingress_annotations if name in given}
    findings.saw("ingress_limits", [f"{name}: {limit}" for name, limit in sorted(limits.items())])
    working = [name for name, limit in limits.items() if _limits(limit, settings.ingress_at_most)]
    told = ", ".join(f"{name} is {limit!r}" for name, limit in limits.items())
    findings.need(
        bool(working),
        f"the ingress of {host} has no rate limit of its own{f' that limits anything: {told}' if told else ''}",
    )
