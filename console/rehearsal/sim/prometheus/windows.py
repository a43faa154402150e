"""Range vectors: which samples lie in each step's window, and the functions that look at windows."""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from console.rehearsal.sim.prometheus.columns import Column
from console.rehearsal.sim.prometheus.series import Labels

Plan: TypeAlias = tuple[int, int, float, float, float, float]
"""First and last sample, the factor for their difference, and what the factor is made of: milliseconds
between them, to extrapolate before and to extrapolate after."""


class Windows:
    """The windows of all steps over one sequence of sample times.

    A window is open on the left and closed on the right, as in Prometheus 3; ``closed`` gives the
    windows of Prometheus 2, which hold a sample on their left edge too.
    """

    def __init__(self, times: Sequence[int], ends: Sequence[int], range_ms: int, *, closed: bool) -> None:
        low = bisect_left if closed else bisect_right
        self.times = times
        self.ends = ends
        self.range_ms = range_ms
        self.bounds = [(low(times, end - range_ms), bisect_right(times, end)) for end in ends]
        self._plans: list[Plan | None] | None = None

    def plans(self) -> list[Plan | None]:
        """Return how far each window extrapolates (extrapolatedRate of promql/functions.go)."""
        if self._plans is None:
            self._plans = [self._plan(*bound, end) for bound, end in zip(self.bounds, self.ends, strict=True)]
        return self._plans

    def _plan(self, low: int, high: int, end: int) -> Plan | None:
        if high - low < 2:
            return None
        first, last = self.times[low], self.times[high - 1]
        between = (last - first) / (high - low - 1)
        before: float = first - (end - self.range_ms)
        after: float = end - last
        if before >= between * 1.1:
            before = between / 2
        if after >= between * 1.1:
            after = between / 2
        sampled = float(last - first)
        return low, high - 1, (sampled + before + after) / sampled, sampled, before, after


@dataclass(slots=True)
class RangeRow:
    """One series of a range vector."""

    labels: Labels
    values: Sequence[float]
    windows: Windows


def _without_resets(values: Sequence[float]) -> Sequence[float]:
    """Return a counter with what it lost at each reset added again."""
    if not any(map(operator.lt, values[1:], values)):
        return values
    lost = 0.0
    out: list[float] = []
    before = values[0]
    for value in values:
        if value < before:
            lost += before
        out.append(value + lost)
        before = value
    return out


def _extrapolated(row: RangeRow, *, counter: bool, per_second: bool) -> Column:
    values = row.values
    grown = _without_resets(values) if counter else values
    divisor = row.windows.range_ms / 1000 if per_second else 1.0
    out: Column = []
    for plan in row.windows.plans():
        if plan is None:
            out.append(None)
            continue
        low, last, factor, sampled, before, after = plan
        rise = grown[last] - grown[low]
        first = values[low]
        # A counter is not extrapolated to before the time at which it was zero.
        if counter and rise > 0 and 0 <= sampled * first < before * rise:
            factor = (sampled + sampled * (first / rise) + after) / sampled
        out.append(rise * (factor / divisor))
    return out


def rate(row: RangeRow) -> Column:
    """Return the per-second increase of a counter."""
    return _extrapolated(row, counter=True, per_second=True)


def increase(row: RangeRow) -> Column:
    """Return the increase of a counter over the window."""
    return _extrapolated(row, counter=True, per_second=False)


def delta(row: RangeRow) -> Column:
    """Return the difference of a gauge over the window."""
    return _extrapolated(row, counter=False, per_second=False)


def _last_two(row: RangeRow, low: int, high: int, *, counter: bool) -> tuple[float, float] | None:
    if high - low < 2:
        return None
    before, value = row.values[high - 2], row.values[high - 1]
    rise = value if counter and value < before else value - before
    times = row.windows.times
    return rise, (times[high - 1] - times[high - 2]) / 1000


def irate(row: RangeRow) -> Column:
    """Return the per-second increase between the last two samples of a counter."""
    pairs = [_last_two(row, low, high, counter=True) for low, high in row.windows.bounds]
    return [None if pair is None else pair[0] / pair[1] for pair in pairs]


def idelta(row: RangeRow) -> Column:
    """Return the difference of the last two samples of a gauge."""
    pairs = [_last_two(row, low, high, counter=False) for low, high in row.windows.bounds]
    return [None if pair is None else pair[0] for pair in pairs]


def _slope(row: RangeRow, low: int, high: int, origin_ms: int) -> tuple[float, float] | None:
    """Return slope per second and value at ``origin_ms`` of the least-squares line."""
    if high - low < 2:
        return None
    values = row.values[low:high]
    seconds = [(at - origin_ms) / 1000 for at in row.windows.times[low:high]]
    count = len(values)
    if all(value == values[0] for value in values):
        return 0.0, values[0]
    sum_x, sum_y = sum(seconds), sum(values)
    cov = sum(x * y for x, y in zip(seconds, values, strict=True)) - sum_x * sum_y / count
    var = sum(x * x for x in seconds) - sum_x * sum_x / count
    slope = cov / var
    return slope, sum_y / count - slope * sum_x / count


def deriv(row: RangeRow) -> Column:
    """Return the slope of a gauge per second."""
    out: Column = []
    for low, high in row.windows.bounds:
        line = _slope(row, low, high, row.windows.times[low]) if high - low >= 2 else None
        out.append(None if line is None else line[0])
    return out


def predict_linear(row: RangeRow, moments: Sequence[int], ahead_s: Sequence[float]) -> Column:
    """Return the value of a gauge's line ``ahead_s`` seconds after each of ``moments`` (milliseconds)."""
    out: Column = []
    for (low, high), moment, ahead in zip(row.windows.bounds, moments, ahead_s, strict=True):
        line = _slope(row, low, high, moment)
        out.append(None if line is None else line[0] * ahead + line[1])
    return out


def per_window(reduce: Callable[[Sequence[float]], float]) -> Callable[[RangeRow], Column]:
    """Return a range function that reduces the values of each window that has any."""

    def function(row: RangeRow) -> Column:
        values = row.values
        return [reduce(values[low:high]) if high > low else None for low, high in row.windows.bounds]

    return function
