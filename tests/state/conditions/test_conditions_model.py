"""The evaluator against the slow, obvious reference: random series with gaps, NaN, resets and late samples."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from state.conditions.evaluate import SECOND_US, ConditionSpec, Judgement, Samples, evaluate
from state.view.enums import ConditionState as S
from tests.state.conditions import reference

START = 1_795_000_000_000_000
STEP = 15

specs = st.builds(
    ConditionSpec,
    id=st.just("c"),
    ratio=st.just(True),
    threshold=st.sampled_from([0.0, 0.01, 0.5]),
    for_s=st.sampled_from([0.0, 15.0, 60.0, 100.0, 150.0]),
    step_s=st.just(float(STEP)),
    window_s=st.just(60.0),
    min_events=st.sampled_from([0, 1, 20]),
    bad_absent_is_zero=st.booleans(),
    max_age_s=st.sampled_from([15.0, 60.0]),
    warmup_s=st.sampled_from([0.0, 15.0, 45.0]),
    min_coverage=st.sampled_from([0.5, 0.8, 1.0]),
)
samples = st.one_of(
    st.none(),
    st.sampled_from([0.0, 0.1, 0.10001, 5.0, 9.0, 10.0, math.nan, math.inf, -math.inf]),
)
streams = st.lists(st.tuples(samples, samples), min_size=1, max_size=40)
"""(bad, total) of each step; a counter that resets shows as a negative or missing rate for one step."""


def series(values: list[float | None]) -> dict[int, float]:
    return {START + i * STEP * SECOND_US: v for i, v in enumerate(values) if v is not None}


def one(values: dict[int, float]) -> Samples:
    return Samples((tuple(sorted(values.items())),) if values else ())


@settings(max_examples=500)
@given(spec=specs, stream=streams, late=st.integers(0, 90), ratio=st.booleans(), calm=st.booleans())
def test_evaluate_agrees_with_the_reference(
    spec: ConditionSpec, stream: list[tuple[float | None, float | None]], late: int, ratio: bool, calm: bool
) -> None:
    bad = series([b for b, _ in stream])
    total = series([10.0 if calm else t for _, t in stream]) if ratio else None
    now = START + ((len(stream) - 1) * STEP + late) * SECOND_US
    found = evaluate(spec, one(bad), None if total is None else one(total), now, START)
    assert found.state is reference.judge(spec, bad, total, now, START)


@settings(max_examples=150)
@given(spec=specs, stream=streams, cut=st.integers(1, 40), data=st.data())
def test_what_is_known_later_never_turns_a_trip_back_and_late_samples_count(
    spec: ConditionSpec, stream: list[tuple[float | None, float | None]], cut: int, data: st.DataObject
) -> None:
    """A sample that was missing at first is judged once it is there, as if it had come in time."""
    bad = series([b for b, _ in stream])
    total = series([10.0] * len(stream))
    held_back = data.draw(st.sets(st.sampled_from(sorted(total))))
    now = START + (len(stream) - 1) * STEP * SECOND_US
    early = {at: v for at, v in bad.items() if at not in held_back}
    first = evaluate(spec, one(early), one(total), now, START)
    assert first.state is reference.judge(spec, early, total, now, START)
    at_last = evaluate(spec, one(bad), one(total), now, START)
    assert at_last.state is reference.judge(spec, bad, total, now, START)
    if first.state is S.TRIPPED:
        kept = evaluate(spec, one(bad), one(total), now, START, first)
        assert kept.state is S.TRIPPED


@settings(max_examples=100)
@given(spec=specs, stream=streams)
def test_an_evaluation_in_one_go_sees_every_trip_of_many(
    spec: ConditionSpec, stream: list[tuple[float | None, float | None]]
) -> None:
    """An engine that was away for the whole time finds what one that was there had latched."""
    bad, total = series([b for b, _ in stream]), series([10.0] * len(stream))
    latched: Judgement | None = None
    for index in range(len(stream)):
        now = START + index * STEP * SECOND_US
        known = {at: v for at, v in bad.items() if at <= now}
        judged = evaluate(spec, one(known), one(total), now, START, latched)
        latched = judged if judged.state is S.TRIPPED else None
    whole = evaluate(spec, one(bad), one(total), START + (len(stream) - 1) * STEP * SECOND_US, START)
    assert (latched is not None) == (whole.state is S.TRIPPED)
