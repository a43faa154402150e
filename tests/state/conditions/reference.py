"""The slow, obvious judge of a stop condition: every pair of times is tried, nothing is kept between them.

It is written from docs/stop-conditions.md ("Gaps") and shares nothing with the evaluator but its settings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from state.conditions.evaluate import SECOND_US, ConditionSpec
from state.view.enums import ConditionState as S

Series = Mapping[int, float]
"""By microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One time: whether it breaches, or why nobody knows."""

    at: int
    over: bool = False
    blind: S | None = None


def is_over(spec: ConditionSpec, value: float) -> bool:
    """Return whether a value is on the wrong side, by more than floats are blurred."""
    apart = spec.threshold - value if spec.below else value - spec.threshold
    return apart > max(1e-9 * max(abs(value), abs(spec.threshold)), 1e-12)


def value_at(spec: ConditionSpec, bad: Series, total: Series | None, at: int) -> float | S | None:
    """Return the number at a time, the blind state that it has instead, or None where there is no sample."""
    if total is None:
        if at not in bad:
            return None
        return bad[at] if math.isfinite(bad[at]) else S.NO_DATA
    if at not in total:
        return None
    if not math.isfinite(total[at]):
        return S.NO_DATA
    events = total[at] * (1 if spec.counts else spec.window_s)
    if total[at] <= 0 or events < spec.min_events - 1e-6:
        return S.NO_TRAFFIC
    if at not in bad:
        return 0.0 if spec.bad_absent_is_zero else S.NO_DATA
    return bad[at] / total[at] if math.isfinite(bad[at]) else S.NO_DATA


def seen_at(spec: ConditionSpec, mains: Sequence[Series], total: Series | None, at: int) -> Seen | None:
    """Return what is seen of several series at a time, where any of them may breach; None without a sample."""
    values = [v for one in mains if (v := value_at(spec, one, total, at)) is not None]
    if any(isinstance(v, float) and is_over(spec, v) for v in values):
        return Seen(at, over=True)
    blind = [v for v in values if isinstance(v, S)]
    return None if not values else Seen(at, blind=blind[0]) if blind else Seen(at)


def judge(spec: ConditionSpec, bad: Series, total: Series | None, now: int, released: int) -> S:
    """Return the state at ``now`` of a condition that nobody latched."""
    start = released + round(spec.warmup_s * SECOND_US)
    if now < start:
        return S.WARMUP
    main = bad if total is None else total
    return state(
        spec, [s for at in sorted(main) if start <= at <= now and (s := seen_at(spec, [bad], total, at))], now
    )


def state(spec: ConditionSpec, seen: Sequence[Seen], now: int) -> S:
    """Return the state at ``now`` of what was seen since the warm-up, in order."""
    if not seen:
        return S.NO_DATA
    known = [s for s in seen if s.blind is None]
    if trips(spec, known):
        return S.TRIPPED
    newest = seen[-1]
    if now - newest.at > spec.max_age_s * SECOND_US:
        return S.STALE
    if newest.blind is not None:
        return newest.blind
    if not newest.over:
        return S.OK
    began = min(a.at for a in known if all(s.over for s in known if a.at <= s.at))
    return S.NO_DATA if newest.at - began >= spec.for_s * SECOND_US else S.BREACHING


def trips(spec: ConditionSpec, known: Sequence[Seen]) -> bool:
    """Return whether any stretch of breach between two known times is enough."""
    return any(
        _enough(spec, [s.at for s in known[i : j + 1]])
        for i, j in _pairs(known)
    )  # fmt: skip


def _pairs(known: Sequence[Seen]) -> Iterable[tuple[int, int]]:
    """Yield the places between which nothing good was seen."""
    for i in range(len(known)):
        for j in range(i, len(known)):
            if not known[j].over:
                break
            yield i, j


def _enough(spec: ConditionSpec, times: Sequence[int]) -> bool:
    step, needed = round(spec.step_s * SECOND_US), round(spec.for_s * SECOND_US)
    length = times[-1] - times[0]
    if length < needed:
        return False
    # Each sample stands for the step before it, the first for none; what lies in a hole stands for nothing.
    if sum(min(times[k] - times[k - 1], step) for k in range(1, len(times))) >= needed:
        return True
    return Fraction(len(times)) / (Fraction(length, step) + 1) >= Fraction(str(spec.min_coverage))
