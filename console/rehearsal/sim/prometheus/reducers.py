"""Reductions of numbers to one, shared by aggregations and by the functions over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from console.rehearsal.sim.prometheus.columns import Column
from console.rehearsal.sim.prometheus.windows import (
    RangeRow,
    delta,
    deriv,
    idelta,
    increase,
    irate,
    per_window,
    rate,
)


def largest(values: Sequence[float]) -> float:
    """Return the maximum; NaN only where there is nothing else."""
    best = max(values)
    if math.isnan(best) or math.isnan(values[0]):
        best = max((value for value in values if not math.isnan(value)), default=math.nan)
    return best


def smallest(values: Sequence[float]) -> float:
    """Return the minimum; NaN only where there is nothing else."""
    best = min(values)
    if math.isnan(best) or math.isnan(values[0]):
        best = min((value for value in values if not math.isnan(value)), default=math.nan)
    return best


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean."""
    return sum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Return the population variance."""
    middle = mean(values)
    return sum((value - middle) ** 2 for value in values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the population standard deviation."""
    return math.sqrt(spread) if not math.isnan(spread := variance(values)) else math.nan


def quantile(fraction: float, values: Sequence[float]) -> float:
    """Return the interpolated quantile of ``values`` (quantile of promql/quantile.go)."""
    if not values or math.isnan(fraction):
        return math.nan
    if fraction < 0:
        return -math.inf
    if fraction > 1:
        return math.inf
    ranked = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = fraction * (len(ranked) - 1)
    low = max(0, math.floor(rank))
    high = min(len(ranked) - 1, low + 1)
    weight = rank - math.floor(rank)
    return ranked[low] * (1 - weight) + ranked[high] * weight


def resets(values: Sequence[float]) -> float:
    """Return how often a counter fell."""
    return float(sum(1 for one, two in pairwise(values) if two < one))


def changes(values: Sequence[float]) -> float:
    """Return how often a value changed; NaN to NaN is no change."""
    pairs = pairwise(values)
    return float(sum(1 for one, two in pairs if one != two and not (math.isnan(one) and math.isnan(two))))


AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": smallest,
    "max": largest,
    "avg": mean,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,  # noqa: ARG005  every value counts the same
    "stddev": deviation,
    "stdvar": variance,
}

KEEP_NAME = frozenset({"last_over_time"})

OVER_RANGE: dict[str, Callable[[RangeRow], Column]] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "idelta": idelta,
    "deriv": deriv,
    "resets": per_window(resets),
    "changes": per_window(changes),
    "sum_over_time": per_window(sum),
    "min_over_time": per_window(smallest),
    "max_over_time": per_window(largest),
    "avg_over_time": per_window(mean),
    "count_over_time": per_window(lambda values: float(len(values))),
    "stddev_over_time": per_window(deviation),
    "stdvar_over_time": per_window(variance),
    "last_over_time": per_window(lambda values: values[-1]),
    "present_over_time": per_window(lambda values: 1.0),  # noqa: ARG005  presence is all that counts
}
