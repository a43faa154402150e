"""Evaluation of a query over all its steps at once."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.rehearsal.sim.prometheus import binary, functions
from console.rehearsal.sim.prometheus.aggregate import aggregate
from console.rehearsal.sim.prometheus.columns import (
    Column,
    Row,
    Scalar,
    Value,
    Vector,
    collect,
    nameless,
    present,
)
from console.rehearsal.sim.prometheus.histogram import histogram_quantile
from console.rehearsal.sim.prometheus.reducers import KEEP_NAME, OVER_RANGE, quantile
from console.rehearsal.sim.prometheus.series import NAME, Labels, MatchOp, SampleSource, Series, labels_of
from console.rehearsal.sim.prometheus.tree import (
    Aggregate,
    At,
    Binary,
    Call,
    Card,
    Edge,
    Negate,
    Node,
    Number,
    QueryError,
    RangeSelector,
    Selector,
    Subquery,
    Text,
    parse,
)
from console.rehearsal.sim.prometheus.windows import RangeRow, Windows, predict_linear


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and when a query is evaluated: steps and the whole query's ends in milliseconds.

    ``closed`` gives the range windows of Prometheus 2, which hold a sample on their left edge.
    """

    source: SampleSource
    steps: tuple[int, ...]
    start_ms: int
    end_ms: int
    lookback_ms: int = 300_000
    interval_ms: int = 15_000
    closed: bool = False


def at_steps(source: SampleSource, query: str, steps: Sequence[int]) -> Value:
    """Evaluate a query at ``steps`` (milliseconds, ascending, at least one).

    Raises QueryError.
    """
    scope = Scope(source, tuple(steps), steps[0], steps[-1])
    return evaluate(parse(query), scope)


def evaluate(node: Node, scope: Scope) -> Value:
    """Evaluate a tree to a scalar, a vector or a string.

    Raises QueryError of kind ``execution``.
    """
    steps = len(scope.steps)
    if isinstance(node, Number):
        return Scalar([node.value] * steps)
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Selector):
        return _instant(node, scope)
    if isinstance(node, Call):
        return _call(node, scope)
    if isinstance(node, Aggregate):
        param = None if node.param is None else evaluate(node.param, scope)
        return aggregate(node, vector(node.expr, scope).rows, param)
    if isinstance(node, Binary):
        return _binary(node, scope)
    if isinstance(node, Negate):
        return _negated(evaluate(node.expr, scope))
    raise QueryError("execution", "a range vector cannot stand here")


def vector(node: Node, scope: Scope) -> Vector:
    """Evaluate a tree that gives an instant vector."""
    value = evaluate(node, scope)
    if not isinstance(value, Vector):
        raise QueryError("execution", "an instant vector was expected")
    return value


def _scalar(node: Node, scope: Scope) -> list[float]:
    value = evaluate(node, scope)
    if not isinstance(value, Scalar):
        raise QueryError("execution", "a scalar was expected")
    return value.values


def _text(node: Node) -> str:
    if not isinstance(node, Text):
        raise QueryError("execution", "a string was expected")
    return node.value


def _negated(value: Value) -> Value:
    if isinstance(value, Scalar):
        return Scalar([-one for one in value.values])
    if isinstance(value, Vector):
        rows = (
            Row(nameless(row.labels), [None if v is None else -v for v in row.values]) for row in value.rows
        )
        return collect(rows)
    raise QueryError("execution", "a string has no negative")


def _binary(node: Binary, scope: Scope) -> Value:
    left, right = evaluate(node.lhs, scope), evaluate(node.rhs, scope)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return binary.scalars(node, left, right)
    if isinstance(left, Vector) and isinstance(right, Scalar):
        return binary.with_scalar(node, left, right, scalar_left=False)
    if isinstance(left, Scalar) and isinstance(right, Vector):
        return binary.with_scalar(node, right, left, scalar_left=True)
    if isinstance(left, Vector) and isinstance(right, Vector):
        if node.card is Card.MANY_TO_MANY:
            return binary.sets(node, left, right, len(scope.steps))
        return binary.vectors(node, left, right, len(scope.steps))
    raise QueryError("execution", f"operator {node.op!r} takes no string")


def _moments(scope: Scope, offset_ms: int, at: At) -> list[int]:
    """Return the time that a selector looks at, for every step."""
    if at is None:
        return [step - offset_ms for step in scope.steps]
    pinned = scope.start_ms if at is Edge.START else scope.end_ms if at is Edge.END else at
    return [pinned - offset_ms] * len(scope.steps)


def _fetched(node: Selector, scope: Scope, start_ms: int, end_ms: int) -> list[Series]:
    if len(node.alternatives) == 1:
        return scope.source.series(node.name, node.alternatives[0], start_ms, end_ms)
    found: dict[Labels, Series] = {}
    for matchers in node.alternatives:
        for series in scope.source.series(node.name, matchers, start_ms, end_ms):
            found.setdefault(series.labels, series)
    return list(found.values())


