from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest

from console.rehearsal.dotmac.platform import Recording
from console.rehearsal.dotmac.platform.routes import tokens
from state.base.json import Json, obj, objs, text
from tests.console.rehearsal.dotmac.platform.conftest import ACCOUNTS, ADMIN, ROLES, Site, body, start, stop

VERIFY = "/api/v1/auth/verify"
COOKIE_LOGIN = "/api/v1/auth/login/cookie"


def cookies(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for header in answer.headers.get_list("set-cookie"):
        found.update(SimpleCookie(header))
    return found


async def wrong(site: Site, username: str, path: str = COOKIE_LOGIN) -> httpx.Response:
    return await site.call(path, "POST", json={"username": username, "password": "not-it"})


async def forge(site: Site, key: str, algorithm: str = "HS256") -> int:
    claims: dict[str, Json] = {
        "sub": "x",
        "is_platform_admin": True,
        "exp": site.clock.wall_us() // 1_000_000 + 60,
    }
    token = tokens.sign(claims, key)
    if algorithm == "none":
        token = "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."
    answer = await site.call(VERIFY, header={"Authorization": f"Bearer {token}"})
    return answer.status_code


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_logs_in(site: Site, role: str) -> None:
    answer = await site.log_in(role)
    assert answer.status_code == 200
    assert (body(answer)["token_type"], body(answer)["expires_in"]) == ("bearer", 900)
    me = body(await site.call(VERIFY, role=role))
    assert (me["valid"], me["username"], me["roles"]) == (True, ACCOUNTS[role][0], [role])
    for path in ("/api/v1/auth/me", "/api/v1/auth/rbac/my-permissions", "/api/v1/secrets/health"):
        assert (await site.call(path, role=role)).status_code == 200
        assert (await site.call(path)).status_code == 401


async def test_a_wrong_password_is_401_and_no_body_is_422(site: Site) -> None:
    assert (await wrong(site, "smoke-admin", "/api/v1/auth/login")).status_code == 401
    assert (await site.call("/api/v1/auth/login", "POST", json={})).status_code == 422
    site.settings.auth.refused_roles = {"partner"}
    assert (await site.log_in("partner")).status_code == 401
    assert (await site.call("/api/v1/auth/register", "POST", json={})).status_code == 403


async def test_production_cookies(site: Site) -> None:
    found = cookies(await site.log_in("tenant_user", COOKIE_LOGIN))
    assert set(found) == {"access_token", "refresh_token", "csrf_token"}
    for name, crumb in found.items():
        assert crumb["secure"] is True
        assert (crumb["samesite"], crumb["path"], crumb["domain"]) == ("strict", "/", "")
        assert bool(crumb["httponly"]) == (name != "csrf_token")
    assert [found[one]["max-age"] for one in ("access_token", "refresh_token")] == ["900", "604800"]


async def test_staging_has_the_cookies_of_production(tmp_path: Path) -> None:
    staging = await start(tmp_path, "staging")
    found = cookies(await staging.log_in("tenant_user"))
    assert {(bool(one["secure"]), one["samesite"]) for one in found.values()} == {(True, "strict")}
    await stop(staging)


async def test_one_cookie_without_its_attribute(site: Site) -> None:
    site.settings.auth.cookies["refresh_token"].same_site = ""
    site.settings.auth.cookies["access_token"].http_only = False
    site.settings.auth.cookies_left_out = {"csrf_token"}
    found = cookies(await site.log_in("tenant_user"))
    assert set(found) == {"access_token", "refresh_token"}
    assert (found["access_token"]["samesite"], found["refresh_token"]["samesite"]) == ("strict", "")
    assert not found["access_token"]["httponly"]


async def test_two_factors_are_asked_for_with_headers(site: Site) -> None:
    site.settings.auth.mfa_roles = {"tenant_admin"}
    answer = await site.log_in("tenant_admin")
    assert (answer.status_code, answer.headers["X-2FA-Required"]) == (403, "true")
    assert answer.headers["X-User-ID"]


async def test_tokens_expire_on_the_clock_and_are_refreshed(site: Site) -> None:
    login = body(await site.log_in("tenant_user"))
    site.tokens["tenant_user"] = str(login["access_token"])
    await site.clock.advance(899)
    assert (await site.call(VERIFY, role="tenant_user")).status_code == 200
    await site.clock.advance(2)
    assert (await site.call(VERIFY, role="tenant_user")).status_code == 401
    assert (await site.call("/api/v1/tenants/current", role="tenant_user")).status_code == 400
    fresh = await site.call(
        "/api/v1/auth/refresh", "POST", json={"refresh_token": str(login["refresh_token"])}
    )
    site.tokens["tenant_user"] = str(body(fresh)["access_token"])
    assert (await site.call(VERIFY, role="tenant_user")).status_code == 200


async def test_forged_tokens_are_refused_unless_a_switch_believes_them(site: Site) -> None:
    keys = ("", "change-me", "default-secret-change-this")
    assert [await forge(site, key) for key in keys] == [401, 401, 401]
    site.settings.auth.forged_keys = {"", "change-me"}
    assert [await forge(site, key) for key in keys] == [200, 200, 401]
    assert await forge(site, "", "none") == 401
    site.settings.auth.unsigned_tokens = True
    assert await forge(site, "", "none") == 200
    assert await forge(site, site.platform.secret("jwt")) == 200


async def test_the_cookie_login_is_limited_and_recovers(site: Site) -> None:
    seen = [(await wrong(site, "nobody-1")).status_code for _ in range(8)]
    assert seen == [401] * 5 + [429] * 3
    last = await wrong(site, "nobody-1")
    assert "error" in body(last)
    assert not {"retry-after", "x-ratelimit-limit"} & set(last.headers)
    assert (await site.log_in("tenant_user", COOKIE_LOGIN)).status_code == 200
    await site.clock.advance(60)
    assert (await wrong(site, "nobody-1")).status_code == 401


async def test_what_the_limiter_can_do_wrong(site: Site) -> None:
    site.settings.auth.cookie_login_limit = None
    assert {(await wrong(site, "nobody-2")).status_code for _ in range(20)} == {401}
    site.settings.auth.cookie_login_limit = 5
    site.settings.auth.limit_by_username = False
    site.settings.auth.limit_headers = True
    for number in range(6):
        last = await wrong(site, f"nobody-{number}")
    assert (last.status_code, last.headers["X-RateLimit-Limit"]) == (429, "5")
    assert (await site.log_in("tenant_user", COOKIE_LOGIN)).status_code == 429
    await site.clock.advance(61)
    assert (await site.log_in("tenant_user", COOKIE_LOGIN)).status_code == 200


async def test_a_limiter_that_leaks_refuses_everyone_for_ever(site: Site) -> None:
    site.settings.auth.limiter_leaks = True
    for _ in range(6):
        await wrong(site, "nobody-3")
    await site.clock.advance(3600)
    assert (await site.log_in("tenant_user", COOKIE_LOGIN)).status_code == 429
    assert (await site.log_in("tenant_user")).status_code == 200


async def test_lockout(site: Site) -> None:
    site.settings.auth.lockout_after = 3
    seen = [(await wrong(site, "smoke-partner", "/api/v1/auth/login")).status_code for _ in range(4)]
    assert seen == [401, 401, 401, 403]
    assert (await site.log_in("partner")).status_code == 403


async def test_a_cookie_caller_needs_the_csrf_token(site: Site) -> None:
    found = cookies(await site.log_in("tenant_admin", COOKIE_LOGIN))
    jar = {"Cookie": "; ".join(f"{name}={crumb.value}" for name, crumb in found.items())}
    assert (await site.call("/api/v1/jobs", header=jar)).status_code == 200
    assert (await site.call("/api/v1/jobs", "POST", header=jar, json={})).status_code == 403
    good = {**jar, "X-CSRF-Token": found["csrf_token"].value}
    assert (await site.call("/api/v1/jobs", "POST", header=good, json={})).status_code == 201
    site.settings.auth.csrf_missing_status = 500
    assert (await site.call("/api/v1/jobs", "POST", header=jar, json={})).status_code == 500


async def activities(site: Site) -> list[str]:
    answer = await site.call("/api/v1/audit/activities?per_page=200", role="platform_admin")
    return [text(activity, "username") for activity in objs(body(answer).get("activities"))]


async def test_a_failed_login_is_in_the_trail_by_api_and_by_sql(site: Site) -> None:
    await wrong(site, "probe-1")
    assert "probe-1" in await activities(site)
    rows = site.platform.database.query(
        "SELECT activity_type, action, ip_address, timestamp FROM audit_activities WHERE username = 'probe-1'"
    )
    assert [tuple(row.values())[:3] for row in rows] == [("api.request", "login_failed", "127.0.0.1")]
    assert str(rows[0]["timestamp"]).startswith("2026-11-18 ")
    listed = await site.call("/api/v1/audit/activities?action=login_success", role="platform_admin")
    assert {text(activity, "activity_type") for activity in objs(body(listed).get("activities"))} == {
        "user.login"
    }


async def test_a_trail_that_is_off_late_or_unread(site: Site) -> None:
    site.settings.flows.audit = Recording.OFF
    await wrong(site, "probe-off")
    site.settings.flows.audit = Recording.DELAYED
    await wrong(site, "probe-late")
    assert not {"probe-off", "probe-late"} & set(await activities(site))
    await site.clock.advance(601)
    site.tokens.clear()
    assert "probe-late" in await activities(site)
    site.settings.flows.audit, site.settings.flows.audit_api_empty = Recording.ON, True
    assert await activities(site) == []


async def test_login_statistics_are_counted_unless_they_are_a_placeholder(site: Site) -> None:
    await wrong(site, "probe-2")
    counted = body(await site.call("/api/v1/auth/metrics", role="platform_admin"))
    assert (counted["failed_logins"], counted["successful_logins"]) == (1, 1)
    recent = body(await site.call("/api/v1/admin/platform/audit/recent", role="platform_admin"))
    assert recent["total"] == 2
    site.settings.flows.auth_metrics_zero = site.settings.flows.recent_audit_empty = True
    zero = body(await site.call("/api/v1/auth/metrics", role="platform_admin"))
    assert (zero["failed_logins"], zero["total_logins"]) == (0, 0)
    empty = body(await site.call("/api/v1/admin/platform/audit/recent", role="platform_admin"))
    assert (empty["actions"], empty["total"]) == ([], 0)


async def test_the_admin_ui_signs_in_by_nextauth(site: Site) -> None:
    csrf = await site.admin("/api/auth/csrf")
    crumbs = cookies(csrf)
    token = crumbs["__Host-next-auth.csrf-token"]
    assert (token["httponly"], token["secure"], token["samesite"]) == (True, True, "Lax")
    assert obj((await site.admin("/api/auth/providers")).json()).keys() == {"credentials"}
    username, password, _ = ACCOUNTS["tenant_admin"]
    form = {"csrfToken": str(body(csrf)["csrfToken"]), "username": username, "password": password}
    jar = {"Cookie": f"__Host-next-auth.csrf-token={token.value}"}
    path = "/api/auth/callback/credentials"
    signed = await site.call(path, "POST", host=ADMIN, data=form, header=jar)
    session = cookies(signed)["__Secure-next-auth.session-token"]
    assert (session["httponly"], session["secure"], session["samesite"]) == (True, True, "Lax")
    mine = await site.call(
        "/api/auth/session",
        host=ADMIN,
        header={"Cookie": f"__Secure-next-auth.session-token={session.value}"},
    )
    assert obj(body(mine)["user"])["name"] == username
    refused = await site.call(path, "POST", host=ADMIN, data=form | {"password": "x"}, header=jar)
    assert refused.status_code == 401
