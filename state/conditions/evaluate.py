"""Stop conditions judged: a pure function of samples, settings and time (docs/stop-conditions.md).

Live, replay, headless and a restarted engine give the same answer, because ``for`` is measured over the
samples of Prometheus' history and nothing is counted in memory. Only the latch of TRIPPED is the caller's.
A gap neither resets nor extends a breach: see ``state.conditions.breaches``. Blind is never OK.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from state.base.times import SECOND_US
from state.conditions.breaches import Breach, breaches
from state.conditions.points import (
    Baseline,
    ConditionSpec,
    Point,
    Samples,
    Source,
    baselines,
    judged_points,
)
from state.view.enums import ConditionState

__all__ = [
    "SECOND_US",
    "Baseline",
    "ConditionSpec",
    "Judgement",
    "Point",
    "Samples",
    "Source",
    "baselines",
    "evaluate",
]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a condition says at a moment."""

    state: ConditionState
    value: float | None = None
    elapsed_s: int = 0
    """Seconds of the breach that were seen."""
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
    *,
    second: Source | None = None,
    baseline: Baseline | None = None,
    since_us: int = 0,
) -> Judgement:
    """Judge a condition at ``now_us``.

    ``main`` is the bad events per second of a ratio, or the value; ``total`` all events per second, or None
    for a value. Samples before ``released_us`` plus the warm-up don't count; after an acknowledgement the
    caller gives its time as ``released_us``, less the warm-up. ``latched`` is a trip that nobody
    acknowledged: it stays, whatever can be seen now. ``second`` is another source that must agree;
    ``baseline`` what each time is compared with, where the condition is relative. A breach that was over before
    ``since_us`` doesn't trip: it was judged in its time, or a person had muted the condition.
    """
    now = _judge(spec, Source(main, total), now_us, released_us, second, baseline, since_us)
    if latched is None or now.state is ConditionState.TRIPPED:
        return now
    seen = now.value if now.value is not None else latched.value
    reason = f"now {now.state}" + (f": {now.reason}" if now.reason else "")
    return Judgement(ConditionState.TRIPPED, seen, latched.elapsed_s, latched.since_us, reason)


def _judge(
    spec: ConditionSpec,
    source: Source,
    now_us: int,
    released_us: int,
    second: Source | None,
    baseline: Baseline | None,
    since_us: int,
) -> Judgement:
    start_us = released_us + int(spec.warmup_s * SECOND_US)
    if now_us < start_us:
        left = math.ceil((start_us - now_us) / SECOND_US)
        return Judgement(ConditionState.WARMUP, reason=f"warms up for another {left} s")
    joined = judged_points(spec, source, second, baseline)
    if isinstance(joined, tuple):
        return Judgement(joined[0], reason=joined[1])
    points = [p for p in joined if start_us <= p.at_us <= now_us]
    if not points:
        return Judgement(ConditionState.NO_DATA, reason="no sample since the release")
    runs = breaches(spec, points)
    newest = points[-1]
    value, blind, reason = newest.value, newest.state, newest.reason
    age_s = (now_us - newest.at_us) / SECOND_US
    if age_s > spec.max_age_s:
        value, blind, reason = None, ConditionState.STALE, f"the newest sample is {age_s:.0f} s old"
    trip = next((r for r in runs if r.tripped and r.end_us >= since_us), None)
    if trip is not None:
        return Judgement(ConditionState.TRIPPED, value, trip.seen_us // SECOND_US, trip.since_us, reason)
    if value is None:
        return Judgement(blind, reason=reason)
    if not runs or not runs[-1].open:
        return Judgement(ConditionState.OK, value)
    return _breaching(spec, runs[-1], value, reason)


def _breaching(spec: ConditionSpec, run: Breach, value: float, reason: str) -> Judgement:
    elapsed = run.seen_us // SECOND_US
    if run.end_us - run.since_us < spec.for_s * SECOND_US:
        return Judgement(ConditionState.BREACHING, value, elapsed, run.since_us, reason)
    message = f"breaching, but only {run.coverage:.0%} of it was seen ({spec.min_coverage:.0%} are needed)"
    return Judgement(ConditionState.NO_DATA, value, elapsed, run.since_us, message)
