"""A launch's graph as a section: its newest values in words, the threshold, marks and gaps."""

from __future__ import annotations

from screens import words
from screens.shown import Shown
from screens.widgets.pane import Draw
from screens.widgets.plain import Line, Role, Span, crop, heading, row
from screens.widgets.plot import Curve, Mark, Window, draw, highest
from state.clock import SECOND_US
from state.verdict import ConditionState
from state.view import ConditionView, GraphView, LaunchView

_ROLES = {1: (Role.ACCENT,), 2: (Role.LINE3, Role.ACCENT), 3: (Role.LINE3, Role.ACCENT, Role.PLAIN)}
_MARKED = {"operation.intended": Role.STRONG, "condition.changed": Role.BAD}


def chart(graph_id: str, *, span_s: int = 1800) -> Draw:
    """Return what draws one graph of the launch over the last ``span_s`` seconds."""

    def lines(shown: Shown, width: int, height: int) -> list[Line]:
        graph = next((g for g in shown.view.graphs if g.id == graph_id), None)
        if graph is None:
            return [heading(graph_id, width), row(Span("not declared in the runbook", Role.DIM))]
        return graph_lines(shown, graph, width, height, span_s=span_s)

    return lines


def nth_chart(index: int, *, span_s: int = 1800, bake: bool = False) -> Draw:
    """Return what draws the launch's first, second … graph, in the runbook's order.

    With ``bake`` the graph begins five minutes before the bake, once there is one.
    """

    def lines(shown: Shown, width: int, height: int) -> list[Line]:
        if index >= len(shown.view.graphs):
            return []
        seconds = span_s
        if bake and shown.view.bake is not None:
            since = (shown.now_us - shown.view.bake.started_us) // SECOND_US
            seconds = min(4 * span_s, max(900, since + 300))
        return graph_lines(shown, shown.view.graphs[index], width, height, span_s=seconds)

    return lines


def graph_lines(shown: Shown, graph: GraphView, width: int, height: int, *, span_s: int) -> list[Line]:
    """Return a graph's lines: a heading with values in words, the plot, the time axis."""
    condition = shown.view.condition(graph.condition) if graph.condition else None
    curves = _curves(graph, condition)
    head = heading(graph.title, width, *_values(graph, condition, width - len(graph.title) - 4))
    if height < 4:
        return [head]
    threshold = condition.threshold if condition else None
    rough = Window.ending(shown.now_us, span_s, max(1, width - 9))
    top = highest(curves, rough, threshold)
    scale = (words.number(top, graph.unit), "0")
    label = words.number(threshold, graph.unit) if threshold is not None else ""
    gutter = max(map(len, (*scale, label))) + 1
    window = Window.ending(shown.now_us, span_s, max(8, width - gutter))
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
    )
    return [head, *(crop(line, width) for line in plotted)]


def _curves(graph: GraphView, condition: ConditionView | None) -> list[Curve]:
    judged = {s.id for s in graph.series if condition is not None and _judged(graph, s.id, condition)}
    roles = _ROLES.get(len(graph.series), ())
    order = sorted(enumerate(graph.series), key=lambda pair: pair[1].id in judged and len(judged) == 1)
    return [
        Curve(s.points, roles[n] if n < len(roles) else Role.PLAIN, judged=s.id in judged) for n, s in order
    ]


def _values(graph: GraphView, condition: ConditionView | None, room: int) -> list[Span]:
    roles = _ROLES.get(len(graph.series), ())
    told: list[tuple[bool, Span]] = []
    for n, series in enumerate(graph.series):
        role = roles[n] if n < len(roles) else Role.PLAIN
        value = series.last
        judged = condition is not None and _judged(graph, series.id, condition)
        if value is None:
            role = Role.BLIND
        elif condition is not None and judged and value > condition.threshold:
            role = Role.BAD
        name = f"{series.label} " if len(graph.series) > 1 else ""
        told.append((judged, Span(f"{name}{words.number(value, graph.unit)}", role)))
    if condition is not None:
        told.append((True, Span(f"limit {words.number(condition.threshold, graph.unit)}", Role.WARN)))
    while len(told) > 1 and sum(len(span.text) + 2 for _, span in told) > room:
        told.remove(next((one for one in told if not one[0]), told[-1]))
    spans: list[Span] = []
    for _, span in told:
        spans += [Span("  "), span] if spans else [span]
    return spans


def _judged(graph: GraphView, series: str, condition: ConditionView) -> bool:
    """Return whether a stop condition is about this line: it is the only one, or the condition names it."""
    return len(graph.series) == 1 or series in condition.id.split("-")


def marks_of(view: LaunchView, since_us: int) -> list[Mark]:
    """Return what is worth a vertical line: deploys, rollbacks, trips."""
    kinds = {o.seq: o.kind for o in view.operations if o.env == "production"}
    marks = []
    for mark in view.marks:
        if mark.at_us < since_us or mark.kind not in _MARKED:
            continue
        if mark.kind == "operation.intended":
            if mark.seq not in kinds:
                continue
            marks.append(Mark(mark.at_us, kinds[mark.seq], Role.STRONG))
        else:
            marks.append(Mark(mark.at_us, "trip", Role.BAD))
    return marks


def blind_states(view: LaunchView) -> int:
    """Return how many active stop conditions can't be judged."""
    return sum(1 for c in view.conditions if c.active and (c.state.blind or c.state is ConditionState.WARMUP))
