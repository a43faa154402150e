"""What stop conditions say of samples. Where each outage that somebody had is tested:

- NaN with no traffic: test_vector[NaN with no traffic]
- bad absent, total present: test_vector[bad absent], test_absent_bad_is_zero_only_where_the_runbook_says_so
- total absent: test_vector[total absent]
- a gap of one scrape in minute 4 of 5: test_vector[a gap in minute 4 of 5]
- two series: test_two_series_are_an_error_unless_reduced
- a 30 second blip with rate[1m] and rate[5m]: test_a_blip_trips_only_through_a_window_as_long_as_for
- Prometheus away for 40 s, 3 min, 20 min: test_an_outage_of_prometheus_in_a_breach, and in a launch
  tests/console/engine/watch/test_watch.py::test_an_outage_of_prometheus_holds_and_never_rolls_back
- a stale target while rate() still answers: test_a_stale_newest_sample_is_not_ok, and in a world
  tests/console/rehearsal/dotmac/faults/test_monitors.py::test_what_is_wrong_with_the_monitors_is_told_and_no_condition_is_ok
- exactly the threshold: test_vector[exactly the threshold]
- for less a tick: test_vector[one tick short of for]
- killed at minute 3, back at 4, trips at 5: test_an_engine_that_was_away_trips_at_the_same_time, and in a launch
  tests/console/engine/watch/test_watch.py::test_killed_at_minute_3_and_back_at_minute_4_trips_at_minute_5
- a trip on hold: tests/console/engine/watch/test_watch.py::test_it_trips_on_hold_as_it_would_without
- a trip while an attestation is waited for:
  tests/console/engine/watch/test_watch.py::test_it_trips_while_an_attestation_is_waited_for
- a migration that is not compatible, then a trip: no rollback:
  tests/console/engine/operations/test_countdown.py::test_a_migration_that_is_not_compatible_disarms_the_countdown_and_says_why

Against a real Prometheus: tests/wire/test_conditions.py. The other outages of that list are of operations and gates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from state.conditions.evaluate import ConditionSpec, Judgement, Samples, Source, baselines, evaluate
from state.view.enums import ConditionState as S
from tests.paths import ROOT

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


def outage(window_s: int, seconds: int) -> tuple[Values, Values]:
    """What rate() says of 10 requests per second that all fail for ``seconds``, scraped each 15 s."""
    bad: list[float] = []
    for at in range(0, 1200, 15):
        failed = max(0, min(at, 300 + seconds) - max(at - window_s, 300))
        bad.append(10.0 * failed / window_s)
    return bad, [10.0] * len(bad)


@pytest.mark.parametrize(
    ("window_s", "seconds", "trips"),
    [(60, 15, False), (60, 30, False), (60, 60, False), (60, 300, True), (300, 30, True)],
)
def test_a_blip_trips_only_through_a_window_as_long_as_for(window_s: int, seconds: int, trips: bool) -> None:
    """With rate[5m] a 30 second outage lasts five minutes: such a window is refused when the runbook is read."""
    bad, total = outage(window_s, seconds)
    states = [judge(bad[: n + 1], total[: n + 1]).state for n in range(len(total))]
    assert (S.TRIPPED in states) is trips


@pytest.mark.parametrize(("away", "state"), [(2, S.TRIPPED), (12, S.NO_DATA), (80, S.NO_DATA)])
def test_an_outage_of_prometheus_in_a_breach(away: int, state: S) -> None:
    """40 s, 3 min and 20 min without a sample: neither resets nor extends, and too much of it is blind."""
    breach: Values = [0.2] * 10 + [None] * away + [0.2] * 10
    assert judge(breach).state is state


@pytest.mark.parametrize("hole_at", range(1, 23))
def test_no_hole_hides_a_breach_that_was_seen_for_long_enough(hole_at: int) -> None:
    """420 s with one hole of 90 s, wherever it lies: 330 s were seen, and ``for`` is 300 s."""
    breach: list[float | None] = [0.2] * 29
    breach[hole_at : hole_at + 5] = [None] * 5
    assert judge(breach).state is S.TRIPPED
    breach[hole_at : hole_at + 6] = [None] * 6
    assert judge(breach).state is S.TRIPPED


def test_with_a_coverage_of_all_only_seen_time_counts() -> None:
    breach: Values = [0.2] * 15 + [None] * 40 + [0.2] * 6
    assert [judge(breach[:n], [10.0] * n, min_coverage=1.0).state for n in (60, 61)] == [S.NO_DATA, S.TRIPPED]
    assert judge(breach, [10.0] * 61, min_coverage=1.0).elapsed_s == 300


def test_a_breach_that_was_over_before_a_moment_is_not_told_again() -> None:
    bad, total = series([0.2] * 21 + [0.0] * 9), series([10.0] * 30)
    now, over = START + 29 * 15 * SEC, START + 20 * 15 * SEC
    assert evaluate(SPEC, bad, total, now, START, since_us=over).state is S.TRIPPED
    assert evaluate(SPEC, bad, total, now, START, since_us=over + SEC).state is S.OK


@pytest.mark.parametrize(("value", "state"), [(0.1 + 0.2, S.OK), (0.3, S.OK), (0.3000001, S.TRIPPED)])
def test_equal_is_not_over_also_in_floats(value: float, state: S) -> None:
    assert judge([10 * value] * 30, threshold=0.3).state is state
    assert judge([10 * value] * 30, threshold=0.3, below=True).state is S.OK


def test_a_lower_bound_trips_below_it() -> None:
    assert judge([9.8] * 30, threshold=0.99, below=True).state is S.TRIPPED
    assert judge([9.9] * 30, threshold=0.99, below=True).state is S.OK
    orders = replace(SPEC, ratio=False, threshold=5.0, below=True)
    now = START + 29 * 15 * SEC
    for value, state in ((4.9, S.TRIPPED), (5.0, S.OK), (0.0, S.TRIPPED)):
        assert evaluate(orders, series([value] * 30), None, now, START).state is state


def test_increase_counts_events() -> None:
    """Nineteen events in the window are too few, not 60 times as many."""
    few, enough = [19.0] * 30, [20.0] * 30
    assert judge([1.0] * 30, few, counts=True).state is S.NO_TRAFFIC
    assert judge([1.0] * 30, enough, counts=True).state is S.TRIPPED
    assert (
        judge([1.0] * 30, [1 / 3] * 30).state is S.TRIPPED
    )  # 20 events a minute, of which rate() sees a third
    spec = replace(SPEC, factor=2.0, counts=True)
    source = Source(series([1.0, 1.0]), series([19.0, 19.0]))
    assert baselines(spec, source, [1]) == {1: None}  # 9.5 events


NAN, GOOD, BAD = [math.nan] * 30, [0.1] * 30, [2.0] * 30


@pytest.mark.parametrize(
    ("reduce", "pods", "below", "state"),
    [
        ("any", (NAN, BAD), False, S.TRIPPED),
        ("max", (NAN, BAD), False, S.TRIPPED),
        ("any", (NAN, GOOD), False, S.NO_DATA),
        ("any", (GOOD, GOOD), False, S.OK),
        ("all", (GOOD, BAD), False, S.OK),
        ("min", (BAD, BAD), False, S.TRIPPED),
        ("all", (NAN, BAD), False, S.NO_DATA),
        ("any", (GOOD, BAD), True, S.TRIPPED),
        ("min", (GOOD, BAD), True, S.TRIPPED),
        ("max", (GOOD, BAD), True, S.OK),
        ("sum", (NAN, BAD), False, S.NO_DATA),
    ],
)
def test_one_series_beyond_the_limit_is_enough_beside_an_idle_one(
    reduce: str, pods: tuple[Values, Values], below: bool, state: S
) -> None:
    spec = replace(SPEC, ratio=False, threshold=0.5, reduce=reduce, below=below)
    judged = evaluate(spec, named(a=pods[0], b=pods[1]), None, START + 29 * 15 * SEC, START)
    assert judged.state is state
    if (reduce, state) == ("any", S.TRIPPED):
        assert judged.reason == ("a" if below else "b")


def test_a_bad_pod_is_seen_beside_one_whose_share_is_not_known() -> None:
    bad, total = named(a=NAN, b=[5.0] * 30), named(a=[10.0] * 30, b=[10.0] * 30)
    judged = evaluate(replace(SPEC, reduce="any"), bad, total, START + 29 * 15 * SEC, START)
    assert (judged.state, judged.value, judged.reason) == (S.TRIPPED, 0.5, "b")


def test_a_lone_point_long_before_does_not_thin_out_a_breach() -> None:
    assert judge([0.2] + [None] * 12 + [0.2] * 21).state is S.TRIPPED


def test_a_healthy_release_stays_ok_whatever_is_missing() -> None:
    assert judge([0.0] * 5 + [None] * 30 + [0.0] * 5, [10.0] * 5 + [None] * 30 + [10.0] * 5).state is S.OK


def named(**values: Values) -> Samples:
    found = {name: series(value).series for name, value in values.items()}
    return Samples(tuple(s[0] for s in found.values() if s), names=tuple(n for n, s in found.items() if s))


def test_one_bad_pod_among_many_is_seen_and_named() -> None:
    bad = named(a=[0.0] * 30, b=[5.0] * 30)
    total = named(a=[1000.0] * 30, b=[10.0] * 30)
    now = START + 29 * 15 * SEC
    judged = evaluate(replace(SPEC, reduce="any"), bad, total, now, START)
    assert (judged.state, judged.value, judged.reason) == (S.TRIPPED, 0.5, "b")
    assert evaluate(replace(SPEC, reduce="sum"), bad, total, now, START).state is S.OK
    assert evaluate(replace(SPEC, reduce="all"), bad, total, now, START).state is S.OK


def test_two_sources_that_disagree_are_blind_with_both_values() -> None:
    now = START + 29 * 15 * SEC
    bad, total = series([0.5] * 30), series([10.0] * 30)
    calm = Source(series([0.0] * 30), series([10.0] * 30))
    judged = evaluate(SPEC, bad, total, now, START, second=calm)
    assert judged.state is S.ERROR
    assert judged.reason == "the sources disagree: 0.05 and 0, threshold 0.01"
    same = Source(bad, total)
    assert evaluate(SPEC, bad, total, now, START, second=same).state is S.TRIPPED
    lost = Source(Samples(error="refused"), Samples(error="refused"))
    assert evaluate(SPEC, bad, total, now, START, second=lost).state is S.ERROR


def relative(bad: Values, before: Values, **changes: object) -> Judgement:
    spec = replace(SPEC, factor=2.0, offset_s=86_400.0, span_s=450.0, **changes)  # type: ignore[arg-type]  # the caller names the fields
    now = START + (len(bad) - 1) * 15 * SEC
    day = 86_400 * SEC

    def shifted(values: Values) -> Samples:
        return Samples(tuple(tuple((at - day, v) for at, v in one) for one in series(values).series))

    source = Source(shifted(before), shifted([10.0] * len(before)))
    known = baselines(spec, source, [START + i * 15 * SEC for i in range(len(bad))])
    return evaluate(spec, series(bad), series([10.0] * len(bad)), now, START, baseline=known)


def test_a_relative_condition_breaches_over_floor_and_factor() -> None:
    assert relative([0.5] * 30, [0.05] * 30).state is S.TRIPPED
    assert relative([0.5] * 30, [0.3] * 30).state is S.OK
    assert relative([0.05] * 30, [0.0001] * 30).state is S.OK  # below the floor
    judged = relative([0.5] * 30, [])
    assert judged.state is S.NO_DATA
    assert "not comparable" in judged.reason


def test_the_baseline_before_the_launch_is_one_number() -> None:
    spec = replace(SPEC, factor=2.0)
    source = Source(series([1.0, 2.0]), series([10.0, 20.0]))
    assert baselines(spec, source, [1, 2]) == {1: 0.1, 2: 0.1}
    few = Source(series([0.0]), series([0.1]))
    assert baselines(spec, few, [1]) == {1: None}


def test_every_outage_of_the_list_above_has_the_test_that_is_named() -> None:
    assert __doc__ is not None
    named = re.findall(r"(?:(tests/[a-z_/]+\.py)::)?(test_\w+)(?:\[([^\]]+)\])?", __doc__)
    assert len(named) >= 18
    for path, name, case in named:
        if name == "test_conditions":
            continue  # a file
        message = (ROOT / path if path else Path(__file__)).read_text()
        assert f"def {name}(" in message, name
        assert not case or f'("{case}", ' in message, case