def _latest(times: Sequence[int], moments: Sequence[int], scope: Scope) -> list[int]:
    """Return, for every moment, the index of the newest sample within the lookback, or -1."""
    oldest = scope.lookback_ms if scope.closed else scope.lookback_ms - 1
    out: list[int] = []
    for moment in moments:
        index = bisect_right(times, moment) - 1
        out.append(index if index >= 0 and times[index] >= moment - oldest else -1)
    return out


def _instant(node: Selector, scope: Scope, *, stamps: bool = False) -> Vector:
    """Evaluate an instant selector; ``stamps`` gives the samples' times instead of their values."""
    moments = _moments(scope, node.offset_ms, node.at)
    series = _fetched(node, scope, moments[0] - scope.lookback_ms, moments[-1])
    indices: dict[int, list[int]] = {}
    rows: list[Row] = []
    for one in series:
        places = indices.get(id(one.times))
        if places is None:
            places = indices[id(one.times)] = _latest(one.times, moments, scope)
        values = one.values
        column: Column = [None if place < 0 else values[place] for place in places]
        if stamps:
            column = [
                None if value is None else one.times[place] / 1000
                for place, value in zip(places, column, strict=True)
            ]
        rows.append(Row(one.labels, column))
    return collect(rows)


def ranges(node: RangeSelector | Subquery, scope: Scope) -> list[RangeRow]:
    """Evaluate a range selector or a subquery."""
    if isinstance(node, Subquery):
        return _subquery(node, scope)
    ends = _moments(scope, node.selector.offset_ms, node.selector.at)
    series = _fetched(node.selector, scope, ends[0] - node.range_ms, ends[-1])
    shared: dict[int, Windows] = {}
    out: list[RangeRow] = []
    for one in series:
        if None in one.values:
            there = [
                (at, value) for at, value in zip(one.times, one.values, strict=True) if value is not None
            ]
            times = [at for at, _ in there]
            values: Sequence[float] = [value for _, value in there]
            windows = Windows(times, ends, node.range_ms, closed=scope.closed)
        else:
            values = one.values  # type: ignore[assignment]  # it holds no marker
            known = shared.get(id(one.times))
            windows = known or Windows(one.times, ends, node.range_ms, closed=scope.closed)
            shared[id(one.times)] = windows
        out.append(RangeRow(one.labels, values, windows))
    return out


def _subquery(node: Subquery, scope: Scope) -> list[RangeRow]:
    ends = _moments(scope, node.offset_ms, node.at)
    step = node.step_ms or scope.interval_ms
    first = (ends[0] - node.range_ms) // step * step
    if first < ends[0] - node.range_ms or (first == ends[0] - node.range_ms and not scope.closed):
        first += step
    steps = tuple(range(first, ends[-1] + 1, step))
    if not steps:
        return []
    value = evaluate(node.expr, replace(scope, steps=steps))
    if isinstance(value, Scalar):
        rows = [Row((), list(value.values))]
    elif isinstance(value, Vector):
        rows = value.rows
    else:
        raise QueryError("execution", "a subquery takes no string")
    out: list[RangeRow] = []
    for row in rows:
        there = [(at, one) for at, one in zip(steps, row.values, strict=True) if one is not None]
        times = [at for at, _ in there]
        windows = Windows(times, ends, node.range_ms, closed=scope.closed)
        out.append(RangeRow(row.labels, [one for _, one in there], windows))
    return out


def _over_range(node: Call, scope: Scope) -> Vector | None:
    """Evaluate a function of a range vector; None where the function is another kind."""
    name, last = node.function, node.args[-1] if node.args else None
    if name == "predict_linear":
        ahead = _scalar(node.args[1], scope)
        rows = _range_argument(node.args[0], scope)
        return collect(Row(nameless(row.labels), predict_linear(row, scope.steps, ahead)) for row in rows)
    if not isinstance(last, RangeSelector | Subquery):
        return None
    rows = _range_argument(last, scope)
    if name == "quantile_over_time":
        fractions = _scalar(node.args[0], scope)
        return collect(Row(nameless(row.labels), _quantiles(row, fractions)) for row in rows)
    if name == "absent_over_time":
        there = present((Row(row.labels, _count(row)) for row in rows), len(scope.steps))
        return _absence(last, there)
    function = OVER_RANGE.get(name)
    if function is None:
        raise QueryError("execution", f"function {name!r} is not supported here")
    keep = name in KEEP_NAME
    return collect(Row(row.labels if keep else nameless(row.labels), function(row)) for row in rows)


