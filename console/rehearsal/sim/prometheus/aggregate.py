"""Aggregations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from console.rehearsal.sim.prometheus.answers import number
from console.rehearsal.sim.prometheus.columns import Column, Row, Scalar, Value, Vector, collect
from console.rehearsal.sim.prometheus.reducers import AGGREGATIONS, quantile
from console.rehearsal.sim.prometheus.series import NAME, Labels, labels_of, only, without
from console.rehearsal.sim.prometheus.tree import Aggregate, QueryError


def _groups(node: Aggregate, rows: list[Row]) -> dict[Labels, list[Row]]:
    groups: dict[Labels, list[Row]] = {}
    dropped = (*node.labels, NAME)
    for row in rows:
        key = only(row.labels, node.labels) if node.by else without(row.labels, dropped)
        groups.setdefault(key, []).append(row)
    return groups


def _reduced(rows: list[Row], reduce: Callable[[Sequence[float]], float]) -> Column:
    out: Column = []
    for values in zip(*(row.values for row in rows), strict=True):
        there = [value for value in values if value is not None]
        out.append(reduce(there) if there else None)
    return out


def _numbers(param: Value | None) -> list[float]:
    if not isinstance(param, Scalar):
        raise QueryError("execution", "a number was expected as the parameter of an aggregation")
    return param.values


def _quantiles(rows: list[Row], fractions: list[float]) -> Column:
    out: Column = []
    columns = zip(*(row.values for row in rows), strict=True)
    for fraction, values in zip(fractions, columns, strict=True):
        there = [value for value in values if value is not None]
        out.append(quantile(fraction, there) if there else None)
    return out


def _best(rows: list[Row], counts: list[float], *, largest: bool) -> list[Row]:
    """Return the rows with only their best values kept, sorted by the values of the first step."""
    kept = [Row(row.labels, [None] * len(counts)) for row in rows]

    def rank(index: int, step: int) -> tuple[bool, float]:
        value = rows[index].values[step] or 0.0
        return math.isnan(value), -value if largest else value

    for step, count in enumerate(counts):
        there = [index for index, row in enumerate(rows) if row.values[step] is not None]
        there.sort(key=lambda index, at=step: rank(index, at))  # type: ignore[misc]  # mypy cannot infer it
        for index in there[: max(0, int(count))]:
            kept[index].values[step] = rows[index].values[step]
    order = sorted(range(len(rows)), key=lambda index: rank(index, 0))
    return [kept[index] for index in order]


def _value_counts(node: Aggregate, rows: list[Row], name: str) -> list[Row]:
    out: list[Row] = []
    for key, members in _groups(node, rows).items():
        columns: dict[str, Column] = {}
        for row in members:
            for step, value in enumerate(row.values):
                if value is not None:
                    column = columns.setdefault(number(value), [None] * len(row.values))
                    column[step] = (column[step] or 0.0) + 1
        base = without(key, (name,))
        out.extend(Row(labels_of((*base, (name, text))), column) for text, column in columns.items())
    return out


def aggregate(node: Aggregate, rows: list[Row], param: Value | None) -> Vector:
    """Return the aggregation of ``rows``.

    Raises QueryError for a parameter of the wrong kind or an operation that is not there.
    """
    groups = _groups(node, rows)
    reduce = AGGREGATIONS.get(node.op)
    if reduce is not None:
        return collect(Row(key, _reduced(members, reduce)) for key, members in groups.items())
    if node.op == "quantile":
        fractions = _numbers(param)
        return collect(Row(key, _quantiles(members, fractions)) for key, members in groups.items())
    if node.op in {"topk", "bottomk"}:
        counts = _numbers(param)
        best = [_best(members, counts, largest=node.op == "topk") for members in groups.values()]
        vector = collect(row for rows_of_group in best for row in rows_of_group)
        return Vector(vector.rows, ordered=True)
    if node.op == "count_values":
        if not isinstance(param, str):
            raise QueryError("execution", "count_values expects the name of a label")
        return collect(_value_counts(node, rows, param))
    raise QueryError("execution", f"aggregation {node.op!r} is not supported here")
