"""What the platform sends to browsers: policies, cookies, origins, limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.errors import WrongContentError
from checks.clients.http import MAIN, Surface
from checks.cookies import Cookie, CookieRule, judge_cookies, parse_cookies
from checks.csp import Policy, framed_by_others, nonces, of_page, open_to, parse, styles_open
from checks.guides import browsers
from checks.judging import STEADY, Findings, key, looked
from checks.unobserved import is_html, unobserved
from state.base.json import text
from state.base.numbers import plural
from state.base.text import line
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient
    from checks.clients.wire import Reply


_REDIRECTS: Final = 3


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
    directives: tuple[str, ...] = ()
    """Without effect, for runbooks that still have it: what counts is what browsers apply to scripts."""
    unsafe: tuple[str, ...] = ()
    """Further sources that are unsafe for scripts, besides ``'unsafe-inline'``, ``'unsafe-eval'``, ``data:`` and
    whatever is every host."""
    required: tuple[str, ...] = ()
    """Unsafe sources that are required and accepted."""
    hsts_min_days: int = 180
    """How long Strict-Transport-Security must last; 0: not judged."""
    nosniff: bool = True
    """X-Content-Type-Options must be nosniff."""
    frames: bool = True
    """Framing by others is forbidden, by X-Frame-Options or frame-ancestors."""
    framed_by: tuple[str, ...] = ()
    """Hosts of others that may frame it."""
    styles: bool = False
    """Inline styles are judged as inline scripts are."""


@check("web.csp", CspSettings, guide=browsers.CSP, ttl=STEADY, judges=Judges.CANDIDATE)
async def csp(settings: CspSettings, context: CheckContext) -> Outcome:
    """Judge that every page has an enforced Content-Security-Policy without unsafe script sources."""
    findings = Findings()
    web = context.clients.web(context.tier)
    read = 0
    for page in settings.pages:
        name = f"{web.word(page.surface)} {page.path}"
        reply = await findings.look(_page(page, web))
        if reply is None:
            continue
        why = unobserved(reply) or (f"answers {reply.status}" if not 200 <= reply.status <= 299 else "")
        if why:
            findings.blind(f"{name} {why}; expected the page")
            continue
        read += 1
        policies = _judge_csp(settings, name, reply, findings)
        if nonces(policies):
            await _judge_nonces(name, policies, page, web, findings)
        own = {domain.host for domain in context.environment.domains.all()}
        _judge_headers(settings, name, reply, policies, own, findings)
    found = looked(
        (True, "a strong policy"),
        (settings.hsts_min_days, "HSTS"),
        (settings.nosniff, "nosniff"),
        (settings.frames, "no framing"),
    )
    return findings.outcome(f"{plural(read, 'page has', 'pages have')} {found}")


async def _page(page: Page, web: WebClient) -> Reply:
    """Return the answer that is the page: a redirect within the platform is followed, as a browser does."""
    reply = await web.get(page.surface, page.path)
    for _ in range(_REDIRECTS):
        target = urlsplit(reply.header("location") or "")
        if not 300 <= reply.status <= 399 or not (target.path or target.netloc):
            break
        names = {web.domain(word).host: word for word in reversed(list(web.environment.domains.named()))}
        surface = names.get(target.hostname or "") if target.netloc else page.surface
        if surface is None:
            break
        path = (target.path if target.path.startswith("/") else f"/{target.path}") + (
            f"?{target.query}" if target.query else ""
        )
        reply = await web.get(surface, path)
    return reply


def _judge_csp(settings: CspSettings, name: str, reply: Reply, findings: Findings) -> list[Policy]:
    """Judge the policies that a page gives by headers and in itself; return them."""
    headers = reply.all("content-security-policy")
    inside = of_page(reply.text) if is_html(reply) else []
    policies = parse(headers)
    findings.saw(key(name, "csp"), [line(policy, 400) for policy in headers])
    findings.saw(key(name, "csp_in_page"), len(inside))
    if not policies and not inside:
        only = bool(reply.all("content-security-policy-report-only"))
        findings.wrong(
            f"{name}: the policy is report-only" if only else f"{name}: no Content-Security-Policy"
        )
        return []
    weak = open_to([*policies, *inside], settings.required, settings.unsafe)
    if weak:
        findings.wrong(f"{name}: the policy allows {', '.join(weak)} for scripts")
    inline = styles_open([*policies, *inside])
    findings.saw(key(name, "inline_styles"), "allowed" if inline else "not allowed")
    if settings.styles and inline:
        findings.wrong(f"{name}: the policy allows 'unsafe-inline' for styles")
    return [*policies, *inside]


async def _judge_nonces(
    name: str, policies: Sequence[Policy], page: Page, web: WebClient, findings: Findings
) -> None:
    """Ask once more: a nonce that comes again, from a cache or built in, is known to everybody."""
    again = await findings.look(_page(page, web))
    if again is None or unobserved(again):
        return
    inside = of_page(again.text) if is_html(again) else []
    same = nonces(policies) & nonces([*parse(again.all("content-security-policy")), *inside])
    findings.saw(key(name, "nonce"), "the same twice" if same else "another each time")
    findings.need(
        not same, f"{name}: the nonce of the policy is the same in two answers, so anybody knows it"
    )


def _judge_headers(
    settings: CspSettings,
    name: str,
    reply: Reply,
    policies: Sequence[Policy],
    own: Iterable[str],
    findings: Findings,
) -> None:
    if settings.hsts_min_days:
        days = hsts_days(reply.header("strict-transport-security") or "")
        findings.saw(key(name, "hsts_days"), days)
        findings.need(
            days >= settings.hsts_min_days,
            f"{name}: HSTS lasts {days} days; expected {settings.hsts_min_days}",
        )
    if settings.nosniff:
        told = {
            part.strip().lower() for one in reply.all("x-content-type-options") for part in one.split(",")
        }
        findings.need(told == {"nosniff"}, f"{name}: no X-Content-Type-Options: nosniff")
    if settings.frames:
        others = framed_by_others(policies, reply.all("x-frame-options"), (*own, *settings.framed_by))
        findings.need(not others, f"{name}: other sites may frame it ({others})")


def hsts_days(header: str) -> int:
    """Return how long Strict-Transport-Security lasts; 0 where it is no valid header (RFC 6797 6.1)."""
    told: dict[str, str] = {}
    for part in header.lower().split(";"):
        word, _, value = part.partition("=")
        told.setdefault(word.strip(), value.strip().strip('"'))
    age = told.get("max-age", "")
    return int(age) // 86_400 if age.isdecimal() else 0


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
    "web.cookies",
    CookiesSettings,
    guide=browsers.COOKIES,
    ttl=STEADY,
    leaves="a login of a test account",
    judges=Judges.CANDIDATE,
)
async def cookies(settings: CookiesSettings, context: CheckContext) -> Outcome:
    """Judge the attributes of every session cookie; logs a test account in."""
    findings = Findings()
    web = context.clients.web(context.tier)
    now_us = context.clock.wall_us()
    reply = await findings.look(web.log_in(settings.role))
    if reply is not None:
        if reply.status == 200:
            judge_cookies(
                web.word(MAIN),
                parse_cookies(reply, context.environment.login.path, now_us),
                settings.cookies,
                findings,
            )
        else:
            findings.blind(f"{reply.where} refused the test account {settings.role} with {reply.status}")
    if settings.sign_in is not None:
        seen = await findings.look(_browser_session(settings.sign_in, context, web))
        if seen is not None:
            judge_cookies(web.word(settings.sign_in.surface), seen, settings.sign_in_cookies, findings)
    return findings.outcome(
        f"{plural(len(settings.cookies) + len(settings.sign_in_cookies), 'cookie is', 'cookies are')} as intended"
    )


async def _browser_session(sign_in: SignIn, context: CheckContext, web: WebClient) -> list[Cookie]:
    first = await web.get(sign_in.surface, sign_in.csrf_path)
    token = text(first.need_success(expected="a CSRF token").object("a CSRF token"), sign_in.csrf_field)
    seen = parse_cookies(first, sign_in.csrf_path, context.clock.wall_us())
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
    return [*seen, *parse_cookies(second, sign_in.path, context.clock.wall_us())]
