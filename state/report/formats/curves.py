"""A curve as SVG: its lines with their gaps, its threshold, and what is marked on it. Nothing in it is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from statistics import median

from state.base.numbers import number, plural
from state.base.text import line as on_one_line
from state.report.day_times import Times
from state.report.document import Figure
from state.report.run_facts import Curve, Mark, Point

_WIDTH, _HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 16, 22
_LINES = 4
"""How many lines have a colour and a dash of their own."""
_FAR = 4
"""How many times the usual distance between two samples is a gap where none is written."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """From moments and values to places."""

    from_us: int
    to_us: int
    low: float
    high: float

    def x(self, at_us: int) -> float:
        """Return where a moment is."""
        wide = max(1, self.to_us - self.from_us)
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (at_us - self.from_us) / wide, 1)

    def y(self, value: float) -> float:
        """Return where a value is."""
        tall = (self.high - self.low) or 1.0
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - self.low) / tall, 1)

    def has(self, at_us: int) -> bool:
        """Return whether a moment is in it."""
        return self.from_us <= at_us <= self.to_us


def svg(figure: Figure, name: str) -> str:
    """Return a curve as an SVG element; ``name`` is unique in the page, for what a screen reader is told."""
    curve, frame = figure.curve, _frame(figure.curve)
    told = escape(on_one_line(description(curve, figure.times), 2000))
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(on_one_line(curve.title))}</title><desc id="{name}-d">{told}</desc>',
    ]
    if frame is None:
        middle = f'x="{_WIDTH // 2}" y="{_HEIGHT // 2}"'
        return "".join((*parts, f'<text class="tick mid" {middle}>no samples</text></svg>'))
    parts += [*_axes(curve, frame, figure.times), *_gaps(curve, frame)]
    for place, one in enumerate(curve.lines):
        parts += [_path(run, place) for run in _runs(one.points, frame)]
    parts += [*_threshold(curve, frame), *_marks(shown(figure), frame)]
    return "".join((*parts, "</svg>"))


def description(curve: Curve, times: Times) -> str:
    """Return in words what a curve shows."""
    told = []
    for one in curve.lines:
        gaps = sum(value is None for _, value in one.points)
        if one.highest is None:
            told.append(f"{one.label}: no samples")
            continue
        low, high, last = (number(value, curve.unit) for value in (one.lowest, one.highest, one.last))
        said = f"{one.label}: {low} to {high}, highest at {times.at(one.highest_us)}, last {last}"
        told.append(said + (f", {plural(gaps, 'gap')}" if gaps else ""))
    if curve.threshold is not None:
        side = "below" if curve.below else "above"
        told.append(f"threshold: {side} {number(curve.threshold, curve.unit)}")
    return "; ".join(told)


def shown(figure: Figure) -> list[tuple[int, Mark]]:
    """Return the marks that fall on a curve, numbered from 1."""
    frame = _frame(figure.curve)
    on_it = [mark for mark in figure.marks if frame is not None and frame.has(mark.at_us)]
    return list(enumerate(on_it, 1))


def _frame(curve: Curve) -> _Frame | None:
    moments = [at_us for one in curve.lines for at_us, _ in one.points]
    values = [value for one in curve.lines for _, value in one.points if value is not None]
    if not moments or not values:
        return None
    limits = [] if curve.threshold is None else [curve.threshold]
    high = max(*values, *limits, 0.0)
    return _Frame(min(moments), max(moments), min(*values, *limits, 0.0), high * 1.05 or 1.0)


def _axes(curve: Curve, frame: _Frame, times: Times) -> Iterator[str]:
    for quarter in range(5):
        value = frame.low + (frame.high - frame.low) * quarter / 4
        y = frame.y(value)
        yield f'<path class="grid" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>'
        yield f'<text class="tick end" x="{_LEFT - 4}" y="{y + 3}">{escape(number(value, curve.unit))}</text>'
    for quarter in range(5):
        at_us = frame.from_us + (frame.to_us - frame.from_us) * quarter // 4
        side = ("start", "mid", "mid", "mid", "end")[quarter]
        told = escape(times.at(at_us))
        yield f'<text class="tick {side}" x="{frame.x(at_us)}" y="{_HEIGHT - 6}">{told}</text>'


def _runs(points: Sequence[Point], frame: _Frame) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches without a gap, as places; of many samples in one column the lowest and the highest."""
    far = _usual(points) * _FAR
    run: list[tuple[int, float]] = []
    for at_us, value in points:
        if run and (value is None or at_us - run[-1][0] > far):
            yield _places(run, frame)
            run = []
        if value is not None:
            run.append((at_us, value))
    if run:
        yield _places(run, frame)


def _usual(points: Sequence[Point]) -> float:
    """Return how far apart two samples usually are, in microseconds."""
    seen = [at_us for at_us, value in points if value is not None]
    return median(b - a for a, b in pairwise(seen)) if len(seen) > 1 else 0.0


def _places(run: Sequence[tuple[int, float]], frame: _Frame) -> list[tuple[float, float]]:
    places = []
    for x, column in groupby(run, key=lambda point: round(frame.x(point[0]))):
        values = [value for _, value in column]
        ends = dict.fromkeys((values[0], min(values), max(values), values[-1]))
        places += [(float(x), frame.y(value)) for value in ends]
    return places


def _path(run: Sequence[tuple[float, float]], place: int) -> str:
    if len(run) == 1:
        x, y = run[0]
        return f'<circle class="dot l{place % _LINES}" cx="{x}" cy="{y}" r="1.5"/>'
    drawn = "L".join(f"{x:g} {y:g}" for x, y in run)
    return f'<path class="line l{place % _LINES}" d="M{drawn}"/>'


def _gaps(curve: Curve, frame: _Frame) -> Iterator[str]:
    """Yield the times in which no line had a value, as grey stretches."""
    moments = sorted({at_us for one in curve.lines for at_us, _ in one.points})
    seen = {at_us for one in curve.lines for at_us, value in one.points if value is not None}
    for blank, group in groupby(enumerate(moments), key=lambda pair: pair[1] not in seen):
        places = [place for place, _ in group]
        if blank:
            start = frame.x(moments[places[0]])
            end = frame.x(moments[min(places[-1] + 1, len(moments) - 1)])
            yield (
                f'<rect class="gap" x="{start}" y="{_TOP}" width="{max(1.0, round(end - start, 1))}" '
                f'height="{_HEIGHT - _TOP - _BOTTOM}"/>'
            )


def _threshold(curve: Curve, frame: _Frame) -> Iterator[str]:
    if curve.threshold is not None:
        y = frame.y(curve.threshold)
        yield f'<path class="limit" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>'


def _marks(marks: Iterable[tuple[int, Mark]], frame: _Frame) -> Iterator[str]:
    """Yield a line for each mark; its number is left out where it would fall on the one before."""
    free = -1.0
    for place, mark in marks:
        x = frame.x(mark.at_us)
        yield f'<path class="mark {mark.severity.value}" d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        if x >= free:
            yield f'<text class="tick mid" x="{x}" y="{_TOP - 5}">{place}</text>'
            free = x + 14
