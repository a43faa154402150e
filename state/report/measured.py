"""The samples of a launch as curves: all of them, where a view keeps the newest alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from state.events.declared import GraphDeclared
from state.events.event import Body, Event
from state.events.samples import by_series
from state.events.world import MetricBatch, MetricGap
from state.report.run_facts import ConditionFacts, Curve, Line, Point
from state.report.watch_course import finite


@dataclass(slots=True)
class Measured:
    """Gathers samples."""

    _graphs: dict[str, GraphDeclared] = field(default_factory=dict)
    _points: dict[tuple[str, str], list[Point]] = field(default_factory=dict)
    _declared: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def take(self, event: Event, body: Body) -> None:
        """Take in one more event."""
        match body:
            case GraphDeclared():
                self._graphs[body.id] = body
                self._declared[body.id] = tuple(one.id for one in body.series)
                for one in body.series:
                    self._points.setdefault((body.id, one.id), [])
            case MetricBatch():
                at_us = body.at_us or event.wall_us
                for key, value in by_series(body.values, self._declared).items():
                    if key in self._points:
                        self._points[key].append((at_us, finite(value)))
            case MetricGap():
                for points in self._points.values():
                    points.append((body.from_us or event.wall_us, None))
            case _:
                pass

    def curves(self, conditions: Sequence[ConditionFacts]) -> tuple[Curve, ...]:
        """Return a curve of each graph; the threshold is that of the condition which the graph names."""
        rules = {one.id: one for one in conditions}
        found = []
        for graph in self._graphs.values():
            rule = rules.get(graph.condition or "")
            curve = Curve(
                id=graph.id,
                title=graph.title,
                env=graph.env,
                unit=graph.unit,
                threshold=rule.threshold if rule is not None else None,
                below=rule.below if rule is not None else False,
                lines=tuple(_line(s.id, s.label, self._points[graph.id, s.id]) for s in graph.series),
            )
            found.append(curve)
        return tuple(found)


def _line(name: str, label: str, points: Sequence[Point]) -> Line:
    ordered = tuple(sorted(points, key=lambda point: point[0]))
    seen = [(value, at_us) for at_us, value in ordered if value is not None]
    highest, highest_us = max(seen, key=lambda pair: (pair[0], -pair[1]), default=(None, 0))
    return Line(
        id=name,
        label=label,
        points=ordered,
        lowest=min((value for value, _ in seen), default=None),
        highest=highest,
        highest_us=highest_us,
        last=seen[-1][0] if seen else None,
    )
