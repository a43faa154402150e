"""Stop conditions judged: a pure function of samples, settings and time (design section 6).

Live, replay, headless and a restarted engine give the same answer, because ``for`` is measured over the
samples of Prometheus' history and nothing is counted in memory. Only the latch of TRIPPED is the caller's.
A gap neither resets nor extends a breach. Blind is never OK.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from state.verdict import ConditionState

SECOND_US = 1_000_000

Point: TypeAlias = tuple[int, float]
"""(microseconds since 1970, value); the value may be NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What one query gave: its series, or why there is none."""

    series: tuple[tuple[Point, ...], ...] = ()
    error: str = ""


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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a condition says at a moment."""

    state: ConditionState
    value: float | None = None
    elapsed_s: int = 0
    """Seconds that it has been breaching for."""
    since_us: int = 0
    """When the breach began; 0 where there is none."""
    reason: str = ""


def evaluate(
    spec: ConditionSpec,
    main: Samples,
    total: Samples | None,
    now_us: int,
    released_us: int,
    latched: Judgement | None = None,
) -> Judgement:
    """Judge a condition at ``now_us``.

    ``main`` is the bad events per second of a ratio, or the value; ``total`` all events per second, or None
    for a value. Samples before ``released_us`` plus the warm-up don't count; after an acknowledgement the
    caller gives its time as ``released_us``, less the warm-up. ``latched`` is a trip that nobody
    acknowledged: it stays, whatever can be seen now.
    """
    now = _judge(spec, main, total, now_us, released_us)
    if latched is None or now.state is ConditionState.TRIPPED:
        return now
    seen = now.value if now.value is not None else latched.value
    reason = f"now {now.state}" + (f": {now.reason}" if now.reason else "")
    return Judgement(ConditionState.TRIPPED, seen, latched.elapsed_s, latched.since_us, reason)


def _judge(
    spec: ConditionSpec, main: Samples, total: Samples | None, now_us: int, released_us: int
) -> Judgement:
    start_us = released_us + int(spec.warmup_s * SECOND_US)
    if now_us < start_us:
        left = math.ceil((start_us - now_us) / SECOND_US)
        return Judgement(ConditionState.WARMUP, reason=f"warms up for another {left} s")
    for samples, name in ((total, "total"), (main, "bad" if spec.ratio else "value")):
        if samples is not None and samples.error:
            return Judgement(ConditionState.ERROR, reason=f"{name}: {samples.error}")
    joined = _joined(spec, main, total)
    if isinstance(joined, Judgement):
        return joined
    points = [p for p in joined if start_us <= p[0] <= now_us]
    if not points:
        return Judgement(ConditionState.NO_DATA, reason="no sample since the release")
    runs = _breaches(spec, points)
    trip = next((r for r in runs if r.tripped), None)
    at, value, blind, reason = points[-1]
    age_s = (now_us - at) / SECOND_US
    if age_s > spec.max_age_s:
        value, blind, reason = None, ConditionState.STALE, f"the newest sample is {age_s:.0f} s old"
    if trip is not None:
        elapsed = (trip.end_us - trip.since_us) // SECOND_US
        return Judgement(ConditionState.TRIPPED, value, elapsed, trip.since_us, reason)
    if value is None:
        return Judgement(blind, reason=reason)
    if not runs or not runs[-1].open:
        return Judgement(ConditionState.OK, value)
    return _breaching(spec, runs[-1], value)


