from __future__ import annotations

import pytest
from rich.cells import cell_len

from screens.kit import formats, plain
from screens.kit.plain import Role, Span
from tests.screens.story import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_a_text_fits_its_cells_and_holds_no_control(text: str, width: int) -> None:
    shown = plain.fit(text, width)
    assert cell_len(shown) == width
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066" for c in shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_content_has_neither_markup_nor_escapes(text: str) -> None:
    made = plain.content(text)
    assert "\x1b" not in made.plain
    assert "\x9b" not in made.plain
    assert not made.spans
    assert "[@click" in plain.content(HOSTILE[0]).plain


def test_lines_are_wrapped_within_their_width() -> None:
    for width in (5, 20, 79):
        lines = plain.wrap("宽宽宽宽宽宽 a-very-long-word-that-has-no-blank in it\n  indented " * 3, width)
        assert all(cell_len(line) <= width for line in lines)


def test_the_right_part_stays_and_the_left_yields() -> None:
    line = plain.fill((Span("a long left part"),), (Span("right", Role.DIM),), 12)
    text = "".join(s.text for s in line)
    assert text.endswith("right")
    assert cell_len(text) == 12


def test_lengths_of_time_are_words() -> None:
    assert [formats.span(s) for s in (-5, 45, 310, 7500, 90_000)] == [
        "0 s", "45 s", "5 m 10 s", "2 h 05 m", "1 d 01 h",
    ]  # fmt: skip
    assert formats.stopwatch(3845) == "1:04:05"


def test_no_data_is_not_nought() -> None:
    assert formats.number(None, "ratio") == "no data"
    assert formats.number(0.0, "ratio") == "0.00 %"


def test_every_glyph_is_one_cell_wide_and_no_emoji() -> None:
    tables = (formats.GATE, formats.VERDICT, formats.CONDITION, formats.OPERATION, formats.STEP)
    for glyph, word, _ in (told for table in tables for told in table.values()):
        assert cell_len(glyph) == 1
        assert "\ufe0f" not in glyph
        assert word
