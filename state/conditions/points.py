"""The samples of a stop condition's queries, joined into one judged point per time.

A point is a value and whether it breaches, or why nothing can be said of that time. Nothing here knows
``for``, the latch or the present: see ``state.conditions.evaluate``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from state.base.times import SECOND_US
from state.view.enums import ConditionState

Point: TypeAlias = tuple[int, float]
"""(microseconds since 1970, value); the value may be NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What one query gave: its series, or why there is none."""

    series: tuple[tuple[Point, ...], ...] = ()
    error: str = ""
    names: tuple[str, ...] = ()
    """The label set of each series in words, where there are several."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a condition is judged by: the bad events and all of them, or a value alone."""

    main: Samples
    total: Samples | None = None


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """The settings of a condition, in seconds and plain numbers."""

    id: str
    ratio: bool
    threshold: float
    for_s: float
    step_s: float
    window_s: float = 60.0
    min_events: int = 0
    bad_absent_is_zero: bool = False
    reduce: str | None = None
    max_age_s: float = 60.0
    warmup_s: float = 60.0
    min_coverage: float = 0.8
    factor: float | None = None
    """Where given, a breach is also more than this many times the baseline."""
    offset_s: float | None = None
    """How much earlier the baseline lies; None: before the launch."""
    span_s: float = 1800.0
    """How long a baseline is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One time: a value and whether it breaches, or None and why it is blind."""

    at_us: int
    value: float | None
    over: bool = False
    state: ConditionState = ConditionState.OK
    reason: str = ""


Baseline: TypeAlias = Mapping[int, float | None]
"""By time in microseconds: the value that a point is compared with, None where there is none."""


def judged_points(
    spec: ConditionSpec, source: Source, second: Source | None = None, baseline: Baseline | None = None
) -> list[Judged] | tuple[ConditionState, str]:
    """Return one point per time in order, or the blind state and its reason where nothing can be said at all."""
    first = _points(spec, source)
    if isinstance(first, tuple):
        return first
    if second is not None:
        other = _points(spec, second)
        if isinstance(other, tuple):
            return other[0], f"second source: {other[1]}"
        first = _agreed(spec, first, other)
    return first if spec.factor is None else [_against(spec, p, baseline or {}) for p in first]


def baselines(spec: ConditionSpec, source: Source, times: Iterable[int]) -> Baseline:
    """Return what each time is compared with: the same ratio or value over ``span_s``, ``offset_s`` earlier.

    None where there are fewer than ``min_events``, no number, or no answer: not comparable.
    """
    if source.main.error or (source.total is not None and source.total.error):
        return {}
    main = _reduced(source.main, spec.reduce or "max")
    total = None if source.total is None else _reduced(source.total, "sum")
    if isinstance(main, str) or isinstance(total, str):
        return {}
    if spec.offset_s is None:
        fixed = _over(spec, main, total, list(main if total is None else total))
        return dict.fromkeys(times, fixed)
    found: dict[int, float | None] = {}
    known = sorted(main if total is None else total)
    for at in times:
        end = at - int(spec.offset_s * SECOND_US)
        start = end - int(spec.span_s * SECOND_US)
        found[at] = _over(spec, main, total, [t for t in known if start <= t <= end])
    return found


def _over(
    spec: ConditionSpec, main: Mapping[int, float], total: Mapping[int, float] | None, times: Sequence[int]
) -> float | None:
    if total is None:
        finite = [main[t] for t in times if math.isfinite(main[t])]
        return sum(finite) / len(finite) if finite else None
    seen = [t for t in times if math.isfinite(total[t]) and math.isfinite(main.get(t, 0.0))]
    every = sum(total[t] for t in seen)
    if every <= 0 or every * spec.step_s < max(1, spec.min_events):
        return None
    if not spec.bad_absent_is_zero and not any(t in main for t in seen):
        return None
    return sum(main.get(t, 0.0) for t in seen) / every


def _against(spec: ConditionSpec, point: Judged, baseline: Baseline) -> Judged:
    """Compare a point with its baseline: the threshold is then the floor below which nothing breaches."""
    if point.value is None or spec.factor is None:
        return point
    before = baseline.get(point.at_us)
    if before is None:
        reason = f"{point.value:.4g} is not comparable: the baseline has too few events or no number"
        return Judged(point.at_us, None, state=ConditionState.NO_DATA, reason=reason)
    over = point.over and point.value > spec.factor * before
    return Judged(point.at_us, point.value, over, reason=f"{before:.4g} before" if over else "")


def _agreed(spec: ConditionSpec, first: Sequence[Judged], second: Sequence[Judged]) -> list[Judged]:
    """Join two sources time by time: what only one of them says, nobody knows."""
    others = {point.at_us: point for point in second}
    return [_both(spec, point, others.get(point.at_us)) for point in first]


def _both(spec: ConditionSpec, one: Judged, two: Judged | None) -> Judged:
    if one.value is None:
        return one
    if two is None or two.value is None:
        reason = "no sample" if two is None else two.reason
        state = ConditionState.NO_DATA if two is None else two.state
        return Judged(one.at_us, None, state=state, reason=f"second source: {reason}")
    if one.over != two.over:
        reason = f"the sources disagree: {one.value:.4g} and {two.value:.4g}, threshold {spec.threshold:.4g}"
        return Judged(one.at_us, None, state=ConditionState.ERROR, reason=reason)
    return one