def _breaching(spec: ConditionSpec, run: _Breach, value: float) -> Judgement:
    elapsed = run.end_us - run.since_us
    if elapsed < spec.for_s * SECOND_US:
        return Judgement(ConditionState.BREACHING, value, elapsed // SECOND_US, run.since_us)
    reason = f"breaching, but only {run.coverage:.0%} of it was seen ({spec.min_coverage:.0%} are needed)"
    return Judgement(ConditionState.NO_DATA, value, elapsed // SECOND_US, run.since_us, reason)


@dataclass(frozen=True, slots=True)
class _Breach:
    """A stretch in which every known point was over the threshold."""

    since_us: int
    end_us: int
    coverage: float
    """The share of its expected points that were seen."""
    tripped: bool
    open: bool
    """Whether it reaches to the newest known point."""


def _breaches(spec: ConditionSpec, points: Sequence[_Joined]) -> list[_Breach]:
    """Return the stretches over the threshold, oldest first; blind points neither end nor lengthen one."""
    found: list[_Breach] = []
    run: list[int] = []
    tripped = False
    for at, value, _, _ in points:
        if value is None:
            continue
        if value > spec.threshold:
            run.append(at)
            tripped = tripped or _long_enough(spec, run)
        elif run:
            found.append(_Breach(run[0], run[-1], _coverage(spec, run), tripped, open=False))
            run, tripped = [], False
    if run:
        found.append(_Breach(run[0], run[-1], _coverage(spec, run), tripped, open=True))
    return found


def _long_enough(spec: ConditionSpec, run: Sequence[int]) -> bool:
    return run[-1] - run[0] >= spec.for_s * SECOND_US and _coverage(spec, run) >= spec.min_coverage


def _coverage(spec: ConditionSpec, run: Sequence[int]) -> float:
    expected = (run[-1] - run[0]) / (spec.step_s * SECOND_US) + 1
    return min(1.0, len(run) / expected)


_Joined: TypeAlias = tuple[int, float | None, ConditionState, str]
"""(time, value or None where blind, the blind state, its reason)."""


def _joined(spec: ConditionSpec, main: Samples, total: Samples | None) -> list[_Joined] | Judgement:
    """Return one point per time, blind ones included, or why it cannot be judged at all."""
    reduced = _reduced(main, spec.reduce)
    if isinstance(reduced, str):
        return Judgement(ConditionState.ERROR, reason=reduced)
    if total is None:
        if not reduced:
            return Judgement(ConditionState.NO_DATA, reason="the query gives no series")
        return [_finite(at, value) for at, value in sorted(reduced.items())]
    everything = _reduced(total, "sum" if spec.reduce else None)
    if isinstance(everything, str):
        return Judgement(ConditionState.ERROR, reason=everything)
    if not everything:
        return Judgement(ConditionState.NO_DATA, reason="total gives no series")
    return [_ratio(spec, at, reduced.get(at), all_) for at, all_ in sorted(everything.items())]


def _finite(at: int, value: float) -> _Joined:
    if math.isfinite(value):
        return at, value, ConditionState.OK, ""
    return at, None, ConditionState.NO_DATA, f"the value is {value}"


def _ratio(spec: ConditionSpec, at: int, bad: float | None, total: float) -> _Joined:
    if not math.isfinite(total):
        return at, None, ConditionState.NO_DATA, f"total is {total}"
    events = total * spec.window_s
    if events < spec.min_events or total <= 0:
        return at, None, ConditionState.NO_TRAFFIC, f"{events:.0f} events, {spec.min_events} are needed"
    if bad is None:
        if spec.bad_absent_is_zero:
            return at, 0.0, ConditionState.OK, ""
        return at, None, ConditionState.NO_DATA, "bad gives no series"
    if not math.isfinite(bad):
        return at, None, ConditionState.NO_DATA, f"bad is {bad}"
    return at, bad / total, ConditionState.OK, ""


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
    if how == "all":
        return {at: _extreme(values, lowest=True) for at, values in at_once.items()}
    return {at: _extreme(values, lowest=False) for at, values in at_once.items()}


def _extreme(values: Sequence[float], *, lowest: bool) -> float:
    """Return the extreme; a NaN among them makes it NaN, because one blind series is not a good one."""
    if any(math.isnan(v) for v in values):
        return math.nan
    return min(values) if lowest else max(values)
