"""Answers that say nothing of what was asked about: somebody else gave them, or nobody looked.

An overrun limiter, a proxy without a backend, a maintenance page, a cache: none is a pass, and none is a fail of the
platform's behaviour.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.clients.answers import LOGIN_WORDS

if TYPE_CHECKING:
    from checks.clients.wire import Reply

_NOBODY: Final = frozenset({429, 502, 503, 504, *range(520, 528), 530})
"""A limiter, a gateway, a content network: the platform itself didn't judge the request."""
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_STAND_IN: Final = re.compile(
    r"maintenance|be (?:right )?back (?:soon|shortly)|temporarily (?:unavailable|closed)|coming soon|"
    r"under construction|welcome to nginx|apache2? .*default page|default backend|it works!|"
    r"just a moment|attention required|access denied|site not found|parked",
    re.IGNORECASE,
)
_GLANCE: Final = 2000


def unobserved(reply: Reply) -> str:
    """Return why an answer isn't the platform's own word on a request, or nothing."""
    if reply.status in _NOBODY:
        return f"answers {reply.status}, which is a limiter's or a proxy's"
    age = (reply.header("age") or "").strip()
    if age.isdecimal() and int(age) > 0:
        return f"answers from a cache, {age} s old"
    return ""


def stand_in(reply: Reply) -> str:
    """Return the title of a page that stands in for the one that was asked for, or nothing."""
    if not is_html(reply):
        return ""
    start = reply.text[:_GLANCE]
    title = " ".join((match[1] if (match := _TITLE.search(start)) else "").split())
    body = re.sub(r"<[^>]+>", " ", start) if len(reply.body) < _GLANCE else ""
    return title or "a stand-in" if _STAND_IN.search(title) or _STAND_IN.search(body) else ""


def is_html(reply: Reply) -> bool:
    """Return whether an answer is a page: by what it says of itself, or by how it begins."""
    kind = (reply.header("content-type") or "").lower()
    return "html" in kind or (reply.body[:200].lstrip()[:1] == b"<" and "xml" not in kind)


def is_login_redirect(reply: Reply) -> bool:
    """Return whether an answer sends whoever asked to a login."""
    target = (reply.header("location") or "").lower()
    return 300 <= reply.status <= 399 and any(word in target for word in LOGIN_WORDS)
