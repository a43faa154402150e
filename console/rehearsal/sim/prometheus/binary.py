"""Binary operators: arithmetic, comparison, sets, and how the series of both sides are matched."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from console.rehearsal.sim.prometheus.columns import (
    Column,
    Row,
    Scalar,
    Vector,
    collect,
    join,
    nameless,
    present,
)
from console.rehearsal.sim.prometheus.series import NAME, Labels, label, labels_of, only, show, without
from console.rehearsal.sim.prometheus.tree import Binary, Card, QueryError


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _modulo(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _modulo,
    "^": _power,
    "atan2": math.atan2,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def _applied(node: Binary, left: Column, right: Column, kept: Column) -> Column:
    """Return the operation on two columns; a comparison that filters gives values of ``kept``."""
    compare = COMPARISONS.get(node.op)
    if compare is None:
        compute = ARITHMETIC[node.op]
        pairs = zip(left, right, strict=True)
        return [None if one is None or two is None else compute(one, two) for one, two in pairs]
    out: Column = []
    for one, two, keep in zip(left, right, kept, strict=True):
        if one is None or two is None:
            out.append(None)
        elif node.returns_bool:
            out.append(1.0 if compare(one, two) else 0.0)
        else:
            out.append(keep if compare(one, two) else None)
    return out


def _drops_name(node: Binary) -> bool:
    return node.returns_bool or node.op in ARITHMETIC


def scalars(node: Binary, left: Scalar, right: Scalar) -> Scalar:
    """Return the operation on two scalars."""
    values = _applied(node, list(left.values), list(right.values), list(left.values))
    return Scalar([math.nan if value is None else value for value in values])


def with_scalar(node: Binary, vector: Vector, scalar: Scalar, *, scalar_left: bool) -> Vector:
    """Return the operation on every series of a vector and one scalar."""
    other: Column = list(scalar.values)
    out: list[Row] = []
    for row in vector.rows:
        left, right = (other, row.values) if scalar_left else (row.values, other)
        labels = nameless(row.labels) if _drops_name(node) else row.labels
        out.append(Row(labels, _applied(node, left, right, row.values)))
    return collect(out)


def _signature(node: Binary, labels: Labels) -> Labels:
    if node.on:
        return only(labels, node.labels)
    return without(labels, (*node.labels, NAME))


def _grouped(node: Binary, rows: list[Row]) -> dict[Labels, list[Row]]:
    groups: dict[Labels, list[Row]] = {}
    for row in rows:
        groups.setdefault(_signature(node, row.labels), []).append(row)
    return groups


def sets(node: Binary, left: Vector, right: Vector, steps: int) -> Vector:
    """Return ``and``, ``or`` and ``unless`` of two vectors."""
    if node.op == "or":
        there = {key: present(rows, steps) for key, rows in _grouped(node, left.rows).items()}
        base, expected = right.rows, False
    else:
        there = {key: present(rows, steps) for key, rows in _grouped(node, right.rows).items()}
        base, expected = left.rows, node.op == "and"
    nowhere = [False] * steps
    out = list(left.rows) if node.op == "or" else []
    for row in base:
        mask = there.get(_signature(node, row.labels), nowhere)
        pairs = zip(row.values, mask, strict=True)
        out.append(Row(row.labels, [value if hit is expected else None for value, hit in pairs]))
    return collect(out)


def _result_labels(node: Binary, many: Labels, single: Labels) -> Labels:
    """Return the labels of a match (resultMetric of promql/engine.go)."""
    labels = without(many, (NAME,)) if _drops_name(node) else many
    if node.card is Card.ONE_TO_ONE:
        labels = only(labels, node.labels) if node.on else without(labels, node.labels)
    for name in node.include:
        labels = labels_of((*without(labels, (name,)), (name, label(single, name))))
    return labels


def _refuse_duplicates(node: Binary, one_side: dict[Labels, list[Row]], many_there: list[bool]) -> None:
    side = "left" if node.card is Card.ONE_TO_MANY else "right"
    for key, rows in one_side.items():
        for index, row in enumerate(rows):
            for other in rows[:index]:
                steps = zip(row.values, other.values, many_there, strict=True)
                if any(a is not None and b is not None and there for a, b, there in steps):
                    raise QueryError(
                        "execution",
                        f"found duplicate series for the match group {show(key)} on the {side} hand-side of"
                        f" the operation: [{show(row.labels)}, {show(other.labels)}];many-to-many matching"
                        " not allowed: matching labels must be unique on one side",
                    )


def vectors(node: Binary, left: Vector, right: Vector, steps: int) -> Vector:
    """Return arithmetic or comparison of two vectors.

    Raises QueryError where a series matches several and the operation doesn't say how.
    """
    swapped = node.card is Card.ONE_TO_MANY
    many, one = (right.rows, left.rows) if swapped else (left.rows, right.rows)
    one_side = _grouped(node, one)
    if any(len(rows) > 1 for rows in one_side.values()):
        _refuse_duplicates(node, one_side, present(many, steps))
    found: dict[Labels, Row] = {}
    for row in many:
        key = _signature(node, row.labels)
        for other in one_side.get(key, ()):
            first, second = (other, row) if swapped else (row, other)
            values = _applied(node, first.values, second.values, first.values)
            if all(value is None for value in values):
                continue
            match = Row(_result_labels(node, row.labels, other.labels), values)
            group = key if node.card is Card.ONE_TO_ONE else match.labels
            if group in found:
                match = Row(match.labels, join(found[group], match, _ambiguous(node)))
            found[group] = match
    return collect(found.values())


def _ambiguous(node: Binary) -> str:
    if node.card is Card.ONE_TO_ONE:
        return "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    return "multiple matches for labels: grouping labels must ensure unique matches"
