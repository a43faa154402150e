"""The samples of a stop condition's queries, joined into one judged point per time.

A point is a value and whether it breaches, or why nothing can be said of that time. Nothing here knows
``for``, the latch or the present: see ``state.conditions.evaluate``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from state.base.numbers import beyond
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
    """The limit: beyond it is a breach, equal is not."""
    for_s: float
    step_s: float
    below: bool = False
    """Whether a breach lies below the limit (orders per minute, a share of successes) instead of above."""
    window_s: float = 60.0
    counts: bool = False
    """Whether the queries of a ratio give events in the window (``increase()``) instead of events per second."""
    min_events: int = 0
    bad_absent_is_zero: bool = False
    reduce: str | None = None
    max_age_s: float = 60.0
    warmup_s: float = 60.0
    min_coverage: float = 0.8
    factor: float | None = None
    """Where given, a breach is also more than this many times the baseline (below: less than its part)."""
    offset_s: float | None = None
    """How much earlier the baseline lies; None: before the launch."""
    span_s: float = 1800.0
    """How long a baseline is."""

    @property
    def any_one(self) -> bool:
        """Whether one series beyond the limit is a breach, whatever the others say."""
        return self.reduce in {"any", "min" if self.below else "max"}

    @property
    def each_one(self) -> bool:
        """Whether only all series beyond the limit are a breach."""
        return self.reduce in {"all", "max" if self.below else "min"}

    def beyond(self, value: float) -> bool:
        """Return whether a value is beyond the limit."""
        return beyond(value, self.threshold, below=self.below)

    def events(self, total: float, seconds: float | None = None) -> float:
        """Return how many events a value of ``total`` stands for, in the window or another time."""
        per_second = total / self.window_s if self.counts else total
        return per_second * (self.window_s if seconds is None else seconds)


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
    main = _reduced(spec, source.main)
    total = None if source.total is None else _summed(source.total)
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
    if every <= 0 or beyond(max(1, spec.min_events), spec.events(every, spec.step_s)):
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
    limit = before / spec.factor if spec.below else before * spec.factor
    over = point.over and beyond(point.value, limit, below=spec.below)
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
        if samples is not None and len(samples.series) > 1 and spec.reduce is None:
            many = f"{len(samples.series)} series where one is expected: say how with reduce"
            return ConditionState.ERROR, many
    if source.total is None:
        if not any(source.main.series):
            return ConditionState.NO_DATA, "the query gives no series"
        return [
            _worst(spec, [_named(name, _value(spec, at, value)) for name, value in some])
            for at, some in sorted(_at_once(spec, source.main).items())
        ]
    if len(source.total.series) > 1 and spec.reduce != "sum":
        return _by_series(spec, source.main, source.total)
    total = _summed(source.total)
    if not total:
        return ConditionState.NO_DATA, "total gives no series"
    main = _at_once(spec, source.main)
    return [
        _worst(spec, [_named(name, _ratio(spec, at, bad, all_)) for name, bad in main.get(at, [("", None)])])
        for at, all_ in sorted(total.items())
    ]


def _at_once(spec: ConditionSpec, samples: Samples) -> dict[int, list[tuple[str, float | None]]]:
    """Return what is judged of each time: the value of each series with its name, or their sum."""
    if spec.reduce == "sum":
        return {at: [("", value)] for at, value in _summed(samples).items()}
    several = len(samples.series) > 1
    names = (
        samples.names if several and len(samples.names) == len(samples.series) else [""] * len(samples.series)
    )
    found: dict[int, list[tuple[str, float | None]]] = {}
    for name, series in zip(names, samples.series, strict=True):
        for at, value in series:
            found.setdefault(at, []).append((name, value))
    return found


def _named(name: str, one: Judged) -> Judged:
    """Return a judgement that says which of several series it is about."""
    if not name:
        return one
    return Judged(one.at_us, one.value, one.over, one.state, f"{name}: {one.reason}" if one.reason else name)


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
            at_once.setdefault(at, []).append(_named(name, one))
    return [_worst(spec, points) for _, points in sorted(at_once.items())]


def deciding(spec: ConditionSpec, points: Sequence[Judged]) -> int:
    """Return which of the series of one time decides, by its place.

    One that is beyond the limit decides where any may, whatever the others are: an idle one (NaN) beside it hides
    nothing. Where none is, a blind one makes the time blind. One without traffic says nothing while others have some.
    """
    busy = [i for i, p in enumerate(points) if p.state is not ConditionState.NO_TRAFFIC]
    known = [i for i in busy if points[i].value is not None]
    over = [i for i in known if points[i].over]
    if len(known) < len(busy) and not (over and spec.any_one):
        return next(i for i in busy if points[i].value is None)
    if not busy:
        return 0
    candidates = known if spec.each_one else over or known
    pick = max if spec.below is spec.each_one else min
    return pick(candidates, key=lambda i: points[i].value or 0.0)


def _worst(spec: ConditionSpec, points: Sequence[Judged]) -> Judged:
    """Reduce the series of one time to the one that decides; one that is well needs no name."""
    if len(points) == 1:
        return points[0]
    found = points[deciding(spec, points)]
    return found if found.value is None or found.over else Judged(found.at_us, found.value)


def judged_pair(spec: ConditionSpec, at: int, main: float | None, total: float | None) -> Judged:
    """Judge one series of one time: bad and total, or the value."""
    if not spec.ratio:
        return _value(spec, at, main)
    return _ratio(spec, at, main, math.nan if total is None else total)


def _value(spec: ConditionSpec, at: int, value: float | None) -> Judged:
    if value is None or not math.isfinite(value):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"the value is {value}")
    return Judged(at, value, spec.beyond(value))


def _ratio(spec: ConditionSpec, at: int, bad: float | None, total: float) -> Judged:
    if not math.isfinite(total):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"total is {total}")
    events = spec.events(total)
    if beyond(spec.min_events, events) or total <= 0:
        reason = f"{events:.0f} events, {spec.min_events} are needed"
        return Judged(at, None, state=ConditionState.NO_TRAFFIC, reason=reason)
    if bad is None and spec.bad_absent_is_zero:
        bad = 0.0
    if bad is None:
        return Judged(at, None, state=ConditionState.NO_DATA, reason="bad gives no series")
    if not math.isfinite(bad):
        return Judged(at, None, state=ConditionState.NO_DATA, reason=f"bad is {bad}")
    return Judged(at, bad / total, spec.beyond(bad / total))


def _summed(samples: Samples) -> dict[int, float]:
    """Return the sum of all series by time; one that is NaN makes it NaN."""
    found: dict[int, float] = {}
    for series in samples.series:
        for at, value in series:
            found[at] = found.get(at, 0.0) + value
    return found


def _reduced(spec: ConditionSpec, samples: Samples) -> dict[int, float]:
    """Return one value per time: the series that would decide, where it is known."""
    if spec.reduce == "sum":
        return _summed(samples)
    highest = spec.below if spec.each_one else not spec.below
    found: dict[int, float] = {}
    for series in samples.series:
        for at, value in series:
            before = found.get(at, math.nan)
            found[at] = (
                value
                if math.isnan(before)
                else before
                if math.isnan(value)
                else (max if highest else min)(before, value)
            )
    return found
