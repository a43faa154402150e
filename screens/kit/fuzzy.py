"""Finding in a list what somebody means by a few letters: ``rollbk``, ``stg dep``, ``3.2``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_WORD = re.compile(r"[^\s:/,()·]+")
_WHOLE, _PREFIX, _INSIDE, _LETTERS = 100, 80, 60, 40
"""How well a typed part fits a word: it is that word, begins it, stands in it, or only its letters do, in order."""


def score(query: str, text: str) -> int:
    """Return how well a text fits what was typed; 0: it doesn't. Every typed part must fit some word of it."""
    words = [word.lower() for word in _WORD.findall(text)]
    total = 0
    for part in _WORD.findall(query.lower()):
        best = max((_fits(part, word, at) for at, word in enumerate(words)), default=0)
        if not best:
            return 0
        total += best
    return total or 1


def _fits(part: str, word: str, at: int) -> int:
    # Of two that fit alike, the one whose word stands nearer to the beginning is meant.
    near = max(0, 9 - at)
    if word == part:
        return _WHOLE + near
    if word.startswith(part):
        return _PREFIX + near
    if part in word:
        return _INSIDE + near
    # Letters in order count from the first letter on, and in words: else three letters fit nearly everything.
    return _LETTERS + near if part[0] == word[0] and len(part) > 1 and _in_order(part, word) else 0


def _in_order(part: str, word: str) -> bool:
    rest = iter(word)
    return all(letter in rest for letter in part)


def found(query: str, options: Iterable[T], text: Callable[[T], str]) -> list[T]:
    """Return the options that fit, the best first; all of them, as they come, where nothing is typed."""
    listed = list(options)
    if not query.strip():
        return listed
    scored = [(score(query, text(one)), n) for n, one in enumerate(listed)]
    scored = [one for one in scored if one[0]]
    return [listed[n] for _, n in sorted(scored, key=lambda one: (-one[0], one[1]))]
