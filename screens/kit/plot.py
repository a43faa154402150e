"""Lines of a graph as rows of cells: braille dots, a threshold, marks, and gaps that stay gaps.

Columns are pinned to absolute time, so that a column changes only while it is the newest. In every column
the smallest and the largest value are drawn: a spike survives any zoom. Between two samples with a gap, or
further apart than three usual intervals, nothing is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from screens.kit.plain import Line, Role, Span
from state.base.times import SECOND_US

_TICKS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille bits by row from the top and by column."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: points are (microseconds, value or None for a gap)."""

    points: Sequence[tuple[int, float | None]]
    role: Role
    judged: bool = True
    """Whether values beyond the threshold are a breach."""
    below: bool = False
    """Whether that is below it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that is drawn as a vertical line."""

    at_us: int
    label: str
    role: Role = Role.STRONG


@dataclass(frozen=True, slots=True)
class Window:
    """The part of time that is drawn: ``columns`` cells of ``cell_us`` that end with ``last``."""

    cell_us: int
    columns: int
    last: int
    """The number of the newest cell, counted from 1970."""

    @classmethod
    def ending(cls, now_us: int, span_s: int, columns: int) -> Window:
        """Return a window of ``span_s`` seconds that ends now: of as many columns as that takes, ``columns`` at most.

        A cell is whole seconds, so a window may leave a few columns, and be up to a cell longer than was asked.
        """
        step = max(1, math.ceil(span_s / max(1, columns)))
        return cls(step * SECOND_US, min(columns, math.ceil(span_s / step)), now_us // (step * SECOND_US))

    @property
    def first_us(self) -> int:
        """The beginning of the oldest cell."""
        return (self.last - self.columns + 1) * self.cell_us

    @property
    def end_us(self) -> int:
        """The end of the newest cell."""
        return (self.last + 1) * self.cell_us

    def cell(self, at_us: int) -> int:
        """Return the column of a moment; outside of 0 to ``columns`` - 1 it isn't drawn."""
        return at_us // self.cell_us - (self.last - self.columns + 1)

    def dot(self, at_us: int) -> int:
        """Return the column of dots of a moment: two in a cell."""
        return at_us // (self.cell_us // 2) - 2 * (self.last - self.columns + 1)


def ceiling(value: float) -> float:
    """Return the next round number above a value: 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((n * power for n in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5) if n * power >= value), 10 * power)


def pieces(points: Sequence[tuple[int, float | None]]) -> list[list[tuple[int, float]]]:
    """Return the runs of points between which a line may be drawn."""
    longest = 3 * _usual(points)
    runs: list[list[tuple[int, float]]] = []
    run: list[tuple[int, float]] = []
    for at_us, value in points:
        broken = value is None or not math.isfinite(value)
        if run and (broken or at_us - run[-1][0] > longest):
            runs.append(run)
            run = []
        if value is not None and not broken:
            run.append((at_us, value))
    if run:
        runs.append(run)
    return runs


def _usual(points: Sequence[tuple[int, float | None]]) -> int:
    """Return how far apart points usually are, in microseconds; 0 where there are fewer than two."""
    apart = [b[0] - a[0] for a, b in pairwise(points) if b[0] > a[0]]
    return median_low(apart) if apart else 0


class Canvas:
    """A grid of cells with braille dots, each in the role of what was drawn last."""

    def __init__(self, window: Window, rows: int, top: float, threshold: float | None) -> None:
        self.window = window
        self.rows = rows
        self.top = top
        self.threshold = threshold
        self.bits = [[0] * window.columns for _ in range(rows)]
        self.roles = [[Role.PLAIN] * window.columns for _ in range(rows)]
        self.seen = [False] * window.columns

    def level(self, value: float) -> int:
        """Return the row of dots of a value, from the top."""
        dots = self.rows * 4
        share = min(1.0, max(0.0, value / self.top))
        return dots - 1 - round(share * (dots - 1))

    def _dot(self, x: int, y: int, role: Role) -> None:
        cell = x // 2
        if 0 <= cell < self.window.columns and 0 <= y < self.rows * 4:
            self.bits[y // 4][cell] |= _DOTS[y % 4][x % 2]
            if self.roles[y // 4][cell] is not Role.BAD:
                self.roles[y // 4][cell] = role

    def draw(self, curve: Curve) -> None:
        """Draw a line's runs, column of dots by column of dots."""
        for run in pieces(curve.points):
            before: tuple[int, float] | None = None
            for at_us, value in run:
                x = self.window.dot(at_us)
                if x >= 0 and x // 2 < self.window.columns:
                    self.seen[x // 2] = True
                if before is not None and x >= 0:
                    self._join(before, (x, value), curve)
                self._column(x, value, value, curve)
                before = (x, value)

    def _join(self, old: tuple[int, float], new: tuple[int, float], curve: Curve) -> None:
        (x0, v0), (x1, v1) = old, new
        if x1 <= x0:
            self._column(x1, min(v0, v1), max(v0, v1), curve)
            return
        slope = (v1 - v0) / (x1 - x0)
        for x in range(max(x0, 0), x1 + 1):
            low, high = v0 + slope * (x - 0.5 - x0), v0 + slope * (x + 0.5 - x0)
            least, most = min(v0, v1), max(v0, v1)
            self._column(x, max(least, min(low, high)), min(most, max(low, high)), curve)
            if 0 <= x // 2 < self.window.columns:
                self.seen[x // 2] = True

    def _column(self, x: int, low: float, high: float, curve: Curve) -> None:
        for y in range(self.level(high), self.level(low) + 1):
            self._dot(x, y, Role.BAD if self._breached(y, low, high, curve) else curve.role)

    def _breached(self, y: int, low: float, high: float, curve: Curve) -> bool:
        if not curve.judged or self.threshold is None:
            return False
        level = self.level(self.threshold)
        return low < self.threshold and y >= level if curve.below else high > self.threshold and y <= level


def draw(
    curves: Sequence[Curve],
    window: Window,
    rows: int,
    *,
    threshold: float | None = None,
    marks: Sequence[Mark] = (),
    label: str = "",
    scale: Sequence[str] = ("", ""),
    top: float | None = None,
    ascii_only: bool = False,
    gutter: int = 0,
) -> list[Line]:
    """Return ``rows`` lines of a graph and one of its time axis.

    ``scale`` holds the words of the largest value and of zero; ``label`` those of the threshold. Every line
    is as wide as the longest of them (``gutter`` at least), a blank, and the window.
    """
    top = top or highest(curves, window, threshold)
    canvas = Canvas(window, rows, top, threshold)
    for curve in curves:
        canvas.draw(curve)
    gutter = max(gutter, len(label), len(scale[0]), len(scale[1]))
    limit_row = canvas.level(threshold) // 4 if threshold is not None else -1
    marked = {window.cell(m.at_us): m for m in marks}
    gaps = _gaps(canvas, curves)
    lines = []
    for y in range(rows):
        limit = (
            y == limit_row != rows - 1
        )  # a scale keeps its zero: else what is nothing looks like the limit
        words = label if limit else scale[0] if y == 0 else scale[1] if y == rows - 1 else ""
        role = Role.WARN if limit else Role.DIM
        cells = (
            _cell(
                canvas, x, y, limit=y == limit_row, mark=marked.get(x), gap=x in gaps, ascii_only=ascii_only
            )
            for x in range(window.columns)
        )
        lines.append((Span(words.rjust(gutter) + " ", role), *merged(cells)))
    lines.append((Span(" " * (gutter + 1)), *merged(_axis(window, marks, ascii_only=ascii_only))))
    return lines


def highest(curves: Iterable[Curve], window: Window, threshold: float | None) -> float:
    """Return the top of the scale: above every value in the window, and above the threshold."""
    values = [
        v
        for c in curves
        for t, v in c.points
        if v is not None and window.first_us <= t < window.end_us and math.isfinite(v)
    ]
    return ceiling(max([*values, (threshold or 0) * 1.3, 0.0]))


def _gaps(canvas: Canvas, curves: Sequence[Curve]) -> set[int]:
    """Return the cells without data between the first sample and now."""
    first = min((c.points[0][0] for c in curves if c.points), default=None)
    if first is None:
        return set()
    start = max(0, canvas.window.cell(first))
    waits = _waits_from(canvas.window, curves)
    return {x for x in range(start, min(waits, canvas.window.columns)) if not canvas.seen[x]}


def _waits_from(window: Window, curves: Sequence[Curve]) -> int:
    """Return the first of the newest cells that only wait for their sample: that is no gap yet.

    What is later than two usual intervals, and three cells at most, is a gap again.
    """
    newest = max((c.points[-1][0] for c in curves if c.points), default=0)
    usual = max((_usual(c.points) for c in curves), default=0)
    late = window.cell(newest + 2 * usual)
    return window.cell(newest) + 1 if late >= window.columns - 3 else window.columns


def _cell(
    canvas: Canvas, x: int, y: int, *, limit: bool, mark: Mark | None, gap: bool, ascii_only: bool
) -> tuple[str, Role]:
    bits = canvas.bits[y][x]
    if bits:
        return ("*" if ascii_only else chr(0x2800 + bits)), canvas.roles[y][x]
    if mark is not None:
        return ("|" if ascii_only else "┊"), mark.role
    if gap and y == canvas.rows - 1:
        return ("." if ascii_only else "×"), Role.BLIND
    if limit:
        return ("-" if ascii_only else "╌"), Role.WARN
    return " ", Role.PLAIN


def merged(cells: Iterable[tuple[str, Role]]) -> Line:
    """Return characters with their roles as a line of as few spans as there can be."""
    spans: list[Span] = []
    for char, role in cells:
        if spans and spans[-1].role is role:
            spans[-1] = Span(spans[-1].text + char, role)
        else:
            spans.append(Span(char, role))
    return tuple(spans)


def _axis(window: Window, marks: Sequence[Mark], *, ascii_only: bool) -> list[tuple[str, Role]]:
    cells: list[tuple[str, Role]] = [("-" if ascii_only else "─", Role.DIM)] * window.columns
    every = next((s for s in _TICKS_S if s * SECOND_US >= 10 * window.cell_us), _TICKS_S[-1]) * SECOND_US
    at_us = window.first_us - window.first_us % every + every
    while at_us < window.end_us:
        minutes = at_us // SECOND_US // 60
        if not any(-2 <= window.cell(at_us) - window.cell(m.at_us) + 4 <= len(m.label) + 6 for m in marks):
            _write(cells, window.cell(at_us), f"{minutes // 60 % 24:02d}:{minutes % 60:02d}", Role.DIM)
        at_us += every
    placed = sorted((window.cell(mark.at_us), n, mark) for n, mark in enumerate(marks))
    for n, (at, _, mark) in enumerate(placed):
        room = placed[n + 1][0] - at if n + 1 < len(placed) else window.columns
        # One beside the next keeps its sign alone: half a word over another says nothing.
        label = mark.label if room > len(mark.label) + 1 else ""
        _write(cells, at, f"{'^' if ascii_only else '▲'}{label}", mark.role)
    return cells


def _write(cells: list[tuple[str, Role]], at: int, words: str, role: Role) -> None:
    if at < 0 or at >= len(cells):
        return
    at = min(at, max(0, len(cells) - len(words)))
    for n, char in enumerate(words[: len(cells) - at]):
        cells[at + n] = (char, role)
