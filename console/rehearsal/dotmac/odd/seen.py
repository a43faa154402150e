"""What a browser or a caller sees otherwise than one would expect, and rightly."""

from __future__ import annotations

import json

from console.rehearsal.dotmac.faults.changes import Flaw, answered, at_once, switched
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Cookie, Metrics
from console.rehearsal.dotmac.platform.ingress import admin_csp
from console.rehearsal.world.fault import Fault, odd, together

_STRICT = (
    "script-src 'nonce-{nonce}' 'strict-dynamic' https: http: 'unsafe-inline'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""As published for whoever begins: what stands beside strict-dynamic is for browsers that don't know it."""
_HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
_OWN = admin_csp(Env.PRODUCTION.hosts[0])
_WEAK = "default-src * 'unsafe-inline' 'unsafe-eval'"
_NEXTAUTH = 'const d=new URL("http://localhost:3000/api/auth");'
_SUMMARY = "/api/v1/auth/metrics"


def _odd(name: str, item: str, what: str, *flaws: Flaw) -> Fault:
    """Return that both environments are odd, from the beginning on."""
    return odd(name, item, what, together(*(at_once(env, *flaws) for env in Env)))


def _csp(name: str, what: str, policy: str) -> Fault:
    return _odd(name, "3.2", what, switched("web.csp_admin_text", policy))


def _cookie(name: str, **changes: object) -> Flaw:
    given: dict[str, object] = {"max_age_s": 900, **changes}
    return switched(f"auth.cookies.{name}", Cookie(**given))  # type: ignore[arg-type]  # checked when it is made


ODD: tuple[Fault, ...] = (
    _csp(
        "csp-nonce", "the CSP allows scripts by a nonce", f"{_OWN}; script-src-elem 'self' 'nonce-{{nonce}}'"
    ),
    _csp("csp-strict-dynamic", "the CSP is the strict one as it is published", _STRICT),
    _csp(
        "csp-hash",
        "the CSP allows one inline script by its hash, and says unsafe-inline for old browsers",
        f"default-src 'self'; script-src 'self' {_HASH} 'unsafe-inline'; frame-ancestors 'none'",
    ),
    _csp("csp-repeated", "the CSP has script-src twice: the first counts", f"{_OWN}; script-src *"),
    _csp("csp-two-by-comma", "one header has two policies, a weak and a strong one", f"{_WEAK}, {_OWN}"),
    _csp(
        "csp-trusted-types",
        "the CSP wants trusted types",
        f"{_OWN}; require-trusted-types-for 'script'; trusted-types nextjs",
    ),
    _csp(
        "csp-framed-by-itself",
        "the Admin UI frames itself",
        _OWN.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
    ),
    _csp(
        "csp-upgrades",
        "the CSP upgrades requests and reports",
        f"{_OWN}; upgrade-insecure-requests; report-uri /csp",
    ),
    _csp(
        "csp-capitals",
        "the CSP is written in capitals",
        _OWN.replace("script-src 'self'", "SCRIPT-SRC 'SELF'"),
    ),
    _csp(
        "csp-a-host",
        "the CSP names one host of scripts",
        _OWN.replace("script-src 'self'", "script-src 'self' https://cdn.dotmac.test/v1/"),
    ),
    _odd(
        "csp-two-headers",
        "3.2",
        "two CSP headers come: each is enforced",
        switched("web.csp_admin_more", (_WEAK,)),
    ),
    _odd(
        "csp-in-page",
        "3.2",
        "the page has a further policy in itself",
        switched("web.csp_admin_meta", "script-src 'self'; object-src 'none'"),
    ),
    _odd(
        "hsts-preload",
        "3.2",
        "HSTS lasts two years, and is preloaded",
        switched("web.hsts", "max-age=63072000; includeSubDomains; preload"),
    ),
    _odd(
        "hsts-quoted",
        "3.2",
        "HSTS is written with quotes, after another word",
        switched("web.hsts", 'includeSubDomains; max-age="31536000"'),
    ),
    _odd(
        "frames-of-own", "3.2", "X-Frame-Options is SAMEORIGIN", switched("web.frame_options", "SAMEORIGIN")
    ),
    _odd(
        "cookie-by-date",
        "3.4",
        "the access cookie has an old Expires beside its Max-Age, which wins",
        _cookie("access_token", expires="Thu, 01 Jan 2015 00:00:00 GMT"),
    ),
    _odd(
        "cookie-of-session",
        "3.4",
        "the access cookie lives until the browser is closed",
        _cookie("access_token", max_age_s=None),
    ),
    _odd(
        "cookie-for-scripts",
        "3.4",
        "the login sets a cookie with the language, which scripts read",
        switched("auth.more_cookies", ["lang=en; Path=/; Max-Age=31536000"]),
    ),
    _odd(
        "cookie-clears",
        "3.4",
        "the login deletes an old cookie",
        switched("auth.more_cookies", ["session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]),
    ),
    _odd(
        "limit-per-address",
        "3.3",
        "wrong passwords are limited for each address",
        switched("auth.limit_by_username", False),
    ),
    _odd("limit-headers", "3.3", "the limiter says when to come again", switched("auth.limit_headers", True)),
    _odd(
        "limit-tight",
        "3.3",
        "three wrong passwords in a minute are enough",
        switched("auth.cookie_login_limit", 3),
    ),
    _odd(
        "lockout",
        "3.3",
        "an account is locked after five wrong passwords",
        switched("auth.cookie_login_limit", None),
        switched("auth.lockout_after", 5),
        switched("auth.lockout_status", 423),
    ),
    _odd(
        "metrics-internal",
        "6.2",
        "/metrics is for the cluster alone",
        switched("health.metrics", Metrics.INTERNAL),
    ),
    _odd("redirect-301", "6.1", "plain HTTP is redirected by 301", switched("web.redirect_status", 301)),
    _odd(
        "docs-behind-login",
        "5.4",
        "/docs leads to the login",
        answered("/docs", 401, '{"detail": "Not authenticated"}'),
        answered("/redoc", 403, '{"detail": "Forbidden"}'),
    ),
    _odd(
        "inventory-closed",
        "2.2",
        "the API's inventory isn't public",
        switched("health.openapi_public", False),
    ),
    _odd(
        "log-names-debug",
        "5.4",
        "the log says that DEBUG is off",
        switched(
            "health.log_more",
            ("2026-11-30 17:00:01 INFO settings: DEBUG=False",),
        ),
    ),
    _odd(
        "nextauth-default",
        "5.1",
        "the script holds NextAuth's own localhost default",
        switched("web.bundle_more", _NEXTAUTH),
    ),
    _odd(
        "script-of-others",
        "5.1",
        "the pages load a script of somebody else",
        switched("web.admin_head", '<script src="https://js.paystack.co/v1/inline.js"></script>'),
    ),
    _odd(
        "placeholder-removed",
        "2.3",
        "the login statistics were removed",
        answered(_SUMMARY, 404, json.dumps({"detail": "Not Found"})),
    ),
)
