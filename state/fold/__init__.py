"""The fold: events in, frozen view out. Live, follow, replay, report and headless all use this one.

``fold(view, events)`` in one go equals the fold in any two parts. A kind that this version doesn't know
moves the head on and is counted, never refused; so is a word or a field of a body that it can't take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from state.base.canonical import anchor
from state.base.codec import Notes
from state.base.frozen import replace
from state.events.bake import BakeProgress, ConditionChanged, ConditionSamples
from state.events.bodies import decode
from state.events.event import Body, Event, Unlisted
from state.events.gates import CheckStarted
from state.events.operations import OperationOutput
from state.events.world import MetricBatch
from state.fold import bake, first_launch, gates, launch, operations, polls, requests, world
from state.fold.describe import words
from state.fold.severity import severity
from state.fold.step import STEPS
from state.view.launch import LaunchView, LogLine, MarkView

TAIL = 300
MARKS = 500
_SUBJECTS = (bake, first_launch, gates, launch, operations, polls, requests, world)
"""Loading them fills ``STEPS``."""

_QUIET = (MetricBatch, ConditionSamples, BakeProgress, OperationOutput, CheckStarted)


def apply(view: LaunchView, event: Event) -> LaunchView:
    """Return the view after one more event."""
    before = view
    body, notes = decode(event)
    label = launch.mark(before, event, body)
    if isinstance(body, Unlisted):
        view = replace(view, unknown_kinds=view.unknown_kinds + 1)
    else:
        view = STEPS[type(body)](view, event, body)
    changes: dict[str, object] = {}
    if notes.words or notes.fields:
        changes["unknown_words"] = _counted(view.unknown_words, notes.words)
        changes["strange_fields"] = _counted(
            view.strange_fields, [f"{event.kind} {name}" for name in notes.fields]
        )
    if not isinstance(body, _QUIET) and not _same_condition(before, body):
        changes["tail"] = (*view.tail[-TAIL + 1 :], _line(event, before, body, notes))
    if label:
        mark = MarkView(event.seq, event.wall_us, event.kind, label)
        changes["marks"] = (*view.marks[-MARKS + 1 :], mark)
    head = anchor(view.log_id, event.seq, event.hash) if view.log_id else ""
    return replace(view, seq=event.seq, head=head, wall_us=event.wall_us, **changes)  # type: ignore[arg-type]  # the keys above


def _counted(known: Mapping[str, int], news: Iterable[str]) -> Mapping[str, int]:
    """Return how often each was met; of a log that isn't ours at all the first hundred are enough."""
    counts = dict(known)
    for new in news:
        if new in counts or len(counts) < 100:
            counts[new] = counts.get(new, 0) + 1
    return MappingProxyType(counts)


def _same_condition(before: LaunchView, body: Body) -> bool:
    """Return whether a condition only has another value: the graph shows it, the tail need not tell it."""
    if not isinstance(body, ConditionChanged):
        return False
    known = before.condition(body.id)
    return known is not None and known.state is body.state and known.evaluated_us > 0


def fold(events: Iterable[Event], view: LaunchView | None = None) -> LaunchView:
    """Return the view after ``events``, starting from ``view`` or from nothing."""
    view = view or LaunchView()
    for event in events:
        view = apply(view, event)
    return view


def line_of(event: Event, view: LaunchView | None = None) -> LogLine:
    """Return an event in words, as the log screen lists it; ``view`` knows the units of its numbers."""
    return _line(event, view, *decode(event))


def _line(event: Event, view: LaunchView | None, body: Body, notes: Notes) -> LogLine:
    said = words(event, view, (body, notes))
    return LogLine(event.seq, event.wall_us, event.kind, event.gate, event.actor, said, severity(body))
