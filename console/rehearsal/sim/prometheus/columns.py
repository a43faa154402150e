"""Values of a query over all its steps at once: one column a series, None where a step has no value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from console.rehearsal.sim.prometheus.series import NAME, Labels, show, without
from console.rehearsal.sim.prometheus.tree import QueryError

Column: TypeAlias = list[float | None]


@dataclass(slots=True)
class Row:
    """One series of a vector: a value, or None, for every step."""

    labels: Labels
    values: Column


@dataclass(slots=True)
class Scalar:
    """A number for every step."""

    values: list[float]


@dataclass(slots=True)
class Vector:
    """Series; ``ordered`` where their order is part of the answer (sort, topk)."""

    rows: list[Row]
    ordered: bool = False


Value: TypeAlias = "Scalar | Vector | str"


@lru_cache(maxsize=1 << 16)
def nameless(labels: Labels) -> Labels:
    """Return the labels without the metric's name."""
    return without(labels, (NAME,))


def collect(
    rows: Iterable[Row], clash: str = "vector cannot contain metrics with the same labelset"
) -> Vector:
    """Merge rows with equal labels and drop rows without any value.

    Raises QueryError with ``clash`` where two rows have a value at the same step.
    """
    merged: dict[Labels, Row] = {}
    for row in rows:
        first = merged.get(row.labels)
        if first is None:
            merged[row.labels] = row
        else:
            merged[row.labels] = Row(row.labels, join(first, row, clash))
    return Vector([row for row in merged.values() if any(value is not None for value in row.values)])


def join(first: Row, second: Row, clash: str) -> Column:
    """Return one column from two that never have a value at the same step.

    Raises QueryError with ``clash`` where they do.
    """
    out: Column = []
    for one, other in zip(first.values, second.values, strict=True):
        if one is not None and other is not None:
            raise QueryError("execution", clash.replace("%labels", show(first.labels)))
        out.append(other if one is None else one)
    return out


def present(rows: Iterable[Row], steps: int) -> list[bool]:
    """Return, for every step, whether any row has a value."""
    found = [False] * steps
    for row in rows:
        for index, value in enumerate(row.values):
            if value is not None:
                found[index] = True
    return found
