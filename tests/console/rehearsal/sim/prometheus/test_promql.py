"""Values worked out by hand from the rules of Prometheus 3."""

from __future__ import annotations

import math

import pytest

from console.rehearsal.sim.prometheus.columns import Scalar, Vector
from console.rehearsal.sim.prometheus.series import Labels, show
from console.rehearsal.sim.prometheus.tree import QueryError, parse
from tests.console.rehearsal.sim.prometheus.samples import ask, labels
from tests.console.rehearsal.sim.prometheus.test_oracle import QUERIES, SERIES

# 15 s apart from time 0; at 60 s a window of one minute holds the samples at 15, 30, 45 and 60 s.
_COUNTER = {"c": "100+30x8"}


def _only(written: dict[str, str], query: str, at_s: float) -> float | None:
    value = ask(written, query, at_s)
    if isinstance(value, Scalar):
        return value.values[0]
    assert isinstance(value, Vector)
    assert len(value.rows) < 2, value
    return value.rows[0].values[0] if value.rows else None


def _all(written: dict[str, str], query: str, at_s: float) -> dict[Labels, float | None]:
    value = ask(written, query, at_s)
    assert isinstance(value, Vector)
    return {row.labels: row.values[0] for row in value.rows}


@pytest.mark.parametrize(
    ("values", "query", "at_s", "expected"),
    [
        # 90 over 45 s between samples, window open on the left: extrapolated by 15 s to the edge at 0.
        ("100+30x8", "rate(c[1m])", 60, 90 * 60 / 45 / 60),
        ("100+30x8", "increase(c[1m])", 60, 120),
        # At 67 s: samples 15 to 60; 7 s before and 8 s behind are near enough to be extrapolated.
        ("100+30x8", "increase(c[1m])", 67, 90 * 60 / 45),
        # The series begins at 60 s: half an interval before its first sample, not the whole minute.
        ("_x4 1000+30x8", "increase(c[2m])", 90, 60 * (30 + 7.5) / 30),
        # ... and never to before it was zero: 60 in 30 s reaches back 5 s from 10.
        ("_x4 10+30x8", "increase(c[2m])", 90, 60 * (30 + 5) / 30),
        # A reset: 130 -> 20 counts as 20 more.
        ("100 110 130 20 25", "increase(c[1m])", 60, (25 - 110 + 130) * 60 / 45),
        ("100 110 130 20 25", "irate(c[1m])", 60, 5 / 15),
        ("100 110 130 20", "irate(c[1m])", 45, 20 / 15),
        ("100 110 130 20 25", "resets(c[2m])", 60, 1),
        ("100 110 130 20 25", "delta(c[1m])", 60, (25 - 110) * 60 / 45),
        ("3", "rate(c[1m])", 0, None),
        ("0 15 30 45 60", "deriv(c[2m])", 60, 1),
        ("1 1 2 2 3", "changes(c[2m])", 60, 2),
        ("1 2 3 4 5", "sum_over_time(c[1m])", 60, 14),
        ("1 2 3 4 5", "avg_over_time(c[30s])", 60, 4.5),
        ("1 2 3 4 5", "quantile_over_time(0.5, c[1m])", 60, 3.5),
        ("1 2 3 4 5", "max_over_time(c[1m] offset 30s)", 60, 3),
        ("1 2 3 4 5", "c offset -15s", 30, 4),
        # An instant selector looks back five minutes, left edge open.
        ("7", "c", 299, 7),
        ("7", "c", 300, None),
        ("7 stale", "c", 15, None),
        ("7 stale", "sum_over_time(c[1m])", 15, 7),
        ("7 NaN", "c", 15, math.nan),
        # A subquery is evaluated at multiples of its step.
        ("1 2 3 4 5", "sum_over_time(c[1m:30s])", 65, 3 + 5),
        ("0+30x20", "max_over_time(rate(c[1m])[2m:15s])", 240, 2),
    ],
)
def test_a_range_function(values: str, query: str, at_s: float, expected: float | None) -> None:
    assert _only({"c": values}, query, at_s) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.5, 0.1 + 0.4 * (50 - 40) / 40),  # the 50th of 100 lies among the 40 between 0.1 and 0.5
        (0.2, 0.1 * 20 / 40),
        (0.99, 1.0),  # among those above the last bound: that bound
        (0.9, 0.5 + 0.5 * (90 - 80) / 15),
        (1.1, math.inf),
        (-0.1, -math.inf),
    ],
)
def test_a_quantile_is_interpolated_within_its_bucket(fraction: float, expected: float) -> None:
    written = {'b{le="0.1"}': "40", 'b{le="0.5"}': "80", 'b{le="1"}': "95", 'b{le="+Inf"}': "100"}
    assert _only(written, f"histogram_quantile({fraction}, b)", 0) == pytest.approx(expected)


