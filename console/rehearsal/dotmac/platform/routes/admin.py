"""The Admin UI: a Next.js application with NextAuth, as far as a probe from outside sees it."""

from __future__ import annotations

import hmac
from html import escape
from urllib.parse import parse_qs, quote, urlencode

from console.rehearsal.dotmac.platform.core import Answer, Call, fixed_answer, text_answer
from console.rehearsal.dotmac.platform.routes import tokens
from console.rehearsal.dotmac.platform.routes.auth import allow_login, check_password, token_for
from console.rehearsal.dotmac.platform.routes.cookies import set_cookie
from console.rehearsal.dotmac.platform.seeds import iso
from console.rehearsal.dotmac.platform.settings import WebSettings
from console.rehearsal.sim.seeded import digest, key
from state.base.clock import SECOND_US
from state.base.json import Json

CHUNK = "/_next/static/chunks/main-app-3f1b7c9d2e.js"
SESSION = "__Secure-next-auth.session-token"
CSRF = "__Host-next-auth.csrf-token"
CALLBACK = "__Secure-next-auth.callback-url"

_HEADERS = [
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Powered-By", "Next.js"),
]


def page(title: str, body: str, head: str = "") -> bytes:
    """Return one page of the Admin UI."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>{title}</title>{head}'
        f'<script src="{CHUNK}" defer=""></script></head><body><div id="__next">{body}</div></body></html>'
    ).encode()


def answer_admin(call: Call) -> Answer:
    """Return what the Admin UI answers."""
    answer = _route(call)
    answer.headers += _HEADERS
    return answer


def _route(call: Call) -> Answer:
    settings = call.settings.web
    if (fixed := settings.admin_answers.get(call.path)) is not None:
        return fixed_answer(fixed)
    if status := settings.admin_broken_paths.get(call.path):
        return Answer(status, page("Error", f"{status}"), content_type="text/html; charset=utf-8")
    match call.method, call.path:
        case (("GET" | "HEAD"), "/"):
            body = page("DotMac Admin", "<main>DotMac</main>", _head(settings))
            return Answer(200, body, content_type="text/html; charset=utf-8")
        case (("GET" | "HEAD"), "/login"):
            form = '<form><input name="username"/><input name="password" type="password"/></form>'
            body = page("Sign in", form, _head(settings))
            return Answer(settings.admin_login_status, body, content_type="text/html; charset=utf-8")
        case "GET", "/api/auth/csrf":
            return _csrf(call)
        case "GET", "/api/auth/providers":
            return _providers(call)
        case "GET", "/api/auth/session":
            return _session(call)
        case "POST", "/api/auth/callback/credentials":
            return _sign_in(call)
        case "GET", _ if call.path == CHUNK:
            return text_answer(_chunk(call), content_type="application/javascript; charset=utf-8")
        case _:
            return Answer(
                404, page("404", "This page could not be found."), content_type="text/html; charset=utf-8"
            )


def _head(settings: WebSettings) -> str:
    policy = settings.csp_admin_meta
    meta = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}"/>' if policy else ""
    return meta + settings.admin_head


def _chunk(call: Call) -> str:
    base = call.settings.web.bundle_api_url or f"https://{call.core.api_host}"
    socket = base.replace("http", "ws", 1)
    return (
        '(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[744],{1:(e,t,n)=>{"use strict";'
        f'const api="{base}",ws="{socket}/ws";n.d(t,{{api:()=>api,ws:()=>ws}})}}}}]);'
        + call.settings.web.bundle_more
    )


def _cookie(call: Call, name: str, value: str) -> list[tuple[str, str]]:
    rules = call.settings.web.admin_cookies.get(name)
    return [] if rules is None else [set_cookie(name, value, rules)]


def _csrf_token(call: Call, nonce: str) -> str:
    secret = key(call.core.seed, call.core.environment, "nextauth")
    return hmac.digest(secret.encode(), nonce.encode(), "sha256").hex()


def _csrf(call: Call) -> Answer:
    nonce = digest(call.core.seed, call.request_id).hex()[:32]
    token = _csrf_token(call, nonce)
    headers = _cookie(call, CSRF, f"{nonce}|{token}") + _cookie(
        call, CALLBACK, quote(f"https://{call.core.admin_host}", safe="")
    )
    return Answer(200, {"csrfToken": nonce}, headers)


def _providers(call: Call) -> Answer:
    base = f"https://{call.core.admin_host}/api/auth"
    provider = {
        "id": "credentials",
        "name": "Credentials",
        "type": "credentials",
        "signinUrl": f"{base}/signin/credentials",
        "callbackUrl": f"{base}/callback/credentials",
    }
    return Answer(200, {"credentials": provider})


def _sign_in(call: Call) -> Answer:
    fields = {name: values[0] for name, values in parse_qs(call.body.decode(errors="replace")).items()}
    nonce, _, token = call.cookies.get(CSRF, "").partition("|")
    base = f"https://{call.core.admin_host}"
    fresh = (
        nonce and hmac.compare_digest(token, _csrf_token(call, nonce)) and fields.get("csrfToken") == nonce
    )
    if not fresh:
        return Answer(200, {"url": f"{base}/api/auth/signin?csrf=true"})
    username = fields.get("username", fields.get("email", ""))
    draw = allow_login(call, "login", username)
    account = check_password(call, username, fields.get("password", "")) if draw.allowed else None
    if account is None:
        return Answer(401, {"url": f"{base}/login?{urlencode({'error': 'CredentialsSignin'})}"})
    now_s = call.core.now_us() // SECOND_US
    claims: dict[str, Json] = {
        "sub": account.user_id,
        "name": account.username,
        "exp": now_s + 86400,
        "iat": now_s,
    }
    session = tokens.sign(claims, key(call.core.seed, call.core.environment, "nextauth"))
    return Answer(200, {"url": f"{base}/dashboard"}, _cookie(call, SESSION, session))


def _session(call: Call) -> Answer:
    secret = key(call.core.seed, call.core.environment, "nextauth")
    now_s = call.core.now_us() // SECOND_US
    claims = tokens.read(call.cookies.get(SESSION, ""), secret, now_s=now_s)
    owner = next(
        (
            account
            for account in call.core.accounts.values()
            if claims and account.user_id == claims.get("sub")
        ),
        None,
    )
    if owner is None:
        return Answer(200, {})
    return Answer(
        200,
        {
            "user": {"id": owner.user_id, "name": owner.username, "email": owner.email},
            "expires": iso(call.core.now_us() + 86400 * SECOND_US),
            "accessToken": token_for(call, owner),
        },
    )
