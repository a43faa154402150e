"""What strangers may send: texts, numbers and nested values that are meant to break whoever reads them."""

from __future__ import annotations

import os
import re

from hypothesis import settings
from hypothesis import strategies as st

from state.base.json import Json

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "60"))
"""Of each generator; ``make hostile`` takes 2,000."""
CANARY = "cAnary-9f2Qx-of-the-hostile"
hostile = settings(max_examples=EXAMPLES, print_blob=True)

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What no text of ours may hold when it reaches a terminal."""

PIECES = st.sampled_from(
    [
        *(
            "\x1b[2J",
            "\x1b]0;pwn\x07",
            "\x1bP1;2q",
            "\x9b31m",
            "\x00",
            "\x08",
            "\r",
            "\n",
            "\t",
            "\u202e",
            "\u200b",
        ),
        *(
            "\ud800",
            "[/",
            "[@click=app.quit]",
            "{{",
            "%s",
            "'; DROP TABLE event; --",
            "../../etc/passwd",
            "NaN",
        ),
        *(
            "\u0430nn",
            "\U000e0041",
            "1e999",
            "-1",
            "0" * 40,
            "9" * 400,
            "production",
            "1.1",
            "a" * 3000,
            CANARY,
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=6).map("".join))
NUMBERS = st.one_of(
    st.integers(-5, 5), st.sampled_from([2**53, -(2**63), 2**64, 10**30, 253_402_300_800_000_000])
)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())


def _nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4))


VALUES: st.SearchStrategy[Json] = st.recursive(SCALARS, _nested, max_leaves=12)


def deep(levels: int) -> Json:
    """Return lists in lists."""
    value: Json = "x"
    for _ in range(levels):
        value = [value]
    return value
