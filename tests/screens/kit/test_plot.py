from __future__ import annotations

from collections.abc import Sequence

import pytest

from screens.kit.plain import Line, Role
from screens.kit.plot import Curve, Mark, Window, ceiling, draw, pieces

SECOND = 1_000_000
BASE = 1_796_155_200 * SECOND


def plain(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def roles(line: Line) -> dict[str, Role]:
    return {char: span.role for span in line for char in span.text}


def points(values: Sequence[float | None], step: int = 15) -> list[tuple[int, float | None]]:
    return [(BASE + n * step * SECOND, v) for n, v in enumerate(values)]


def test_a_gap_is_never_drawn_over() -> None:
    curve = Curve(points([1.0] * 10 + [None] + [None] * 9 + [1.0] * 10), Role.ACCENT)
    window = Window.ending(curve.points[-1][0], 450, 30)
    lines = plain(draw([curve], window, 4))
    row = lines[-2]
    assert "×" in row
    assert lines[0].strip("⠀ ") != ""
    for n in range(12, 19):  # the columns of the gap
        assert all(line[n + 1] in " ×" for line in lines[:-1]), lines


def test_silence_is_a_gap_too() -> None:
    silent = [*points([1.0] * 10), *((BASE + (600 + n * 15) * SECOND, 1.0) for n in range(10))]
    assert [len(run) for run in pieces(silent)] == [10, 10]


def test_a_spike_of_one_sample_survives_any_zoom() -> None:
    values: list[float | None] = [0.1] * 3600
    values[1800] = 50.0
    curve = Curve(points(values, 1), Role.ACCENT)
    window = Window.ending(curve.points[-1][0], 3600, 40)
    top = plain(draw([curve], window, 6, top=50.0))[0]
    assert any("\u2800" < char <= "\u28ff" for char in top)


def test_columns_stay_where_they_are_until_a_cell_is_full() -> None:
    curve = Curve(points([float(n % 7) for n in range(60)]), Role.ACCENT)
    end = curve.points[-1][0]
    cell = Window.ending(end, 900, 30).cell_us
    start = end - end % cell
    first = draw([curve], Window.ending(start, 900, 30), 5, top=7.0)
    later = draw([curve], Window.ending(start + cell - 1, 900, 30), 5, top=7.0)
    assert first == later


def test_the_threshold_is_a_line_with_its_words_and_a_breach_is_marked() -> None:
    curve = Curve(points([0.2] * 20 + [2.0] * 20), Role.ACCENT)
    window = Window.ending(curve.points[-1][0], 600, 40)
    lines = draw([curve], window, 8, threshold=1.0, label="1.00 %", scale=("2.5 %", "0"))
    told = next(line for line in lines if "1.00 %" in line[0].text)
    assert roles(told)["╌"] is Role.WARN
    assert any(span.role is Role.BAD for line in lines[:4] for span in line)
    assert all(span.role is not Role.BAD for span in lines[-2])


def test_what_is_not_judged_is_no_breach() -> None:
    curve = Curve(points([2.0] * 20), Role.ACCENT, judged=False)
    window = Window.ending(curve.points[-1][0], 300, 20)
    lines = draw([curve], window, 5, threshold=1.0)
    assert all(span.role is not Role.BAD for line in lines for span in line)


def test_a_mark_is_a_vertical_line_with_a_label() -> None:
    curve = Curve(points([0.0] * 20), Role.ACCENT)
    window = Window.ending(curve.points[-1][0], 300, 60)
    lines = plain(draw([curve], window, 5, marks=[Mark(BASE + 100 * SECOND, "deploy")]))
    column = lines[0].index("┊")
    assert "▲deploy" in lines[-1]
    assert lines[-1].index("▲deploy") == column


def test_without_braille_there_are_plain_characters() -> None:
    curve = Curve(points([0.5, 1.5, 0.5, 1.5, None, None, None, None, 1.0, 1.0]), Role.ACCENT)
    window = Window.ending(curve.points[-1][0], 150, 20)
    lines = plain(draw([curve], window, 5, threshold=1.0, marks=[Mark(BASE, "x")], ascii_only=True))
    assert all(ord(char) < 128 for line in lines[:-1] for char in line)


def test_no_points_draw_nothing_and_break_nothing() -> None:
    window = Window.ending(BASE, 300, 20)
    assert plain(draw([Curve([], Role.ACCENT)], window, 3))[0].strip() == ""
    assert plain(draw([], window, 3))[-1].count(":") > 0


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.011, 0.015), (1.3, 1.5), (99.0, 100.0), (float("inf"), 1.0)]
)
def test_the_scale_ends_with_a_round_number(value: float, top: float) -> None:
    assert ceiling(value) == pytest.approx(top)
