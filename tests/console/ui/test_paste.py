"""A paste stays text until its end, in whatever pieces it is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from console.ui.keys.paste import LONGEST, PasteGate

BEGIN, END = "\x1b[200~", "\x1b[201~"
HOSTILE = st.lists(
    st.sampled_from(
        ["q", "\x1b", "\x1b[31m", "\x1b[A", "\r", "\n", "h", "[", "2", "0", "1", "~", "\x03", BEGIN]
    )
)


def fed(pieces: list[str]) -> str:
    gate = PasteGate()
    return "".join(gate.feed(piece) for piece in pieces)


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in [*sizes, len(text)]:
        pieces.append(text[at : at + size])
        at += size
    return pieces


@given(HOSTILE.map("".join), st.lists(st.integers(0, 7), max_size=40))
def test_no_key_comes_out_of_a_paste(inside: str, sizes: list[int]) -> None:
    if END in inside:
        return
    let = fed(cut(f"a{BEGIN}{inside}{END}z", sizes))
    parser = XTermParser()
    told = [*parser.feed(let)] if let else []
    keys = [one.key for one in told if isinstance(one, events.Key)]
    assert keys == ["a", "z"]
    assert sum(isinstance(one, events.Paste) for one in told) == 1


@given(st.text(max_size=60).filter(lambda t: BEGIN not in t), st.lists(st.integers(0, 7), max_size=20))
def test_what_is_typed_is_let_through_as_it_is(typed: str, sizes: list[int]) -> None:
    assert fed(cut(typed, sizes)) == typed


def test_a_paste_without_an_end_is_given_up_and_a_long_one_is_cut() -> None:
    gate = PasteGate()
    assert gate.feed(f"{BEGIN}abc") == BEGIN
    assert gate.give_up() == f"abc{END}"
    assert gate.give_up() == ""
    assert gate.feed("q") == "q"
    whole = fed([BEGIN, *["x" * 4096] * 600, END])
    assert len(whole) <= LONGEST + len(BEGIN + END)
