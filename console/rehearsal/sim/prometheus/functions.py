"""Functions of one number, and functions that rewrite labels."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from console.rehearsal.sim.prometheus.columns import Column, Row, Vector, collect
from console.rehearsal.sim.prometheus.series import Labels, label, labels_of, without
from console.rehearsal.sim.prometheus.tree import QueryError


def _rounded(value: float, to_nearest: float) -> float:
    inverse = 1 / to_nearest if to_nearest else math.inf
    scaled = value * inverse + 0.5
    return math.floor(scaled) / inverse if math.isfinite(scaled) else value


def safe(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return a function that gives what Go gives where Python raises."""

    def call(value: float) -> float:
        if math.isnan(value):
            return value
        try:
            return function(value)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return call


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    inner = safe(function)
    return lambda value: -math.inf if value == 0 else inner(value)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _sign(value: float) -> float:
    return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)


def _moment(read: Callable[[datetime], int]) -> Callable[[float], float]:
    return safe(lambda value: float(read(datetime.fromtimestamp(value, UTC))))


def _days_in_month(at: datetime) -> int:
    following = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return (following - datetime(at.year, at.month, 1, tzinfo=UTC)).days


ONE_NUMBER: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "exp": safe(math.exp),
    "sqrt": safe(math.sqrt),
    "ln": _logarithm(math.log),
    "log2": _logarithm(math.log2),
    "log10": _logarithm(math.log10),
    "sgn": _sign,
    "sin": safe(math.sin),
    "cos": safe(math.cos),
    "tan": safe(math.tan),
    "asin": safe(math.asin),
    "acos": safe(math.acos),
    "atan": safe(math.atan),
    "sinh": safe(math.sinh),
    "cosh": safe(math.cosh),
    "tanh": safe(math.tanh),
    "asinh": safe(math.asinh),
    "acosh": safe(math.acosh),
    "atanh": safe(math.atanh),
    "deg": math.degrees,
    "rad": math.radians,
}

OF_A_MOMENT: dict[str, Callable[[float], float]] = {
    "minute": _moment(lambda at: at.minute),
    "hour": _moment(lambda at: at.hour),
    "day_of_week": _moment(lambda at: at.isoweekday() % 7),
    "day_of_month": _moment(lambda at: at.day),
    "day_of_year": _moment(lambda at: at.timetuple().tm_yday),
    "days_in_month": _moment(_days_in_month),
    "month": _moment(lambda at: at.month),
    "year": _moment(lambda at: at.year),
}


def rounded(values: Column, nearest: list[float]) -> Column:
    """Return values rounded half up to a multiple of ``nearest``."""
    pairs = zip(values, nearest, strict=True)
    return [None if value is None else _rounded(value, to) for value, to in pairs]


def clamped(values: Column, low: list[float], high: list[float]) -> Column:
    """Return values held between two bounds; no value where the bounds are crossed."""
    out: Column = []
    for value, least, most in zip(values, low, high, strict=True):
        if value is None or least > most:
            out.append(None)
        elif math.isnan(least) or math.isnan(most):
            out.append(math.nan)
        else:
            out.append(value if math.isnan(value) else max(least, min(most, value)))
    return out


_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def _expanded(template: str, match: re.Match[str]) -> str:
    """Return a replacement as Go's Regexp.Expand writes it: an unknown group is empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)


def _with(labels: Labels, name: str, value: str) -> Labels:
    return labels_of((*without(labels, (name,)), (name, value)))


def label_replace(rows: list[Row], target: str, replacement: str, source: str, pattern: str) -> Vector:
    """Set label ``target`` where ``source`` matches the anchored ``pattern``.

    Raises QueryError for an illegal expression, an illegal label name, or label sets that become equal.
    """
    try:
        regex = re.compile(f"(?s:{pattern})")
    except re.error:
        raise QueryError("execution", f"invalid regular expression in label_replace(): {pattern}") from None
    if not _LABEL_NAME.fullmatch(target):
        raise QueryError("execution", f"invalid destination label name in label_replace(): {target}")
    out: list[Row] = []
    for row in rows:
        match = regex.fullmatch(label(row.labels, source))
        labels = row.labels if match is None else _with(row.labels, target, _expanded(replacement, match))
        out.append(Row(labels, row.values))
    return collect(out)


def label_join(rows: list[Row], target: str, separator: str, sources: list[str]) -> Vector:
    """Set label ``target`` to the values of ``sources`` with ``separator`` between them.

    Raises QueryError for an illegal label name, or label sets that become equal.
    """
    if not _LABEL_NAME.fullmatch(target):
        raise QueryError("execution", f"invalid destination label name in label_join(): {target}")
    out: list[Row] = []
    for row in rows:
        value = separator.join(label(row.labels, source) for source in sources)
        out.append(Row(_with(row.labels, target, value), row.values))
    return collect(out)
