"""Set-Cookie headers, taken apart without keeping their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from checks.base import Settings
from checks.judging import Findings, key

if TYPE_CHECKING:
    from checks.clients.wire import Reply

Cookies = dict[str, dict[str, str]]
"""By name: the attributes, with lower-case names; a flag's value is empty."""


class CookieRule(Settings):
    """What a cookie must be."""

    http_only: bool = True
    """Scripts must not read it."""
    secure: bool = True
    """It must go over TLS alone."""
    same_site: tuple[Literal["strict", "lax", "none"], ...] = ("strict",)
    """What SameSite may be."""
    path: str = "/"
    """The Path attribute."""
    host_only: bool = True
    """No Domain attribute: no other host gets it."""
    max_days: int | None = None
    """It may live no longer; a session cookie always passes."""


def parse_cookies(reply: Reply) -> Cookies:
    """Return the cookies that an answer sets; those that it deletes are left out."""
    found: Cookies = {}
    for header in reply.all("set-cookie"):
        pair, *rest = header.split(";")
        attributes = {}
        for part in rest:
            name, _, value = part.strip().partition("=")
            attributes[name.lower()] = value.strip()
        if attributes.get("max-age") != "0":
            found[pair.partition("=")[0].strip()] = attributes
    return found


def judge_cookies(surface: str, seen: Cookies, rules: dict[str, CookieRule], findings: Findings) -> None:
    """Add what is wrong with each cookie that a rule names, and with those that no rule names."""
    for name, rule in rules.items():
        if name not in seen:
            findings.wrong(f"{surface} cookie {name} is not set")
            continue
        attributes = seen[name]
        shown = sorted(f"{k}={v}" if v else k for k, v in attributes.items() if k != "expires")
        findings.saw(key(surface, name), list(shown))
        for problem in _problems(rule, attributes):
            findings.wrong(f"{surface} cookie {name} {problem}")
    for name in sorted(set(seen) - set(rules)):
        findings.saw(key(surface, name), "no rule names it")


def _problems(rule: CookieRule, attributes: dict[str, str]) -> list[str]:
    site = attributes.get("samesite", "").lower()
    expected = " or ".join(rule.same_site)
    problems = []
    if rule.http_only and "httponly" not in attributes:
        problems.append("is not HttpOnly")
    if rule.secure and "secure" not in attributes:
        problems.append("is not Secure")
    if not site:
        problems.append(f"has no SameSite; expected {expected}")
    elif site not in rule.same_site:
        problems.append(f"has SameSite={site}; expected {expected}")
    if attributes.get("path", "/") != rule.path:
        problems.append(f"has Path={attributes.get('path')}; expected {rule.path}")
    if rule.host_only and "domain" in attributes:
        problems.append("has a Domain, so other hosts get it")
    age = attributes.get("max-age", "")
    if rule.max_days is not None and age.isdigit() and int(age) > rule.max_days * 86_400:
        problems.append(f"lives {int(age) // 86_400} days; expected at most {rule.max_days}")
    return problems
