"""Quantiles of classic histograms, interpolated as Prometheus does (promql/quantile.go)."""

from __future__ import annotations

import math

from console.rehearsal.sim.prometheus.columns import Column, Row, Vector
from console.rehearsal.sim.prometheus.series import NAME, Labels, label, without


def bucket_quantile(fraction: float, buckets: list[tuple[float, float]]) -> float:
    """Return the quantile of cumulative ``buckets`` (upper bound, count), sorted by bound.

    NaN without a +Inf bucket, with fewer than two buckets, or without observations.
    """
    if math.isnan(fraction):
        return math.nan
    if fraction < 0:
        return -math.inf
    if fraction > 1:
        return math.inf
    if len(buckets) < 2 or buckets[-1][0] != math.inf:
        return math.nan
    counts: list[float] = []
    for _, count in buckets:
        counts.append(max(count, counts[-1]) if counts else count)
    total = counts[-1]
    if not total > 0:
        return math.nan
    rank = fraction * total
    last = len(buckets) - 1
    index = next((i for i in range(last) if counts[i] >= rank), last)
    if index == last:
        return buckets[last - 1][0]
    bound = buckets[index][0]
    if index == 0:
        if bound <= 0:
            return bound
        return bound * (rank / counts[0]) if counts[0] else math.nan
    start, below = buckets[index - 1][0], counts[index - 1]
    return start + (bound - start) * ((rank - below) / (counts[index] - below))


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def histogram_quantile(fractions: list[float], rows: list[Row]) -> Vector:
    """Return, for every label set less ``le``, the quantile at every step."""
    groups: dict[Labels, dict[float, Column]] = {}
    for row in rows:
        bound = _bound(label(row.labels, "le"))
        if bound is not None:
            columns = groups.setdefault(without(row.labels, ("le", NAME)), {})
            columns[bound] = _added(columns.get(bound), row.values)
    out: list[Row] = []
    for labels, columns in groups.items():
        bounds = sorted(columns)
        values: Column = []
        for fraction, counts in zip(fractions, zip(*(columns[b] for b in bounds), strict=True), strict=True):
            buckets = [(b, c) for b, c in zip(bounds, counts, strict=True) if c is not None]
            values.append(bucket_quantile(fraction, buckets) if buckets else None)
        out.append(Row(labels, values))
    return Vector(out)


def _added(first: Column | None, second: Column) -> Column:
    """Return the sum of two columns: buckets whose bounds are written differently are one."""
    if first is None:
        return second
    pairs = zip(first, second, strict=True)
    return [two if one is None else one if two is None else one + two for one, two in pairs]
