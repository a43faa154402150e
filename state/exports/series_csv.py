"""The samples of a launch as CSV (RFC 4180): a row for each value of each line of each graph, a gap with no value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from state.base.times import moment
from state.events.bodies import body_of
from state.events.declared import GraphDeclared
from state.events.event import Event
from state.events.samples import spelled
from state.events.world import MetricBatch

HEADS = ("seq", "time", "time_us", "env", "graph", "series", "unit", "value")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def series_csv(events: Iterable[Event]) -> Iterator[str]:
    """Yield the rows, the head first; they end with CR LF."""
    graphs: dict[str, GraphDeclared] = {}
    yield _row(HEADS)
    for event in events:
        body = body_of(event)
        if isinstance(body, GraphDeclared):
            graphs[body.id] = body
        elif isinstance(body, MetricBatch):
            at_us = body.at_us or event.wall_us
            declared = {graph.id: tuple(series.id for series in graph.series) for graph in graphs.values()}
            for name, series, value in spelled(body.values, declared):
                graph = graphs.get(name)
                env, unit = (graph.env, graph.unit) if graph is not None else ("", "")
                texts = map(harmless, (env, name, series, unit))
                yield _row((str(event.seq), moment(at_us).isoformat(), str(at_us), *texts, _number(value)))


def harmless(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula: such a one has an apostrophe before it."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def _number(value: str) -> str:
    try:
        float(value)
    except ValueError:
        return harmless(value)
    return value


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