def _points(spec: ConditionSpec, source: Source) -> list[Judged] | tuple[ConditionState, str]:
    for samples, name in ((source.total, "total"), (source.main, "bad" if spec.ratio else "value")):
        if samples is not None and samples.error:
            return ConditionState.ERROR, f"{name}: {samples.error}"
    if source.total is not None and len(source.total.series) > 1 and spec.reduce in {"any", "max", "all"}:
        return _by_series(spec, source.main, source.total)
    main = _reduced(source.main, spec.reduce)
    if isinstance(main, str):
        return ConditionState.ERROR, main
    if source.total is None:
        if not main:
            return ConditionState.NO_DATA, "the query gives no series"
        guilty = _guilty(spec, source.main)
        return [_value(spec, at, value, guilty) for at, value in sorted(main.items())]
    total = _reduced(source.total, "sum" if spec.reduce else None)
    if isinstance(total, str):
        return ConditionState.ERROR, total
    if not total:
        return ConditionState.NO_DATA, "total gives no series"
    return [_ratio(spec, at, main.get(at), all_) for at, all_ in sorted(total.items())]


def _by_series(
    spec: ConditionSpec, bad: Samples, total: Samples
) -> list[Judged] | tuple[ConditionState, str]:
    """Judge the ratio of each label set by itself: the sum of all would hide the one that is bad."""
    if len(total.names) != len(total.series) or len(bad.names) != len(bad.series):
        return ConditionState.ERROR, "several series without names can't be matched"
    bad_by_name = {name: dict(points) for name, points in zip(bad.names, bad.series, strict=True)}
    strange = sorted(set(bad_by_name) - set(total.names))
    if strange:
        return ConditionState.ERROR, f"bad has {strange[0]}, which total lacks"
    at_once: dict[int, list[Judged]] = {}
    for name, points in zip(total.names, total.series, strict=True):
        for at, all_ in points:
            one = _ratio(spec, at, bad_by_name.get(name, {}).get(at), all_)
            message = f"{name}: {one.reason}" if one.reason else name
            at_once.setdefault(at, []).append(Judged(at, one.value, one.over, one.state, message))
    return [_worst(spec, points) for _, points in sorted(at_once.items())]


def _worst(spec: ConditionSpec, points: Sequence[Judged]) -> Judged:
    """Reduce the series of one time; one without traffic says nothing while others have some."""
    busy = [p for p in points if p.state is not ConditionState.NO_TRAFFIC]
    blind = next((p for p in busy if p.value is None), None)
    if not busy or blind is not None:
        return points[0] if blind is None else blind
    pick = min if spec.reduce == "all" else max
    found = pick(busy, key=lambda p: p.value or 0.0)
    return found if found.over else Judged(found.at_us, found.value)


def _value(spec: ConditionSpec, at: int, value: float, guilty: str) -> Judged:
    if not math.isfinite(value):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"the value is {value}")
    over = value > spec.threshold
    return Judged(at, value, over, reason=guilty if over else "")


def _ratio(spec: ConditionSpec, at: int, bad: float | None, total: float) -> Judged:
    if not math.isfinite(total):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"total is {total}")
    events = total * spec.window_s
    if events < spec.min_events or total <= 0:
        reason = f"{events:.0f} events, {spec.min_events} are needed"
        return Judged(at, None, state=ConditionState.NO_TRAFFIC, reason=reason)
    if bad is None and spec.bad_absent_is_zero:
        bad = 0.0
    if bad is None:
        return Judged(at, None, state=ConditionState.NO_DATA, reason="bad gives no series")
    if not math.isfinite(bad):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"bad is {bad}")
    return Judged(at, bad / total, bad / total > spec.threshold)


def _reduced(samples: Samples, how: str | None) -> dict[int, float] | str:
    """Return one value per time, or why several series cannot be one."""
    if len(samples.series) > 1 and how is None:
        return f"{len(samples.series)} series where one is expected: say how with reduce"
    at_once: dict[int, list[float]] = {}
    for series in samples.series:
        for at, value in series:
            at_once.setdefault(at, []).append(value)
    if how == "sum":
        return {at: sum(values) for at, values in at_once.items()}
    return {at: _extreme(values, lowest=how == "all") for at, values in at_once.items()}


def _extreme(values: Sequence[float], *, lowest: bool) -> float:
    """Return the extreme; a NaN among them makes it NaN, because one blind series is not a good one."""
    if any(math.isnan(v) for v in values):
        return math.nan
    return min(values) if lowest else max(values)


def _guilty(spec: ConditionSpec, samples: Samples) -> str:
    """Return the labels of the highest newest sample, where one of several series is judged."""
    if spec.reduce not in {"any", "max"} or len(samples.series) < 2 or not samples.names:
        return ""
    newest = [
        (points[-1][1], name) for points, name in zip(samples.series, samples.names, strict=True) if points
    ]
    finite = [pair for pair in newest if math.isfinite(pair[0])]
    return max(finite)[1] if finite else ""
