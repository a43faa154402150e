"""How long the rate window of a stop condition may be: one formula, told in one message.

A window holds at least four scrapes, since with fewer one that is missed makes a hole. It is at most a quarter of
``for``, since a blip is seen for as long as the window is; or those four scrapes where they take longer, up to half
of ``for``: scrapes of 30 s want a window of 2m, and ``for: 5m`` is then still not tripped by an outage of less than
3 minutes.

Windows stand in ``[5m]``; subqueries (``[10m:1m]``) and the names of recording rules (``…:rate5m``) hide some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import promql_parser as promql

from state.runbook.promql import nodes
from state.runbook.units import parse_duration

SCRAPES: Final = 4
"""Scrapes that a window holds at least."""
_QUARTER, _HALF = 4, 2
_RECORDED: Final = re.compile(r"(?:[a-z]|[_:])((?:\d+(?:ms|[smhdw]))+)$")
"""How the name of a recording rule ends that has a window."""
_RATES: Final = ("rate", "irate", "increase", "delta", "deriv")
_COUNTS: Final = frozenset({"increase", "delta", "idelta", "count_over_time", "changes", "resets"})
"""Functions over a window that give events, not events per second."""
_PER_SECOND: Final = frozenset({"rate", "irate", "deriv"})


def bounds(scrape: float, for_: float) -> tuple[float, float] | None:
    """Return how long a window is at least and at most, in seconds; None where ``for`` is too short for any."""
    shortest = SCRAPES * scrape
    longest = max(for_ / _QUARTER, shortest)
    return (shortest, longest) if longest <= for_ / _HALF else None


def window_problem(window: float, scrape: float, for_: float) -> str:
    """Return what is wrong with a window beside the scrapes and ``for`` (all in seconds), or nothing."""
    found = bounds(scrape, for_)
    why = (
        f"a window holds at least four scrapes of {_words(scrape)} (with fewer, one that is missed makes a hole) and "
        f"is at most a quarter of for ({_words(for_)}), or those four scrapes up to half of it (with a longer one a "
        "short outage trips)"
    )
    if found is None:
        return f"no rate window fits: with scrapes of {_words(scrape)}, for is at least {_words(8 * scrape)}: {why}"
    shortest, longest = found
    if shortest <= window <= longest:
        return ""
    fits = _words(shortest) if shortest == longest else f"from {_words(shortest)} to {_words(longest)}"
    return f"the rate window of {_words(window)} does not fit, {fits} does: {why}"


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a query."""

    written: str
    """As it stands there: ``[5m]``, ``[10m:]``, a recording rule's name."""
    seconds: float
    smears: bool = False
    """Whether it is a subquery, which looks back without being what rates are taken over."""


def windows(query: str) -> Iterator[Window]:
    """Yield each window in a query, hidden ones too. A subquery adds to those that are in it."""
    for node in nodes(query):
        if isinstance(node, promql.MatrixSelector):
            seconds = node.range.total_seconds()
            yield Window(f"[{_words(seconds)}]", seconds)
        elif isinstance(node, promql.SubqueryExpr) and node.range is not None:
            seconds = node.range.total_seconds()
            inside = max((one.seconds for one in windows(str(node.expr))), default=0.0)
            yield Window(f"[{_words(seconds)}:]", seconds + inside, smears=True)
        elif isinstance(node, promql.VectorSelector) and (seconds := recorded(node.name or "")):
            yield Window(node.name or "", seconds)


def recorded(metric: str) -> float:
    """Return the window that the name of a recording rule tells (``job:errors:rate5m``), in seconds, or 0."""
    match = _RECORDED.search(metric)
    rule = match is not None and (":" in metric or metric[: match.start(1)].endswith(_RATES))
    return (
        parse_duration(match[1].replace("w", "d")) * (7 if "w" in match[1] else 1) if match and rule else 0.0
    )


def counting(query: str) -> frozenset[bool]:
    """Return how a query counts: True for events in its window, False for events per second; empty: nobody knows."""
    found = {_counts(node) for node in nodes(query)}
    return frozenset(one for one in found if one is not None)


def counts_events(query: str) -> bool:
    """Return whether a query counts events in its window instead of events per second."""
    return counting(query) == {True}


def _counts(node: object) -> bool | None:
    name = ""
    if isinstance(node, promql.Call):
        name = str(node.func.name)
    elif isinstance(node, promql.VectorSelector) and (match := _RECORDED.search(node.name or "")):
        ending = match.string[: match.start(1)]
        name = next((word for word in (*_COUNTS, *_PER_SECOND) if ending.endswith(word)), "")
    return True if name in _COUNTS else False if name in _PER_SECOND else None


def _words(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