@pytest.mark.parametrize(
    "written",
    [
        {'b{le="0.1"}': "0", 'b{le="+Inf"}': "0"},
        {'b{le="0.1"}': "4", 'b{le="1"}': "5"},
        {'b{le="+Inf"}': "5"},
    ],
)
def test_a_histogram_that_cannot_tell_is_nan(written: dict[str, str]) -> None:
    assert _only(written, "histogram_quantile(0.9, b)", 0) == pytest.approx(math.nan, nan_ok=True)


def test_absence_has_the_labels_that_the_selector_fixes() -> None:
    found = _all(_COUNTER, 'absent(up{job="api",pod=~"a.*",namespace!="x"})', 0)
    assert found == {(("job", "api"),): 1.0}
    assert _all(_COUNTER, "absent(c)", 0) == {}
    assert _all(_COUNTER, "absent(sum(up))", 0) == {(): 1.0}
    assert _all(_COUNTER, 'absent_over_time(up{job="api"}[5m])', 0) == {(("job", "api"),): 1.0}


_SIDES = {
    'a{x="1",y="1"}': "10",
    'a{x="1",y="2"}': "20",
    'b{x="1",z="1"}': "2",
    'd{x="1",z="1"}': "2",
    'd{x="1",z="2"}': "4",
}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a / on(x) b", "multiple matches for labels: many-to-one matching must be explicit"),
        ("b / on(x) d", 'found duplicate series for the match group {x="1"} on the right hand-side'),
        (
            "d * on(x) group_right a",
            'found duplicate series for the match group {x="1"} on the left hand-side',
        ),
        ("a / on(x) group_left d", "many-to-many matching not allowed"),
        ("label_replace(a, 'y', 'same', '', '')", "vector cannot contain metrics with the same labelset"),
    ],
)
def test_an_ambiguous_match_is_an_error(query: str, message: str) -> None:
    with pytest.raises(QueryError) as problem:
        ask(_SIDES, query, 0)
    assert problem.value.kind == "execution"
    assert message in str(problem.value)


def test_many_to_one_takes_labels_of_the_one_side() -> None:
    found = _all(_SIDES, "a / on(x) group_left(z) b", 0)
    assert found == {labels('{x="1",y="1",z="1"}'): 5.0, labels('{x="1",y="2",z="1"}'): 10.0}
    assert _all(_SIDES, "b * on(x) group_right a", 0) == {
        labels('{x="1",y="1"}'): 20.0,
        labels('{x="1",y="2"}'): 40.0,
    }


def test_comparisons_filter_or_give_bool() -> None:
    written = {'g{p="a"}': "1", 'g{p="b"}': "5"}
    assert {show(one): value for one, value in _all(written, "g > 2", 0).items()} == {'g{p="b"}': 5.0}
    assert {show(one): value for one, value in _all(written, "2 < g", 0).items()} == {'g{p="b"}': 5.0}
    assert _all(written, "g > bool 2", 0) == {labels('{p="a"}'): 0.0, labels('{p="b"}'): 1.0}
    assert _only({}, "1 > bool 2", 0) == 0
    assert _all(written, "sum(g) / sum(nothing)", 0) == {}


def test_a_duplicate_that_has_no_partner_is_no_error() -> None:
    assert _all({'d{x="1",z="1"}': "2", 'd{x="1",z="2"}': "4"}, "nothing / on(x) d", 0) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("c + 1 @ start()", None), ("c @ 30", [160.0, 160.0, 160.0]), ("c @ end()", [220.0, 220.0, 220.0])],
)
def test_at_pins_a_selector(query: str, expected: list[float] | None) -> None:
    if expected is None:
        with pytest.raises(QueryError):
            parse(query)
        return
    value = ask(_COUNTER, query, 0, 30, 60)
    assert isinstance(value, Vector)
    assert value.rows[0].values == expected


@pytest.mark.parametrize("query", [one for one in QUERIES if not one.startswith(("topk", "bottomk"))])
def test_a_range_query_is_its_instant_queries(query: str) -> None:
    times = (0.0, 55.0, 60.0, 97.0, 180.0, 300.0, 322.5, 405.0, 900.0)
    try:
        singles = [ask(SERIES, query, at) for at in times]
    except QueryError:
        with pytest.raises(QueryError):
            ask(SERIES, query, *times)
        return
    whole = ask(SERIES, query, *times)
    for index, single in enumerate(singles):
        if isinstance(single, Scalar):
            assert isinstance(whole, Scalar)
            assert repr(whole.values[index]) == repr(single.values[0])
            continue
        assert isinstance(single, Vector)
        assert isinstance(whole, Vector)
        there = {row.labels: repr(row.values[index]) for row in whole.rows if row.values[index] is not None}
        assert there == {row.labels: repr(row.values[0]) for row in single.rows}


@pytest.mark.parametrize(
    "query",
    [
        "sum by (a",
        "rate(c)",
        "c{",
        "1 > 2",
        "nonsense(c)",
        "{}",
        'c{a=~"["}',
        "c[5m",
        "rate(c[$__rate_interval])",
    ],
)
def test_what_is_no_promql_is_bad_data(query: str) -> None:
    with pytest.raises(QueryError) as problem:
        parse(query)
    assert problem.value.kind == "bad_data"
