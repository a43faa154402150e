"""What the platform sends to browsers: policies, cookies, origins, limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.errors import WrongContentError
from checks.clients.http import MAIN, Surface
from checks.cookies import CookieRule, judge_cookies, parse_cookies
from checks.judging import STEADY, Findings, key
from state.base.json import obj, objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient
    from checks.clients.wire import Reply


class Page(Settings):
    """A page to look at."""

    surface: Surface = MAIN
    """The domain that is asked; none: the main one."""
    path: str = "/"
    """What is asked for."""


class CspSettings(Settings):
    """Which pages, and what else a browser must be told."""

    pages: tuple[Page, ...] = (Page(),)
    """Pages to look at."""
    directives: tuple[str, ...] = ("script-src", "script-src-elem", "script-src-attr", "default-src")
    """Where an unsafe source counts; ``default-src`` only where ``script-src`` is absent."""
    unsafe: tuple[str, ...] = ("'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:")
    """Sources that are unsafe for scripts."""
    required: tuple[str, ...] = ()
    """Unsafe sources that are required and accepted."""
    hsts_min_days: int = 180
    """How long Strict-Transport-Security must last; 0: not judged."""
    nosniff: bool = True
    """X-Content-Type-Options must be nosniff."""
    frames: bool = True
    """Framing by others is forbidden, by X-Frame-Options or frame-ancestors."""


@check("web.csp", CspSettings, ttl=STEADY, judges=Judges.CANDIDATE)
async def csp(settings: CspSettings, context: CheckContext) -> Outcome:
    """Judge that every page has an enforced Content-Security-Policy without unsafe script sources."""
    findings = Findings()
    for page in settings.pages:
        reply = await findings.look(context.clients.web(context.tier).get(page.surface, page.path))
        if reply is None:
            continue
        name = f"{context.clients.web(context.tier).word(page.surface)} {page.path}"
        if reply.status >= 500:
            findings.blind(f"{name} answers {reply.status}; expected a page")
            continue
        _judge_csp(settings, name, reply, findings)
        _judge_headers(settings, name, reply, findings)
    return findings.outcome(
        f"{plural(len(settings.pages), 'page has', 'pages have')} a strong policy, HSTS and no framing"
    )


def _judge_csp(settings: CspSettings, name: str, reply: Reply, findings: Findings) -> None:
    policies = reply.all("content-security-policy")
    findings.saw(key(name, "csp"), [line(policy, 400) for policy in policies])
    if not policies:
        only = bool(reply.all("content-security-policy-report-only"))
        findings.wrong(
            f"{name}: the policy is report-only" if only else f"{name}: no Content-Security-Policy"
        )
        return
    weak = [_weak(settings, policy) for policy in policies]
    if all(weak):  # browsers enforce all policies, so one strong policy is enough
        findings.wrong(f"{name}: the policy allows {', '.join(sorted(set(weak[0])))} for scripts")


def _weak(settings: CspSettings, policy: str) -> list[str]:
    directives = {
        parts[0].lower(): [source.lower() for source in parts[1:]]
        for clause in policy.split(";")
        if (parts := clause.split())
    }
    if "script-src" not in directives and "default-src" not in directives:
        return ["any source"]
    bad: list[str] = []
    for directive in settings.directives:
        if directive == "default-src" and "script-src" in directives:
            continue
        sources = directives.get(directive, [])
        guarded = any(source.startswith(("'nonce-", "'sha")) for source in sources)
        for source in sources:
            ignored = guarded and source == "'unsafe-inline'"  # browsers ignore it beside a nonce or hash
            if source in settings.unsafe and source not in settings.required and not ignored:
                bad.append(source)
    return bad


def _judge_headers(settings: CspSettings, name: str, reply: Reply, findings: Findings) -> None:
    hsts = reply.header("strict-transport-security") or ""
    if settings.hsts_min_days:
        age = next(
            (part.strip()[8:] for part in hsts.lower().split(";") if part.strip().startswith("max-age=")), "0"
        )
        days = int(age.strip('"')) // 86_400 if age.strip('"').isdigit() else 0
        findings.saw(key(name, "hsts_days"), days)
        findings.need(
            days >= settings.hsts_min_days,
            f"{name}: HSTS lasts {days} days; expected {settings.hsts_min_days}",
        )
    if settings.nosniff:
        sniff = (reply.header("x-content-type-options") or "").lower()
        findings.need(sniff == "nosniff", f"{name}: no X-Content-Type-Options: nosniff")
    if settings.frames:
        frame = (reply.header("x-frame-options") or "").upper() in {"DENY", "SAMEORIGIN"}
        ancestors = any("frame-ancestors" in policy for policy in reply.all("content-security-policy"))
        findings.need(frame or ancestors, f"{name}: other sites may frame it")


class SignIn(Settings):
    """How a browser session is opened with a form."""

    surface: Surface = MAIN
    """The domain that is asked; none: the main one."""
    csrf_path: str
    """Where the form gets its token."""
    csrf_field: str = "csrfToken"
    """What the token is called."""
    path: str
    """Where the form is posted."""
    role: str
    """Who signs in."""


class CookiesSettings(Settings):
    """Which cookies a login sets, and what each must be."""

    role: str
    """Who logs in."""
    cookies: dict[str, CookieRule]
    """Of the login that the environment names."""
    sign_in: SignIn | None = None
    """A browser session; left out: none is opened."""
    sign_in_cookies: dict[str, CookieRule] = {}
    """Of the browser session."""


@check(
    "web.cookies", CookiesSettings, ttl=STEADY, leaves="a login of a test account", judges=Judges.CANDIDATE
)
async def cookies(settings: CookiesSettings, context: CheckContext) -> Outcome:
    """Judge the attributes of every session cookie; logs a test account in."""
    findings = Findings()
    web = context.clients.web(context.tier)
    reply = await findings.look(web.log_in(settings.role))
    if reply is not None:
        if reply.status == 200:
            judge_cookies(web.word(MAIN), parse_cookies(reply), settings.cookies, findings)
        else:
            findings.blind(f"{reply.where} refused the test account {settings.role} with {reply.status}")
    if settings.sign_in is not None:
        seen = await findings.look(_browser_session(settings.sign_in, context, web))
        if seen is not None:
            judge_cookies(web.word(settings.sign_in.surface), seen, settings.sign_in_cookies, findings)
    return findings.outcome(
        f"{plural(len(settings.cookies) + len(settings.sign_in_cookies), 'cookie is', 'cookies are')} as intended"
    )


async def _browser_session(
    sign_in: SignIn, context: CheckContext, web: WebClient
) -> dict[str, dict[str, str]]:
    first = await web.get(sign_in.surface, sign_in.csrf_path)
    token = text(first.need_success(expected="a CSRF token").object("a CSRF token"), sign_in.csrf_field)
    seen = parse_cookies(first)
    account = context.environment.accounts.get(sign_in.role)
    if account is None or not token:
        raise WrongContentError(f"{first.where}: no CSRF token, or no account {sign_in.role} in the runbook")
    sent = "; ".join(header.partition(";")[0] for header in first.all("set-cookie"))
    form = {
        "username": account.username,
        "email": account.username,
        "password": context.clients.secret(account.password),
        sign_in.csrf_field: token,
        "json": "true",
    }
    second = await web.post_form(sign_in.surface, sign_in.path, form, headers={"Cookie": sent})
    for header in second.all("set-cookie"):
        context.clients.redactor.register(header.partition(";")[0].partition("=")[2])
    if second.status >= 400:
        raise WrongContentError(
            f"{second.where} refused the test account {sign_in.role} with {second.status}"
        )
    return seen | parse_cookies(second)


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
    """Besides the http variant of that domain's origin."""


