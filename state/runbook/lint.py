"""What a stop condition's queries say against its settings, found when the runbook is read.

Each of these is somebody's false alarm or missed outage: a rate window that is too long (a 30 second blip that
trips a 5 minute rule), several series where one is judged, a threshold of 1 that was meant as 1 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

import promql_parser as promql

from state.runbook.conditions import StopCondition
from state.runbook.promql import nodes
from state.runbook.rate_windows import counting, window_problem, windows

_PARTS = ("bad", "good", "total", "value")


class _Aggregate(Protocol):
    op: object
    modifier: object | None


def problems(condition: StopCondition, told: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (key, what is wrong) of a condition; ``told`` is it as the file has it."""
    for place, query in _queries(condition):
        yield from ((place, why) for why in _window(condition, query))
        if condition.reduce is None and (labels := _labels_kept(query)):
            yield place, f"gives one series for each {labels}: aggregate it, or say how with reduce"
    yield from _counted(condition)
    yield from _units(condition, told)


def _queries(condition: StopCondition) -> Iterator[tuple[tuple[str, ...], str]]:
    for part in _PARTS:
        if query := getattr(condition, part):
            yield (part,), query
        if condition.second is not None and (query := getattr(condition.second, part)):
            yield ("second", part), query


def _window(condition: StopCondition, query: str) -> Iterator[str]:
    for one in windows(query):
        # A subquery may be as short as it likes: what holds the scrapes is the window in it.
        problem = window_problem(one.seconds, condition.scrape, condition.for_)
        if problem and not (one.smears and one.seconds <= condition.window):
            yield f"{one.written}: {problem}"
        elif one.seconds != condition.window and not one.smears:
            yield (
                f"{one.written}: its rate window is {one.seconds:g}s and window: says {condition.window:g}s: "
                "min_events counts by that"
            )


def _counted(condition: StopCondition) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield where a share's two queries don't count alike: one gives events, the other events per second."""
    for place, told in (((), condition), (("second",), condition.second)):
        if (
            told is not None
            and told.total is not None
            and len(counting(told.main) | counting(told.total)) > 1
        ):
            yield (*place, "total"), "one part counts events per second (rate), another events (increase)"


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
    unit, limit = condition.unit, condition.limit
    if condition.value is None and unit != "ratio":
        yield ("unit",), f"{'bad' if condition.bad else 'good'} and total give a ratio, not {unit}"
    for place in ("threshold", "below", "warn"):
        number = getattr(condition, place)
        written = told.get(place) if isinstance(told, Mapping) else None
        if number is not None:
            yield from (((place,), why) for why in _unit(condition, written, number))
    if condition.below is not None and limit == 0:
        yield ("below",), "nothing is below 0: it could never trip"
    warn = condition.warn
    if warn is not None and not (warn > limit if condition.below is not None else warn < limit):
        side = "above below:" if condition.below is not None else "below threshold:"
        yield ("warn",), f"it warns before the limit is reached, so it lies {side}"


def _unit(condition: StopCondition, written: object, number: float) -> Iterator[str]:
    unit = condition.unit
    if isinstance(written, str) and written.endswith("%") and unit != "ratio":
        yield f"{written} is a share, and the unit is {unit}"
    if isinstance(written, str) and written[-1:] in {"s", "m", "h"} and unit != "seconds":
        yield f"{written} is a time, and the unit is {unit}"
    most = number > 1 if condition.below is not None else number >= 1
    if unit == "ratio" and condition.value is None and most:
        plain = str(written).removesuffix("%")
        yield (
            f"{written} is 100 % or more, which a share never exceeds: write {plain}% for a share"
            if (plain == str(written))
            else f"{written} is 100 % or more, which a share never exceeds"
        )
    if number < 0:
        yield "a threshold is not negative"
