"""The fold: events in, frozen view out. Live, follow, replay, report and headless all use this one.

``fold(view, events)`` in one go equals the fold in any two parts. A kind that this version doesn't know
moves the head on and is counted, never refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from state.base.canonical import anchor
from state.base.json import text
from state.events.event import Event, Kind
from state.fold import bake, gates, launch, operations, world
from state.fold.describe import words
from state.fold.severity import severity
from state.fold.step import Steps
from state.view.launch import LaunchView, LogLine, MarkView

TAIL = 300
MARKS = 500

STEPS: Steps = {**launch.STEPS, **gates.STEPS, **operations.STEPS, **world.STEPS, **bake.STEPS}

_QUIET = frozenset(
    {"metric.batch", "condition.samples", "bake.progress", "operation.output", "check.started"}
)


def apply(view: LaunchView, event: Event) -> LaunchView:
    """Return the view after one more event."""
    before = view
    label = launch.mark(before, event)
    step = STEPS.get(event.kind)
    view = replace(view, unknown_kinds=view.unknown_kinds + 1) if step is None else step(view, event)
    changes: dict[str, object] = {}
    if event.kind not in _QUIET and not _same_condition(before, event):
        changes["tail"] = (*view.tail[-TAIL + 1 :], line_of(event, before))
    if label:
        mark = MarkView(event.seq, event.wall_us, event.kind, label)
        changes["marks"] = (*view.marks[-MARKS + 1 :], mark)
    head = anchor(view.log_id, event.seq, event.hash) if view.log_id else ""
    return replace(view, seq=event.seq, head=head, wall_us=event.wall_us, **changes)  # type: ignore[arg-type]  # the two keys above


def _same_condition(before: LaunchView, event: Event) -> bool:
    """Return whether a condition only has another value: the graph shows it, the tail need not tell it."""
    if event.kind != Kind.CONDITION_CHANGED:
        return False
    known = before.condition(text(event.body, "id"))
    return known is not None and known.state == text(event.body, "state") and known.evaluated_us > 0


def fold(events: Iterable[Event], view: LaunchView | None = None) -> LaunchView:
    """Return the view after ``events``, starting from ``view`` or from nothing."""
    view = view or LaunchView()
    for event in events:
        view = apply(view, event)
    return view


def line_of(event: Event, view: LaunchView | None = None) -> LogLine:
    """Return an event in words, as the log screen lists it; ``view`` knows the units of its numbers."""
    said = words(event, view)
    return LogLine(event.seq, event.wall_us, event.kind, event.gate, event.actor, said, severity(event))
