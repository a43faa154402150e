"""Text from outside: nothing is obeyed, and what no eye sees is named."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.base.text import bare, line, plain

UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200d\u200e\u202e"
    "\u2028\u2029\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0\ufff9\U000e0041\U000e01ef\U0001d173"
)


@pytest.mark.parametrize("sign", UNSEEN)
def test_two_names_that_look_the_same_are_told_apart(sign: str) -> None:
    shown = line(f"back{sign}end")
    assert shown == f"back<U+{ord(sign):04X}>end"
    assert bare(f"back{sign}end") == "backend"


def test_every_format_character_of_the_unicode_data_is_named_or_visible() -> None:
    """Cf but for the signs that Arabic, Syriac, Kaithi and Egyptian scripts write numbers and blocks with."""
    visible = {
        *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440),
    }  # fmt: skip
    left = [
        sign
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(sign := chr(number)) in {"Cf", "Zl", "Zp", "Cc", "Cs"}
        and number not in visible
        and sign in plain(f"a{sign}b")
        and sign != "\n"
    ]
    assert left == []


@given(st.text(max_size=200))
def test_nothing_unseen_or_obeyed_is_left(value: str) -> None:
    shown = plain(value)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c != "\n" for c in shown)
    assert bare(shown) == shown.replace("\n", "") or "\n" in shown