@check("web.cors", CorsSettings, ttl=STEADY, judges=Judges.CANDIDATE)
async def cors(settings: CorsSettings, context: CheckContext) -> Outcome:
    """Judge by preflights that exactly the intended origins are allowed."""
    findings = Findings()
    web = context.clients.web(context.tier)
    own = web.url(settings.origin)
    expected = dict.fromkeys((own, *settings.allowed), True)
    expected |= dict.fromkeys((*settings.refused, own.replace("https://", "http://", 1)), False)
    for origin, required in expected.items():
        headers = {"Origin": origin, "Access-Control-Request-Method": settings.method}
        reply = await findings.look(web.send("OPTIONS", MAIN, settings.path, headers=headers))
        if reply is None:
            continue
        if reply.status >= 500:
            findings.blind(f"a preflight from {origin} is answered with {reply.status}")
            continue
        granted = reply.header("access-control-allow-origin")
        allowed = granted in {origin, "*"}
        credentials = (reply.header("access-control-allow-credentials") or "").lower() == "true"
        findings.saw(
            key(origin), {"status": reply.status, "allowed": allowed, "credentials": credentials and allowed}
        )
        if required:
            findings.need(
                allowed and reply.status < 300, f"{origin} is refused ({reply.status}); it must be allowed"
            )
        elif allowed:
            findings.wrong(
                f"{origin} is allowed{' with credentials' if credentials else ''}; it must be refused"
            )
    refused = sum(not required for required in expected.values())
    return findings.outcome(
        f"{own} is allowed; {plural(refused, 'other origin is', 'other origins are')} refused"
    )


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


@check(
    "web.rate_limit",
    RateLimitSettings,
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
    odd = next((status for status in statuses if status >= 500 or status == 404), None)
    if odd is not None or not replies:
        findings.blind(f"{settings.path} answers {odd or 'nothing'}; expected 401 or 429")
        return findings.outcome("")
    findings.need(min(statuses) >= 400, f"{settings.path} let a wrong password in ({min(statuses)})")
    limited = statuses.count(429)
    findings.need(limited > 0, f"{plural(len(replies), 'wrong password')} at once at {settings.path}: no 429")
    retry = next((reply.header("retry-after") for reply in replies if reply.status == 429), None)
    findings.saw("retry_after", retry or "absent")
    account = context.environment.accounts.get(settings.role)
    if account is not None:
        right = {
            login.username_field: account.username,
            login.password_field: context.clients.secret(account.password),
        }
        after = await findings.look(web.send("POST", MAIN, settings.path, json=right))
        if after is not None:
            for header in after.all("set-cookie"):
                context.clients.redactor.register(header.partition(";")[0].partition("=")[2])
            findings.saw("other_account_after", after.status)
            findings.need(
                after.status != 429, "after the burst another account is locked out (429): one limit for all"
            )
            if after.status not in {200, 429}:
                findings.blind(
                    f"after the burst the test account {settings.role} got {after.status}; expected 200"
                )
    await _ingress_limits(settings, context, findings)
    return findings.outcome(
        f"{limited} of {plural(len(replies), 'wrong password')} stopped; another account still got in"
    )


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
    for ingress in ingresses.items:
        if host not in {text(rule, "host") for rule in objs(path(ingress, ("spec", "rules")))}:
            continue
        names = set(obj(path(ingress, ("metadata", "annotations"))))
        limits = sorted(names & set(settings.ingress_annotations))
        findings.saw("ingress_limits", list(limits))
        findings.need(bool(limits), f"the ingress of {host} has no rate limit of its own")
        return
    findings.wrong(f"no ingress serves {host}")
