"""Set-Cookie headers."""

from __future__ import annotations

from http.cookies import SimpleCookie

from console.rehearsal.dotmac.platform.settings import Cookie


def set_cookie(name: str, value: str, rules: Cookie) -> tuple[str, str]:
    """Return a Set-Cookie header; the value is quoted where a cookie needs that."""
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    crumb = jar[name]
    if rules.max_age_s is not None:
        crumb["max-age"] = rules.max_age_s
    if rules.path:
        crumb["path"] = rules.path
    if rules.domain:
        crumb["domain"] = rules.domain
    if rules.same_site:
        crumb["samesite"] = rules.same_site
    crumb["httponly"], crumb["secure"] = rules.http_only, rules.secure
    until = f"; Expires={rules.expires}" if rules.expires else ""
    return "Set-Cookie", crumb.OutputString() + until
