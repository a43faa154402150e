"""The slow, obvious judge of a stop condition: every pair of times is tried, nothing is kept between them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from state.conditions.evaluate import SECOND_US, ConditionSpec
from state.view.enums import ConditionState as S

Series = Mapping[int, float]
"""By microseconds since 1970."""


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
    if total[at] <= 0 or total[at] * spec.window_s < spec.min_events:
        return S.NO_TRAFFIC
    if at not in bad:
        return 0.0 if spec.bad_absent_is_zero else S.NO_DATA
    return bad[at] / total[at] if math.isfinite(bad[at]) else S.NO_DATA


def judge(spec: ConditionSpec, bad: Series, total: Series | None, now: int, released: int) -> S:
    """Return the state at ``now`` of a condition that nobody latched."""
    start = released + round(spec.warmup_s * SECOND_US)
    if now < start:
        return S.WARMUP
    main = bad if total is None else total
    if not main:
        return S.NO_DATA
    seen = {at: value_at(spec, bad, total, at) for at in sorted(main) if start <= at <= now}
    if not seen:
        return S.NO_DATA
    known = [(at, v) for at, v in seen.items() if isinstance(v, float)]
    if any(_tripped(spec, known, a, b) for a, _ in known for b, _ in known if a <= b):
        return S.TRIPPED
    newest = max(seen)
    if now - newest > spec.max_age_s * SECOND_US:
        return S.STALE
    last = seen[newest]
    if isinstance(last, S):
        return last
    if last is None or last <= spec.threshold:
        return S.OK
    began = min(
        a for a, _ in known if all(v > spec.threshold for at, v in known if a <= at)
    )  # fmt: skip
    long = newest - began >= spec.for_s * SECOND_US
    return S.NO_DATA if long else S.BREACHING


def _tripped(spec: ConditionSpec, known: list[tuple[int, float]], a: int, b: int) -> bool:
    inside = [v for at, v in known if a <= at <= b]
    expected = (b - a) / (spec.step_s * SECOND_US) + 1
    return (
        b - a >= spec.for_s * SECOND_US
        and all(v > spec.threshold for v in inside)
        and len(inside) / expected >= spec.min_coverage
    )
