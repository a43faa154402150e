"""Set-Cookie headers as browsers take them (RFC 6265bis), without keeping their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal

from checks.base import Settings
from checks.judging import Findings, key
from state.base.times import SECOND_US, micros

if TYPE_CHECKING:
    from checks.clients.wire import Reply

_DAY_S: Final = 86_400
_SESSION: Final = re.compile(r"sess|token|auth|jwt|(?:^|[-_.])sid(?:$|[-_.])|remember|login", re.IGNORECASE)
"""Names of what lets its holder in."""
_OPEN: Final = re.compile(r"csrf|xsrf|callback", re.IGNORECASE)
"""What scripts have to read."""
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie as one Set-Cookie header sets it."""

    name: str
    attributes: Mapping[str, str]
    """With lower-case names; of one that stands twice the last counts. A flag's value is empty."""
    path: str
    """Where it goes: its Path, or the folder of the page that set it."""
    lives_s: int | None
    """How long it lives; None: until the browser is closed."""
    lets_in: bool
    """Whether its name or form says that whoever holds it is let in."""

    @property
    def problem(self) -> str:
        """Why browsers drop it, or nothing."""
        low = self.name.lower()
        secure, site = "secure" in self.attributes, self.attributes.get("samesite", "").lower()
        if low.startswith("__host-") and not (
            secure and self.attributes.get("path") == "/" and "domain" not in self.attributes
        ):
            return "is dropped by browsers: __Host- needs Secure, Path=/ and no Domain"
        if low.startswith("__secure-") and not secure:
            return "is dropped by browsers: __Secure- needs Secure"
        if site == "none" and not secure:
            return "is dropped by browsers: SameSite=None needs Secure"
        return ""


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


def parse_cookies(reply: Reply, path: str, now_us: int) -> list[Cookie]:
    """Return the cookies that an answer to a request for ``path`` sets; those that it deletes are left out."""
    found = []
    for header in reply.all("set-cookie"):
        pair, *rest = header.split(";")
        name, _, value = pair.partition("=")
        attributes: dict[str, str] = {}
        for part in rest:
            word, _, given = part.strip().partition("=")
            attributes[word.strip().lower()] = given.strip()
        lives_s = _lives_s(attributes, now_us)
        if lives_s is not None and lives_s <= 0:
            continue
        given = attributes.get("path", "")
        where = given if given.startswith("/") else _folder(path)
        lets_in = bool(_SESSION.search(name) or _JWT.fullmatch(value.strip().strip('"')))
        found.append(Cookie(name.strip(), attributes, where, lives_s, lets_in))
    return found


def _folder(path: str) -> str:
    """Return the default path of a cookie (RFC 6265 5.1.4)."""
    return path.partition("?")[0].rpartition("/")[0] or "/"


def _lives_s(attributes: Mapping[str, str], now_us: int) -> int | None:
    """Return how long a cookie lives: by Max-Age where it is a number, or else by Expires where it is a date."""
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d+", age):
        return int(age)
    try:
        return (micros(parsedate_to_datetime(attributes.get("expires", ""))) - now_us) // SECOND_US
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def judge_cookies(surface: str, seen: list[Cookie], rules: dict[str, CookieRule], findings: Findings) -> None:
    """Add what is wrong with each cookie that a rule names, as often as it is set, and with others that let in."""
    for name, rule in rules.items():
        own = [cookie for cookie in seen if cookie.name == name]
        findings.need(bool(own), f"{surface} cookie {name} is not set")
        for cookie in own:
            findings.saw(key(surface, name), _shown(cookie))
            for problem in _problems(rule, cookie):
                findings.wrong(f"{surface} cookie {name} {problem}")
    for cookie in (one for one in seen if one.name not in rules):
        findings.saw(key(surface, cookie.name), "no rule names it")
        if cookie.lets_in:
            _other(surface, cookie, findings)


def _shown(cookie: Cookie) -> list[str]:
    return sorted(f"{k}={v}" if v else k for k, v in cookie.attributes.items() if k != "expires")


def _other(surface: str, cookie: Cookie, findings: Findings) -> None:
    """Judge a cookie that no rule names and that lets its holder in, by what holds of every such cookie."""
    lacks = [
        word
        for word, there in (
            ("Secure", "secure" in cookie.attributes),
            ("HttpOnly", "httponly" in cookie.attributes or bool(_OPEN.search(cookie.name))),
            ("SameSite", bool(cookie.attributes.get("samesite"))),
        )
        if not there
    ]
    findings.need(
        not lacks, f"{surface} cookie {cookie.name}, which no rule names, is not {', '.join(lacks)}"
    )


def _problems(rule: CookieRule, cookie: Cookie) -> list[str]:
    attributes = cookie.attributes
    site = attributes.get("samesite", "").lower()
    expected = " or ".join(rule.same_site)
    problems = [cookie.problem] if cookie.problem else []
    if rule.http_only and "httponly" not in attributes:
        problems.append("is not HttpOnly")
    if rule.secure and "secure" not in attributes:
        problems.append("is not Secure")
    if not site:
        problems.append(f"has no SameSite; expected {expected}")
    elif site not in rule.same_site:
        problems.append(f"has SameSite={site}; expected {expected}")
    if cookie.path != rule.path:
        problems.append(f"has Path={cookie.path}; expected {rule.path}")
    if rule.host_only and attributes.get("domain"):
        problems.append("has a Domain, so other hosts get it")
    if rule.max_days is not None and (cookie.lives_s or 0) > rule.max_days * _DAY_S:
        problems.append(f"lives {(cookie.lives_s or 0) // _DAY_S} days; expected at most {rule.max_days}")
    return problems
