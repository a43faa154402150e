"""What a secret is worth: known to the world, however it was wrapped, or guessable, however long it is."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import pairwise
from typing import Final

_PIECE: Final = 4
"""Characters that, seen before in the same value, are taken for a repetition."""
_RUN: Final = 4
"""Characters in a row that make a sequence."""
_WRAPS: Final = 3
"""How often a value is unwrapped: quotes, base64 and hexadecimal around one another."""
_LONG_ENOUGH: Final = 6
"""A suspicious part of so many letters is no chance, wherever it stands; a shorter one has to begin a word."""
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm")
_NEXT: Final = frozenset("".join(pair) for row in _ROWS for way in (row, row[::-1]) for pair in pairwise(way))


def is_published(value: str, known_bad: Collection[str], suspicious: Collection[str] = ()) -> bool:
    """Return whether a value is known to the world, or built from one that is.

    Case, white space and quotes around it don't make it another; nor do base64 and hexadecimal.
    """
    known = {one.strip().lower() for one in known_bad}
    return any(
        one in known or any(_holds(one, part.lower()) for part in suspicious) for one in unwrapped(value)
    )


def _holds(value: str, part: str) -> bool:
    if sum(char.isalnum() for char in part) >= _LONG_ENOUGH:
        return part in value
    return re.search(rf"(?<![a-z0-9]){re.escape(part)}", value) is not None


def unwrapped(value: str) -> set[str]:
    """Return a value in lower case as it is, without quotes and white space, and what it is the coding of."""
    found: set[str] = set()
    todo = [value]
    for _ in range(_WRAPS):
        todo = [one for each in todo for one in _inside(each) if one.lower() not in found]
        found |= {one.lower() for one in todo}
    return found - {""}


def _inside(value: str) -> Iterator[str]:
    bare = value.strip().strip("\"'`").strip()
    yield bare
    yield "".join(bare.split())
    squeezed = "".join(bare.split())
    if len(squeezed) < 4:
        return
    for decode in (_base64, bytes.fromhex):
        try:
            raw = decode(squeezed.removeprefix("base64:"))
            plain = raw.decode()
        except (binascii.Error, ValueError, UnicodeDecodeError):
            continue
        if plain.strip().isprintable():
            yield plain.strip()


def _base64(value: str) -> bytes:
    padded = value + "=" * (-len(value) % 4)
    return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)


def fresh(value: str) -> str:
    """Return what of a value isn't said by what stands before it: repetitions and sequences are left out.

    ``passwordpassword`` is ``password``; ``abcdef`` and ``qwerty`` are a letter each. What is random loses next to
    nothing.
    """
    whole = value.strip()
    low, kept, index = whole.lower(), [], 0
    while index < len(low):
        kept.append(whole[index])
        index += max(_seen_before(low, index), _sequence(low, index), 1)
    return "".join(kept)


def _seen_before(low: str, index: int) -> int:
    length = 0
    while index + length < len(low) and low[index : index + length + 1] in low[: index + length]:
        length += 1
    return length if length >= _PIECE else 0


def _sequence(low: str, index: int) -> int:
    """Return how long a sequence begins here: one up, one down, the same, or next on a keyboard."""
    steps = (_run(low, index, partial(_apart, step)) for step in (-1, 0, 1))
    return max(*steps, _run(low, index, lambda one, other: one + other in _NEXT))


def _apart(step: int, one: str, other: str) -> bool:
    return ord(other) - ord(one) == step


def _run(low: str, index: int, follows: Callable[[str, str], bool]) -> int:
    length = 1
    while index + length < len(low) and follows(low[index + length - 1], low[index + length]):
        length += 1
    return length if length >= _RUN else 0


def bits(value: str) -> int:
    """Return the entropy of a text as its characters' frequencies suggest it, in bits, rounded down."""
    counts = Counter(value)
    each = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) if value else 0.0
    return int(each * len(value))


def length_class(value: str) -> str:
    """Return how long a secret is, no finer than an evidence may tell."""
    for limit, words in ((1, "no"), (8, "1 to 7"), (16, "8 to 15"), (32, "16 to 31"), (64, "32 to 63")):
        if len(value) < limit:
            return words
    return "64 or more"
