"""Login, tokens and who a caller is."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from console.rehearsal.dotmac.platform.core import Answer, Call, Route, error
from console.rehearsal.dotmac.platform.database import Activity
from console.rehearsal.dotmac.platform.routes import tokens
from console.rehearsal.dotmac.platform.routes.access import MATRIX, permissions
from console.rehearsal.dotmac.platform.routes.cookies import set_cookie
from console.rehearsal.dotmac.platform.routes.limits import Draw
from console.rehearsal.dotmac.platform.seeds import Account
from state.base.clock import SECOND_US
from state.base.json import JsonObject, flag, text, texts

_PATH = "/api/v1/auth"
_REFRESH_LIMIT = 10


def token_for(call: Call, account: Account, *, kind: str = "access") -> str:
    """Return a token that the platform signed for ``account``."""
    now_s = call.core.now_us() // SECOND_US
    lifetime_s = call.settings.auth.token_lifetime_s if kind == "access" else 7 * 86400
    claims: JsonObject = {
        "sub": account.user_id,
        "username": account.username,
        "email": account.email,
        "tenant_id": account.tenant.id if account.tenant else None,
        "is_platform_admin": account.role == "platform_admin",
        "roles": [account.role],
        "permissions": permissions(account.role),
        "session_id": call.core.new_id("session"),
        "jti": call.core.new_id("token"),
        "type": kind,
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "iat": now_s,
        "exp": now_s + lifetime_s,
    }
    return tokens.sign(claims, call.core.key("jwt"))


def identify(call: Call) -> Account | None:
    """Return who sends a request, by bearer token or cookie; None where the token is missing or bad."""
    bearer = call.headers.get("Authorization", "")
    token = bearer[7:] if bearer.lower().startswith("bearer ") else call.cookies.get("access_token", "")
    return _owner(call, token, "access") if token else None


def _owner(call: Call, token: str, kind: str) -> Account | None:
    settings = call.settings.auth
    careless = tokens.Carelessness(
        settings.forged_keys, settings.forged_algorithms, settings.unsigned_tokens, settings.unsigned_words
    )
    now_s = call.core.now_us() // SECOND_US
    claims = tokens.read(token, call.core.key("jwt"), now_s=now_s, careless=careless)
    if claims is None or text(claims, "type", kind) != kind:
        return None
    subject = text(claims, "sub")
    known = next((account for account in call.core.accounts.values() if account.user_id == subject), None)
    return known or _stranger(claims, subject)


def _stranger(claims: JsonObject, subject: str) -> Account:
    """A well signed token is believed, whoever its claims name: the platform asks no session store."""
    roles = texts(claims.get("roles"))
    role = next((one for one in roles if one in MATRIX), "tenant_user")
    if flag(claims, "is_platform_admin") or "platform:admin" in texts(claims.get("permissions")):
        role = "platform_admin"
    name = text(claims, "username", subject)
    return Account(role, subject, name, "", text(claims, "email"), None)


def allow_login(call: Call, route: str, username: str) -> Draw:
    """Count one attempt at ``route`` against its limit; only "login" and "login/cookie" have one."""
    settings = call.settings.auth
    limit = {"login": settings.login_limit, "login/cookie": settings.cookie_login_limit}.get(route)
    client = f"{call.source} {username.lower()}" if settings.limit_by_username else call.source
    if settings.limit_for_all:
        client = "everybody"
    if limit is None:
        return Draw(allowed=True, limit=0, remaining=0, retry_after_s=0)
    return call.core.limiter.draw(
        route, client, limit=limit, window_s=settings.limit_window_s, leaks=settings.limiter_leaks
    )


def check_password(call: Call, username: str, password: str) -> Account | None:
    """Return the account that the password belongs to, or None; either way it is in the audit trail."""
    expected = username.lower()
    account = next(
        (one for one in call.core.accounts.values() if expected in (one.username.lower(), one.email.lower())),
        None,
    )
    right = account is not None and hmac.compare_digest(account.password.encode(), password.encode())
    failures = call.core.failed_logins
    if account is None or not right or account.role in call.settings.auth.refused_roles:
        failures[expected] = failures.get(expected, 0) + 1
        note = Activity(
            "api.request",
            call.settings.flows.failed_login_action,
            f"Failed login for {username[:100]}",
            "high",
            username=username[:100],
        )
        account = None
    else:
        failures.pop(expected, None)
        home = account.tenant.id if account.tenant else None
        note = Activity(
            "user.login",
            "login_success",
            f"User {account.username} logged in",
            tenant_id=home,
            user_id=account.user_id,
            username=account.username,
        )
    call.core.record_from(note, call)
    level = "INFO" if account else "WARNING"
    call.core.log(level, f"{note.action} username={username[:100]}", call.correlation_id)
    return account


def _credentials(call: Call) -> tuple[str, str]:
    body = call.json()
    if body:
        return text(body, "username") or text(body, "email"), text(body, "password")
    form = parse_qs(call.body.decode(errors="replace"))
    return form.get("username", [""])[0], form.get("password", [""])[0]


def limited(call: Call, draw: Draw) -> Answer:
    """Return the 429 of the login limiter: the real one has neither Retry-After nor X-RateLimit headers."""
    answer = Answer(429, {"error": f"Rate limit exceeded: {draw.limit} per 1 minute"})
    if call.settings.auth.limit_headers:
        answer.headers += [
            ("Retry-After", str(draw.retry_after_s)),
            ("X-RateLimit-Limit", str(draw.limit)),
            ("X-RateLimit-Remaining", str(draw.remaining)),
        ]
    return answer


def _attempt(call: Call, route: str) -> Account | Answer:
    username, password = _credentials(call)
    if not username or not password:
        return error(call, 422, "username and password are required")
    draw = allow_login(call, route, username)
    if not draw.allowed:
        return limited(call, draw)
    lockout = call.settings.auth.lockout_after
    if lockout is not None and call.core.failed_logins.get(username.lower(), 0) >= lockout:
        return error(
            call,
            call.settings.auth.lockout_status,
            "Account locked after too many failed logins",
            "ACCOUNT_LOCKED",
        )
    account = check_password(call, username, password)
    if account is None:
        return error(call, 401, "Invalid username or password")
    if account.role in call.settings.auth.mfa_roles:
        answer = error(call, 403, "2FA verification required", "TWO_FACTOR_REQUIRED")
        answer.headers += [("X-2FA-Required", "true"), ("X-User-ID", account.user_id)]
        return answer
    return account


def _cookies(call: Call, access: str, refresh: str) -> list[tuple[str, str]]:
    values = {"access_token": access, "refresh_token": refresh, "csrf_token": call.core.new_id("csrf")}
    rules = call.settings.auth.cookies
    left_out = call.settings.auth.cookies_left_out
    return [
        set_cookie(name, values[name], rules[name])
        for name in values
        if name in rules and name not in left_out
    ] + [("Set-Cookie", header) for header in call.settings.auth.more_cookies]


def _tokens(call: Call, account: Account) -> Answer:
    access, refresh = token_for(call, account), token_for(call, account, kind="refresh")
    body: JsonObject = {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": call.settings.auth.token_lifetime_s,
    }
    return Answer(200, body, _cookies(call, access, refresh))


def _login(call: Call) -> Answer:
    found = _attempt(call, "login")
    return found if isinstance(found, Answer) else _tokens(call, found)


def _login_cookie(call: Call) -> Answer:
    found = _attempt(call, "login/cookie")
    if isinstance(found, Answer):
        return found
    answer = _tokens(call, found)
    answer.body = {
        "success": True,
        "user_id": found.user_id,
        "username": found.username,
        "email": found.email,
        "roles": [found.role],
        "message": "Login successful",
    }
    return answer


def _token_form(call: Call) -> Answer:
    found = _attempt(call, "token")
    return found if isinstance(found, Answer) else _tokens(call, found)


def _second_factor(call: Call) -> Answer:
    return error(call, 401, "Invalid verification code")


def _refresh(call: Call) -> Answer:
    settings = call.settings.auth
    draw = call.core.limiter.draw(
        "refresh",
        call.source,
        limit=_REFRESH_LIMIT,
        window_s=settings.limit_window_s,
        leaks=settings.limiter_leaks,
    )
    if not draw.allowed:
        return limited(call, draw)
    token = text(call.json(), "refresh_token") or call.cookies.get("refresh_token", "")
    account = _owner(call, token, "refresh")
    return _tokens(call, account) if account else error(call, 401, "Invalid refresh token")


def _logout(call: Call) -> Answer:
    answer = Answer(200, {"message": "Logged out successfully"})
    answer.headers = [("Set-Cookie", f"{name}=; Max-Age=0; Path=/") for name in call.settings.auth.cookies]
    return answer


def _register(call: Call) -> Answer:
    return error(call, 403, "Self registration is disabled")


def _verify(call: Call) -> Answer:
    return Answer(200, {"valid": True, **_profile(call)})


def _me(call: Call) -> Answer:
    profile = _profile(call)
    return Answer(200, {**profile, "id": profile["user_id"], "is_active": True})


def _my_permissions(call: Call) -> Answer:
    profile = _profile(call)
    return Answer(200, {"permissions": profile["permissions"], "roles": profile["roles"]})


def _profile(call: Call) -> dict[str, JsonObject | str | bool | list[str] | None]:
    account = call.account
    if account is None:
        raise LookupError("a route behind the login has a caller")
    return {
        "user_id": account.user_id,
        "username": account.username,
        "email": account.email,
        "tenant_id": account.tenant.id if account.tenant else None,
        "roles": [account.role],
        "permissions": permissions(account.role),
        "is_platform_admin": account.role == "platform_admin",
    }


ROUTES = (
    Route("POST", f"{_PATH}/login", _login, anonymous=200),
    Route("POST", f"{_PATH}/login/cookie", _login_cookie, anonymous=200),
    Route("POST", f"{_PATH}/login/verify-2fa", _second_factor, anonymous=200),
    Route("POST", f"{_PATH}/token", _token_form, anonymous=200),
    Route("POST", f"{_PATH}/refresh", _refresh, anonymous=200),
    Route("POST", f"{_PATH}/register", _register, anonymous=200),
    Route("POST", f"{_PATH}/logout", _logout, anonymous=401),
    Route("GET", f"{_PATH}/verify", _verify, anonymous=401),
    Route("GET", f"{_PATH}/me", _me, anonymous=401),
    Route("GET", f"{_PATH}/rbac/my-permissions", _my_permissions, anonymous=401),
)
