"""A launch's graph as a section: its newest values in words, the threshold, marks and gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from screens.kit import formats
from screens.kit.pane import Draw
from screens.kit.plain import Line, Role, Span, crop, heading
from screens.kit.plot import Curve, Mark, Window, draw, highest
from screens.kit.screen_state import ScreenState
from screens.kit.viewport import Viewport
from state.base.times import SECOND_US
from state.events.operations import OperationIntended
from state.view.enums import Tier
from state.view.launch import ConditionView, GraphView, LaunchView, SeriesView

_OTHERS = (Role.LINE3, Role.PLAIN)
"""The lines beside the one that is judged, in their order."""
_BAKE_SPAN_S = 3600
_SPANS_S = (900, 1800, 3600, 7200, 14_400)
_RECENT_S = (1800, 3600)
_BEFORE_S = 120
"""Seconds before a deploy that are shown with it: what it was like until then."""
_MARKED = {"operation.intended": Role.STRONG, "condition.changed": Role.BAD}


def nth_chart(index: int) -> Draw:
    """Return what draws the launch's first, second … graph, in the runbook's order."""

    def lines(shown: ScreenState, width: int, height: int) -> list[Line]:
        if index >= len(shown.view.graphs):
            return []
        span_s = recent_span(shown.view, shown.now_us)
        return graph_lines(shown, shown.view.graphs[index], width, height, span_s=span_s)

    return lines


def bake_chart(index: int, look: Callable[[], Viewport]) -> Draw:
    """Return what draws the launch's first, second … graph as one looks at it, and says which part of time it is."""

    def lines(shown: ScreenState, width: int, height: int) -> list[Line]:
        if index >= len(shown.view.graphs):
            return []
        graph = shown.view.graphs[index]
        return graph_lines(
            shown, graph, width, height, span_s=bake_span(shown.view, shown.now_us), look=look()
        )

    return lines


def bake_span(view: LaunchView, now_us: int) -> int:
    """Return how many seconds the graphs show unless somebody zooms: from before the bake on, in a round number."""
    if view.bake is None:
        return _BAKE_SPAN_S
    since = (now_us - view.bake.started_us) // SECOND_US + _BEFORE_S
    return next((span for span in _SPANS_S if span >= since), _SPANS_S[-1])


def recent_span(view: LaunchView, now_us: int) -> int:
    """Return how many seconds a small graph shows: half an hour, or as much as has the newest mark in it."""
    newest = max((mark.at_us for mark in marks_of(view, 0)), default=now_us)
    since = (now_us - newest) // SECOND_US + _BEFORE_S
    return next((span for span in _RECENT_S if span >= since), _RECENT_S[0])


def graph_lines(
    shown: ScreenState,
    graph: GraphView,
    width: int,
    height: int,
    *,
    span_s: int,
    look: Viewport | None = None,
) -> list[Line]:
    """Return a graph's lines: a heading with values in words, the plot, the time axis.

    With a ``look`` the heading says which part of time is shown, and the values are those of its end.
    """
    condition = shown.view.condition(graph.condition) if graph.condition else None
    curves = _curves(graph, condition)
    threshold = condition.threshold if condition else None
    span_s, end_us = _part(shown, span_s, look)
    rough = Window.ending(end_us, span_s, max(1, width - 9))
    top = highest(curves, rough, threshold)
    scale = (formats.number(top, graph.unit), "0")
    label = formats.number(threshold, graph.unit) if threshold is not None else ""
    # As wide as the widest of all graphs: their moments then stand below one another.
    gutter = max(_scale_width(one, shown.view, rough) for one in shown.view.graphs)
    window = Window.ending(end_us, span_s, max(8, width - gutter - 1))
    title = graph.title if look is None else f"{graph.title}  {_told(look, window, span_s, shown.now_us)}"
    until_us = end_us if end_us < shown.now_us else None
    head = heading(title, width, *_values(graph, condition, width - len(title) - 4, until_us))
    if height < 4:
        return [head]
    plotted = draw(
        curves,
        window,
        height - 2,
        threshold=threshold,
        marks=marks_of(shown.view, window.first_us),
        label=label,
        scale=scale,
        top=top,
        ascii_only=shown.ascii_only,
        gutter=gutter,
    )
    return [head, *(crop(line, width) for line in plotted)]