def _range_argument(node: Node, scope: Scope) -> list[RangeRow]:
    if not isinstance(node, RangeSelector | Subquery):
        raise QueryError("execution", "a range vector was expected")
    return ranges(node, scope)


def _quantiles(row: RangeRow, fractions: list[float]) -> Column:
    pairs = zip(row.windows.bounds, fractions, strict=True)
    return [quantile(one, row.values[low:high]) if high > low else None for (low, high), one in pairs]


def _count(row: RangeRow) -> Column:
    return [1.0 if high > low else None for low, high in row.windows.bounds]


def _absence(node: Node, there: list[bool]) -> Vector:
    """Return 1 where nothing is there, with the labels that the selector fixes."""
    selector = node.selector if isinstance(node, RangeSelector) else node
    labels: Labels = ()
    if isinstance(selector, Selector) and len(selector.alternatives) == 1:
        matchers = selector.alternatives[0]
        names = [matcher.name for matcher in matchers]
        labels = labels_of(
            (matcher.name, matcher.value)
            for matcher in matchers
            if matcher.op is MatchOp.EQUAL and matcher.name != NAME and names.count(matcher.name) == 1
        )
    return collect([Row(labels, [None if hit else 1.0 for hit in there])])


def _call(node: Call, scope: Scope) -> Value:
    over_range = _over_range(node, scope)
    if over_range is not None:
        return over_range
    name, args, steps = node.function, node.args, scope.steps
    if name == "time":
        return Scalar([at / 1000 for at in steps])
    if name == "pi":
        return Scalar([math.pi] * len(steps))
    if name == "vector":
        return Vector([Row((), list(_scalar(args[0], scope)))])
    if name in functions.OF_A_MOMENT:
        rows = vector(args[0], scope).rows if args else [Row((), [at / 1000 for at in steps])]
        return _mapped(rows, name)
    if name == "histogram_quantile":
        return collect(histogram_quantile(_scalar(args[0], scope), vector(args[1], scope).rows).rows)
    if name == "timestamp" and isinstance(args[0], Selector):
        rows = _instant(args[0], scope, stamps=True).rows
        return collect(Row(nameless(row.labels), row.values) for row in rows)
    rows = vector(args[0], scope).rows
    if name in functions.ONE_NUMBER:
        return _mapped(rows, name)
    return _of_vector(name, args, rows, scope)


def _mapped(rows: list[Row], name: str) -> Vector:
    function = functions.ONE_NUMBER.get(name) or functions.OF_A_MOMENT[name]
    out = (
        Row(nameless(row.labels), [None if value is None else function(value) for value in row.values])
        for row in rows
    )
    return collect(out)


def _of_vector(name: str, args: tuple[Node, ...], rows: list[Row], scope: Scope) -> Value:
    """Evaluate the functions whose first argument is an instant vector."""
    count = len(scope.steps)
    if name == "scalar":
        return Scalar([_single(rows, step) for step in range(count)])
    if name == "absent":
        return _absence(args[0], present(rows, count))
    if name == "timestamp":
        stamps = [at / 1000 for at in scope.steps]
        columns = ([None if v is None else at for v, at in zip(r.values, stamps, strict=True)] for r in rows)
        pairs = zip(rows, columns, strict=True)
        return collect(Row(nameless(row.labels), list(column)) for row, column in pairs)
    if name in {"sort", "sort_desc"}:
        return _sorted(rows, descending=name == "sort_desc")
    if name == "label_replace":
        return functions.label_replace(rows, *(_text(one) for one in args[1:5]))
    if name == "label_join":
        target, separator, *sources = (_text(one) for one in args[1:])
        return functions.label_join(rows, target, separator, sources)
    bounds = [_scalar(one, scope) for one in args[1:]]
    if name == "round":
        nearest = bounds[0] if bounds else [1.0] * count
        return collect(Row(nameless(row.labels), functions.rounded(row.values, nearest)) for row in rows)
    if name in {"clamp", "clamp_min", "clamp_max"}:
        low = [-math.inf] * count if name == "clamp_max" else bounds[0]
        high = [math.inf] * count if name == "clamp_min" else bounds[-1]
        return collect(Row(nameless(row.labels), functions.clamped(row.values, low, high)) for row in rows)
    raise QueryError("execution", f"function {name!r} is not supported here")


def _single(rows: list[Row], step: int) -> float:
    there = [row.values[step] for row in rows if row.values[step] is not None]
    value = there[0] if len(there) == 1 else None
    return math.nan if value is None else value


def _sorted(rows: list[Row], *, descending: bool) -> Vector:
    def rank(row: Row) -> tuple[bool, float]:
        value = row.values[0] or 0.0
        return math.isnan(value), -value if descending else value

    return Vector(sorted(rows, key=rank), ordered=True)
