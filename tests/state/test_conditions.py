from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from state.conditions import ConditionSpec, Judgement, Samples, evaluate
from state.verdict import ConditionState as S

Values = Sequence[float | None]

SPEC = ConditionSpec(
    id="errors", ratio=True, threshold=0.01, for_s=300, step_s=15, window_s=60, min_events=20, warmup_s=0
)
START = 1_795_000_000_000_000
SEC = 1_000_000


def series(values: Values) -> Samples:
    """One point each 15 s from START on; None leaves a gap."""
    points = tuple((START + i * 15 * SEC, v) for i, v in enumerate(values) if v is not None)
    return Samples((points,) if points else ())


def judge(
    bad: Values,
    total: Values | None = None,
    *,
    late_s: float = 0,
    **changes: object,
) -> Judgement:
    total = total if total is not None else [10.0] * len(bad)
    now = START + (len(total) - 1) * 15 * SEC + int(late_s * SEC)
    spec = replace(SPEC, **changes)  # type: ignore[arg-type]  # the caller names the fields
    return evaluate(spec, series(bad), series(total), now, START)


@pytest.mark.parametrize(
    ("name", "bad", "total", "state"),
    [
        ("healthy", [0.0] * 30, None, S.OK),
        ("exactly the threshold", [0.1] * 30, None, S.OK),
        ("one tick short of for", [0.2] * 20, None, S.BREACHING),
        ("for is over", [0.2] * 21, None, S.TRIPPED),
        ("a 30 second blip", [0.0] * 10 + [5.0] * 2 + [0.0] * 20, None, S.OK),
        ("a gap in minute 4 of 5", [0.2] * 15 + [None] + [0.2] * 5, None, S.TRIPPED),
        ("NaN with no traffic", [math.nan] * 30, [0.0] * 30, S.NO_TRAFFIC),
        ("NaN with traffic", [math.nan] * 30, None, S.NO_DATA),
        ("total NaN", [0.0] * 30, [math.nan] * 30, S.NO_DATA),
        ("total infinite", [0.0] * 30, [math.inf] * 30, S.NO_DATA),
        ("total absent", [0.0] * 30, [None] * 30, S.NO_DATA),
        ("bad absent", [None] * 30, [10.0] * 30, S.NO_DATA),
        ("little traffic", [0.1] * 30, [0.3] * 30, S.NO_TRAFFIC),
        ("recovered by itself", [0.2] * 22 + [0.0] * 20, None, S.TRIPPED),
    ],
)
def test_vector(name: str, bad: Values, total: Values | None, state: S) -> None:
    if total is not None and all(t is None for t in total):
        now = START + 450 * SEC
        assert evaluate(SPEC, series(bad), series(total), now, START).state is state
        return
    assert judge(bad, total).state is state, name


def test_absent_bad_is_zero_only_where_the_runbook_says_so() -> None:
    assert judge([None] * 30, [10.0] * 30, bad_absent_is_zero=True) == Judgement(S.OK, 0.0)


def test_a_gap_does_not_lengthen_a_breach_and_too_many_gaps_are_blind() -> None:
    holes: Values = [0.2, None, None] * 7 + [0.2]
    judged = judge(holes)
    assert judged.state is S.NO_DATA
    assert "was seen" in judged.reason


def test_a_stale_newest_sample_is_not_ok() -> None:
    assert judge([0.0] * 30, late_s=61).state is S.STALE
    assert judge([0.0] * 30, late_s=59).state is S.OK


def test_two_series_are_an_error_unless_reduced() -> None:
    two = Samples((((START, 0.0),), ((START, 5.0),)))
    total = Samples((((START, 10.0),),))
    assert evaluate(SPEC, two, total, START, START).state is S.ERROR
    assert evaluate(replace(SPEC, reduce="max"), two, total, START, START).state is S.BREACHING


def test_a_failed_query_is_an_error_and_keeps_a_trip() -> None:
    failed = Samples(error="timed out")
    assert evaluate(SPEC, failed, failed, START + SEC, START).state is S.ERROR
    trip = Judgement(S.TRIPPED, 0.08, 300, START)
    kept = evaluate(SPEC, failed, failed, START + SEC, START, trip)
    assert (kept.state, kept.value, kept.since_us) == (S.TRIPPED, 0.08, START)
    assert "timed out" in kept.reason


def test_warm_up_counts_nothing() -> None:
    spec = replace(SPEC, warmup_s=60)
    bad, total = series([5.0] * 4), series([10.0] * 4)
    assert evaluate(spec, bad, total, START + 45 * SEC, START).state is S.WARMUP


def test_an_engine_that_was_away_trips_at_the_same_time() -> None:
    values: Values = [0.0] * 10 + [0.2] * 25
    states = [judge(values[: n + 1]).state for n in range(len(values))]
    assert states.index(S.TRIPPED) == 30
    assert all(s is S.TRIPPED for s in states[30:])
