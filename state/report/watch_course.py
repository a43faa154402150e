"""The course of the watch: stop conditions, trips, bakes, what could not be seen; gathered while a log is folded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from state.base.frozen import remake, replace
from state.base.times import SECOND_US
from state.events.bake import (
    BakeExtended,
    BakeFinished,
    BakeProgress,
    BakeStarted,
    ConditionAcknowledged,
    ConditionAnswered,
    ConditionChanged,
    ConditionCountdown,
    ConditionMuted,
)
from state.events.declared import ConditionDeclared
from state.events.event import Body, Event
from state.events.world import MetricGap, SourceChanged
from state.fold.describe import words
from state.report.run_facts import (
    BakeFacts,
    Blindness,
    ConditionChange,
    ConditionDeed,
    ConditionFacts,
    Extension,
)
from state.view.enums import BakeState, ConditionState
from state.view.launch import LaunchView, TripView
from state.view.watch import ConditionView

_DEEDS = (ConditionAcknowledged, ConditionMuted, ConditionCountdown, ConditionAnswered)


def finite(value: float | None) -> float | None:
    """Return a number that can be drawn and written as JSON; None for one that is none."""
    return value if value is not None and isfinite(value) else None


@dataclass(slots=True)
class _Condition:
    """What was met of one condition."""

    history: list[ConditionChange] = field(default_factory=list)
    deeds: list[ConditionDeed] = field(default_factory=list)
    worst: float | None = None
    worst_us: int = 0
    longest_breach_s: int = 0
    below: bool = False


@dataclass(slots=True)
class Course:
    """Gathers what events say of the watch."""

    trips: dict[int, TripView] = field(default_factory=dict)
    bakes: list[BakeFacts] = field(default_factory=list)
    _conditions: dict[str, _Condition] = field(default_factory=dict)
    _views: dict[str, ConditionView] = field(default_factory=dict)
    """As each was last known, also one that the runbook has no more."""
    _blind: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """What is blind now: since which event, since when, why."""
    _spans: list[tuple[str, Blindness]] = field(default_factory=list)

    def take(self, before: LaunchView, event: Event, body: Body, after: LaunchView) -> None:
        """Take in one more event."""
        match body:
            case ConditionChanged():
                self._changed(event, body)
            case ConditionDeclared():
                self._of(body.id).below = body.below
            case SourceChanged():
                self._turn(f"source {body.name}", event, body.reason or "lost", blind=not body.ok)
            case MetricGap():
                from_us = body.from_us or event.wall_us
                reason = body.reason or f"{body.dropped} samples were not kept"
                self._span("samples", event.seq, from_us, event.wall_us, reason)
            case _ if isinstance(body, _DEEDS):
                said = words(event, before)
                deed = ConditionDeed(seq=event.seq, at_us=event.wall_us, by=event.actor, what=said)
                self._of(body.id).deeds.append(deed)
            case _:
                self._bake(event, body)
        if after.trips is not before.trips:
            self.trips.update((trip.seq, trip) for trip in after.trips)
        if after.conditions is not before.conditions:
            self._views.update((one.id, one) for one in after.conditions)

    def _of(self, name: str) -> _Condition:
        return self._conditions.setdefault(name, _Condition())

    def _changed(self, event: Event, body: ConditionChanged) -> None:
        one, value = self._of(body.id), finite(body.value)
        if not one.history or one.history[-1].state is not body.state:
            change = remake(ConditionChange, body, seq=event.seq, at_us=event.wall_us, value=value)
            one.history.append(change)
        if value is not None and body.active:
            worse = one.worst is None or (value < one.worst if one.below else value > one.worst)
            one.worst, one.worst_us = (value, event.wall_us) if worse else (one.worst, one.worst_us)
        if body.state in {ConditionState.BREACHING, ConditionState.TRIPPED}:
            one.longest_breach_s = max(one.longest_breach_s, body.elapsed_s)
        blind = body.active and body.state.blind
        self._turn(f"condition {body.id}", event, body.reason or body.state.value, blind=blind)

    def _turn(self, what: str, event: Event, reason: str, *, blind: bool) -> None:
        known = self._blind.get(what)
        if blind and known is None:
            self._blind[what] = (event.seq, event.wall_us, reason)
        elif not blind and known is not None:
            del self._blind[what]
            self._span(what, known[0], known[1], event.wall_us, known[2])

    def _span(self, what: str, seq: int, from_us: int, to_us: int, reason: str) -> None:
        seconds = max(0, to_us - from_us) // SECOND_US
        span = Blindness(seq=seq, what=what, reason=reason, from_us=from_us, seconds=seconds)
        self._spans.append((what, span))

    def _bake(self, event: Event, body: Body) -> None:
        if isinstance(body, BakeStarted):
            bake = BakeFacts(
                seq=event.seq,
                started_us=event.wall_us,
                ended_us=0,
                minimum_s=body.minimum_s,
                good_s=0,
                state=BakeState.RUNNING,
                why="",
                extensions=(),
            )
            self.bakes.append(bake)
        elif not self.bakes:
            return
        elif isinstance(body, BakeProgress):
            self.bakes[-1] = replace(self.bakes[-1], good_s=body.good_s, state=body.state, why=body.why)
        elif isinstance(body, BakeFinished):
            ended = replace(self.bakes[-1], good_s=body.good_s, state=body.outcome, why=body.why)
            self.bakes[-1] = replace(ended, ended_us=event.wall_us)
        elif isinstance(body, BakeExtended):
            more = Extension(
                seq=event.seq,
                at_us=event.wall_us,
                by=event.actor,
                minutes=body.minutes,
                reason=body.reason,
            )
            self.bakes[-1] = replace(self.bakes[-1], extensions=(*self.bakes[-1].extensions, more))

    def end(self, end_us: int) -> None:
        """Say when the launch ended: what was blind until then was blind until then."""
        for what, (seq, since_us, reason) in self._blind.items():
            self._span(what, seq, since_us, max(since_us, end_us), reason)
        self._blind.clear()

    def blindness(self) -> tuple[Blindness, ...]:
        """Return what could not be seen, by the time from which on."""
        return tuple(sorted((span for _, span in self._spans), key=lambda one: (one.from_us, one.seq)))

    def blind_s(self) -> int:
        """Return for how many seconds at least one condition with power could not be judged."""
        power = {f"condition {one.id}" for one in self._views.values() if not one.shadow}
        spans = sorted(
            (one.from_us, one.from_us + one.seconds * SECOND_US) for w, one in self._spans if w in power
        )
        total = until = 0
        for start, end in spans:
            total += max(0, end - max(start, until))
            until = max(until, end)
        return total // SECOND_US

    def conditions(self) -> tuple[ConditionFacts, ...]:
        """Return every condition that the log declares, with its course."""
        return tuple(self._facts(view) for view in self._views.values())

    def _facts(self, view: ConditionView) -> ConditionFacts:
        one = self._of(view.id)
        trips = sum(trip.condition == view.id for trip in self.trips.values())
        if view.shadow:
            trips = sum(change.state is ConditionState.TRIPPED for change in one.history)
        return remake(
            ConditionFacts,
            view,
            threshold=finite(view.threshold) or 0.0,
            value=finite(view.value),
            worst=one.worst,
            worst_us=one.worst_us,
            longest_breach_s=one.longest_breach_s,
            near_miss=not trips and one.longest_breach_s > 0,
            trips=trips,
            blind_s=sum(_seconds(span for what, span in self._spans if what == f"condition {view.id}")),
            history=tuple(one.history),
            deeds=tuple(one.deeds),
        )


def _seconds(spans: Iterable[Blindness]) -> list[int]:
    return [span.seconds for span in spans]
