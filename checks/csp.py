"""Content-Security-Policy as browsers read it (CSP level 3): what of a page's scripts a set of policies leaves open.

A header may hold several policies, apart by commas, and there may be several headers: each is enforced, so that only
what every one of them allows is allowed. Of a directive that stands twice in a policy the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final

Policy = Mapping[str, tuple[str, ...]]
"""Directive -> its sources, both in lower case, nonces as they are."""


class Threat(StrEnum):
    """What a policy should keep from a page."""

    INLINE = "inline"
    EVAL = "eval"
    ANY_HOST = "any host"
    DATA = "data"


_NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_HASH: Final = re.compile(r"'sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}'", re.IGNORECASE)
_EVERY_HOST: Final = re.compile(r"(?:(?:https?|wss?)://)?\*(?::(?:\*|\d+))?/?", re.IGNORECASE)
_EVERY_OF_A_TOP_LEVEL: Final = re.compile(r"(?:(?:https?)://)?\*\.[a-z]{2,}(?::(?:\*|\d+))?/?", re.IGNORECASE)
_SCHEMES: Final = frozenset({"http:", "https:", "ws:", "wss:"})
_BUILT_IN: Final = frozenset({"'unsafe-inline'", "'unsafe-eval'", "data:", "*", *_SCHEMES})
_NO_POLICY: Final[Mapping[str, str]] = {str(threat): "any source" for threat in Threat}
ELEMENTS: Final = ("script-src-elem", "script-src", "default-src")
ATTRIBUTES: Final = ("script-src-attr", "script-src", "default-src")
STYLES: Final = ("style-src", "default-src")


def parse(headers: Iterable[str]) -> list[Policy]:
    """Return the policies of some headers' values; one without any directive is none."""
    found: list[Policy] = []
    for text in (part for header in headers for part in header.split(",")):
        policy: dict[str, tuple[str, ...]] = {}
        for clause in text.split(";"):
            words = clause.split()
            if words:
                policy.setdefault(words[0].lower(), tuple(map(_lower, words[1:])))
        if policy:
            found.append(policy)
    return found


def _lower(source: str) -> str:
    return source if source.lower().startswith(("'nonce-", "'sha")) else source.lower()


def nonces(policies: Iterable[Policy]) -> set[str]:
    """Return the nonces that scripts may have."""
    return {
        match[1]
        for policy in policies
        for name in ELEMENTS
        for source in policy.get(name, ())
        if (match := _NONCE.fullmatch(source))
    }


def open_to(
    policies: Sequence[Policy], required: Iterable[str] = (), unsafe: Iterable[str] = ()
) -> list[str]:
    """Return the sources by which scripts may come that no policy keeps out, sorted; nothing where all is closed.

    ``required`` are unsafe sources that are accepted, ``unsafe`` further ones.
    """
    if not policies:
        return ["any source"]
    unsafe = frozenset(unsafe) - _BUILT_IN
    each = [_weak(policy, frozenset(required), unsafe) for policy in policies]
    common = [threat for threat in (*Threat, *unsafe) if all(threat in weak for weak in each)]
    words = [min((weak[threat] for weak in each), key=lambda word: word == "any source") for threat in common]
    return sorted(set(words))


def styles_open(policies: Sequence[Policy]) -> bool:
    """Return whether inline styles are allowed by every policy."""
    return bool(policies) and all(_inline(_effective(policy, STYLES), strict=False) for policy in policies)


def _weak(policy: Policy, required: frozenset[str], unsafe: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for names in (ELEMENTS, ATTRIBUTES):
        sources = _effective(policy, names)
        if sources is None:
            return {**_NO_POLICY}
        kept = tuple(source for source in sources if source not in required)
        strict = "'strict-dynamic'" in kept
        if _inline(kept, strict=True):
            found[Threat.INLINE] = "'unsafe-inline'"
        if "'unsafe-eval'" in kept:
            found[Threat.EVAL] = "'unsafe-eval'"
        if names is ATTRIBUTES or strict:
            continue  # hosts mean nothing for attributes, nor beside 'strict-dynamic'
        for source in kept:
            if source == "data:":
                found[Threat.DATA] = source
            elif (
                source in _SCHEMES or _EVERY_HOST.fullmatch(source) or _EVERY_OF_A_TOP_LEVEL.fullmatch(source)
            ):
                found[Threat.ANY_HOST] = source
            elif source in unsafe:
                found[source] = source
    return found


def _effective(policy: Policy, names: Iterable[str]) -> tuple[str, ...] | None:
    return next((policy[name] for name in names if name in policy), None)


def _inline(sources: tuple[str, ...] | None, *, strict: bool) -> bool:
    """Return whether inline text is allowed: a nonce, a hash or 'strict-dynamic' makes browsers ignore the word."""
    if sources is None:
        return True
    guarded = any(_NONCE.fullmatch(one) or _HASH.fullmatch(one) for one in sources)
    return "'unsafe-inline'" in sources and not guarded and not (strict and "'strict-dynamic'" in sources)


def framed_by_others(policies: Iterable[Policy], frame_options: Sequence[str], own: Iterable[str]) -> str:
    """Return who else may put the page into a frame, in words, or nothing.

    ``frame-ancestors`` of any policy makes browsers ignore X-Frame-Options. ``own`` are hosts that are no others.
    """
    given = [policy["frame-ancestors"] for policy in policies if "frame-ancestors" in policy]
    if not given:
        told = {part.strip().upper() for header in frame_options for part in header.split(",")}
        return "" if told & {"DENY", "SAMEORIGIN"} and not told - {"DENY", "SAMEORIGIN"} else "other sites"
    hosts = {host.lower() for host in own}
    others = [
        [one for one in sources if one not in {"'none'", "'self'"} and _host(one) not in hosts]
        for sources in given
    ]
    return min(others, key=len)[0] if all(others) else ""


def _host(source: str) -> str:
    return source.partition("://")[2].partition("/")[0].partition(":")[0] or source.partition(":")[0]


class _Metas(HTMLParser):
    """Finds the policies in a page's head. After the head has ended browsers take none."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name.lower(): value or "" for name, value in attrs}
        self._over = self._over or tag == "body"
        if (
            tag == "meta"
            and not self._over
            and told.get("http-equiv", "").lower() == "content-security-policy"
        ):
            self.found.append(told.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        self._over = self._over or tag == "head"


def of_page(html: str) -> list[Policy]:
    """Return the policies that a page gives by ``meta``; what only a header can say is left out."""
    reader = _Metas()
    reader.feed(html)
    only_headers = {"frame-ancestors", "report-uri", "sandbox"}
    return [
        {name: sources for name, sources in policy.items() if name not in only_headers}
        for policy in parse(reader.found)
    ]
