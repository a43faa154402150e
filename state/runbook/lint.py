"""What a stop condition's queries say against its settings, found when the runbook is read.

Each of these is somebody's false alarm or missed outage: a rate window that is too long (a 30 second blip that
trips a 5 minute rule), several series where one is judged, a threshold of 1 that was meant as 1 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Protocol, cast

import promql_parser as promql

from state.runbook.conditions import StopCondition

_PARTS = ("bad", "total", "value")
_CHILDREN = ("lhs", "rhs", "expr", "param", "vector_selector")


class _Aggregate(Protocol):
    op: object
    modifier: object | None


def nodes(query: str) -> Iterator[object]:
    """Yield every node of a query's tree, the outermost first; none where it can't be parsed."""
    try:
        todo: list[object] = [promql.parse(query)]
    except ValueError:
        return
    while todo:
        node = todo.pop(0)
        yield node
        children = [getattr(node, name, None) for name in _CHILDREN]
        todo += [c for c in children if c is not None and not isinstance(c, str | int | float)]
        todo += list(getattr(node, "args", None) or [])


def rate_windows(query: str) -> list[float]:
    """Return the seconds of every range in a query."""
    ranges = [getattr(n, "range", None) for n in nodes(query) if isinstance(n, promql.MatrixSelector)]
    return [r.total_seconds() for r in ranges if isinstance(r, timedelta)]


def problems(condition: StopCondition, told: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (key, what is wrong) of a condition; ``told`` is it as the file has it."""
    for place, query in _queries(condition):
        yield from ((place, why) for why in _window(condition, query))
        if condition.reduce is None and (labels := _labels_kept(query)):
            yield place, f"gives one series for each {labels}: aggregate it, or say how with reduce"
    yield from _units(condition, told)


def _queries(condition: StopCondition) -> Iterator[tuple[tuple[str, ...], str]]:
    for part in _PARTS:
        if query := getattr(condition, part):
            yield (part,), query
        if condition.second is not None and (query := getattr(condition.second, part)):
            yield ("second", part), query


def _window(condition: StopCondition, query: str) -> Iterator[str]:
    for window in rate_windows(query):
        if window > condition.for_ / 4:
            yield (
                f"its rate window ({window:g}s) may be at most a quarter of for ({condition.for_:g}s): with a "
                "longer one a short outage trips the condition"
            )
        elif window < 4 * condition.scrape:
            yield (
                f"its rate window ({window:g}s) holds fewer than four scrapes ({condition.scrape:g}s each): one "
                "that is missed makes a hole"
            )
        elif window != condition.window:
            yield f"its rate window is {window:g}s and window: says {condition.window:g}s: min_events counts by that"


def _labels_kept(query: str) -> str:
    """Return the labels by which the outermost part of a query splits its result, or nothing."""
    top = next(nodes(query), None)
    while isinstance(top, promql.ParenExpr):
        top = top.expr
    if isinstance(top, promql.VectorSelector):
        return "label set"
    if isinstance(top, promql.Call) and _name(top) in {"rate", "irate", "increase", "delta", "deriv"}:
        return "label set"
    if not isinstance(top, promql.AggregateExpr):
        return ""
    how = cast("_Aggregate", top)
    if str(how.op) in {"topk", "bottomk", "count_values"}:
        return "of its results"
    modifier = how.modifier
    if modifier is None:
        return ""
    labels = list(getattr(modifier, "labels", []))
    by = str(modifier).startswith("by")
    return (", ".join(map(str, labels)) if by else "label that is left") if labels or not by else ""


def _name(call: object) -> str:
    return str(getattr(getattr(call, "func", None), "name", ""))


def _units(condition: StopCondition, told: object) -> Iterator[tuple[tuple[str, ...], str]]:
    written = told.get("threshold") if isinstance(told, Mapping) else None
    unit, threshold = condition.unit, condition.threshold
    if condition.value is None and unit != "ratio":
        yield ("unit",), f"bad and total give a ratio, not {unit}"
    if isinstance(written, str) and written.endswith("%") and unit != "ratio":
        yield ("threshold",), f"{written} is a share, and the unit is {unit}"
    if isinstance(written, str) and written[-1:] in {"s", "m", "h"} and unit != "seconds":
        yield ("threshold",), f"{written} is a time, and the unit is {unit}"
    if unit == "ratio" and condition.value is None and threshold >= 1:
        yield (
            ("threshold",),
            f"{written} is 100 % or more, which a share never exceeds: write {written}% for a share",
        )
    if threshold < 0:
        yield ("threshold",), "a threshold is not negative"