def _scale_width(graph: GraphView, view: LaunchView, window: Window) -> int:
    """Return how many cells the words beside a graph take."""
    condition = view.condition(graph.condition) if graph.condition else None
    threshold = condition.threshold if condition else None
    words = [formats.number(highest(_curves(graph, condition), window, threshold), graph.unit)]
    return max(
        map(len, [*words, *([formats.number(threshold, graph.unit)] if threshold is not None else [])])
    )


def _part(shown: ScreenState, span_s: int, look: Viewport | None) -> tuple[int, int]:
    """Return how many seconds are shown, and where they end."""
    if look is None:
        return span_s, shown.now_us
    return look.span_s or span_s, look.end(shown.now_us)


def _told(look: Viewport, window: Window, span_s: int, now_us: int) -> str:
    """Return which part of time a window shows, in words: ``last 30 m``, or from when to when."""
    length = formats.span(span_s)
    if look.follows(now_us):
        return f"last {length}"
    first, last = formats.clock(window.first_us, seconds=False), formats.clock(window.end_us, seconds=False)
    return f"PAST: {first[:-1]} to {last}, {length}"


def _judged(graph: GraphView, condition: ConditionView | None) -> frozenset[str]:
    """Return the lines that a stop condition is about: those that it names, or else the first."""
    if condition is None:
        return frozenset()
    named = [s.id for s in graph.series if s.id in condition.id.split("-")]
    return frozenset(named or [s.id for s in graph.series[:1]])


def _roles(graph: GraphView, judged: frozenset[str]) -> list[Role]:
    """Return the role of each line: what is judged stands out, or else the first does."""
    first = judged or {s.id for s in graph.series[:1]}
    others = iter(_OTHERS)
    return [Role.ACCENT if s.id in first else next(others, Role.PLAIN) for s in graph.series]


def _curves(graph: GraphView, condition: ConditionView | None) -> list[Curve]:
    judged = _judged(graph, condition)
    pairs = sorted(
        zip(graph.series, _roles(graph, judged), strict=True), key=lambda pair: pair[0].id in judged
    )
    below = condition is not None and condition.below
    return [Curve(s.points, role, judged=s.id in judged, below=below) for s, role in pairs]


def _values(
    graph: GraphView, condition: ConditionView | None, room: int, until_us: int | None = None
) -> list[Span]:
    judged = _judged(graph, condition)
    lines: list[tuple[bool, Span]] = []
    for series, usual in zip(graph.series, _roles(graph, judged), strict=True):
        role = usual
        value = series.last if until_us is None else _value_at(series, until_us)
        if value is None:
            role = Role.BLIND
        elif condition is not None and series.id in judged and condition.beyond(value):
            role = Role.BAD
        name = f"{series.label} " if len(graph.series) > 1 else ""
        lines.append((series.id in judged, Span(f"{name}{formats.number(value, graph.unit)}", role)))
    if condition is not None:
        lines.append((True, Span(f"limit {formats.number(condition.threshold, graph.unit)}", Role.WARN)))
    while len(lines) > 1 and sum(len(span.text) + 2 for _, span in lines) > room:
        lines.remove(next((one for one in lines if not one[0]), lines[-1]))
    spans: list[Span] = []
    for _, span in lines:
        spans += [Span("  "), span] if spans else [span]
    return spans


def _value_at(series: SeriesView, at_us: int) -> float | None:
    """Return the newest value at a moment of the past, or None where there was none."""
    known = bisect_right(series.points, at_us, key=lambda point: point[0])
    return series.points[known - 1][1] if known else None


def marks_of(view: LaunchView, since_us: int) -> list[Mark]:
    """Return what is worth a vertical line: deploys, rollbacks, trips."""
    kinds = {o.seq: o.kind for o in view.operations if o.env == Tier.PRODUCTION}
    marks = []
    for mark in view.marks:
        if mark.at_us < since_us or mark.kind not in _MARKED:
            continue
        if mark.kind == OperationIntended.KIND:
            if mark.seq not in kinds:
                continue
            marks.append(Mark(mark.at_us, kinds[mark.seq], Role.STRONG))
        else:
            marks.append(Mark(mark.at_us, "trip", Role.BAD))
    return marks
