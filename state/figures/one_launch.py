"""The figures of one launch, from its events alone.

What the log doesn't tell is None or not counted as good: a deploy whose watch isn't over, a trip that nobody saw end,
a gate that was never GO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from state.events.bake import BakeFinished, ConditionChanged, ConditionMuted, ConditionSamples
from state.events.bodies import body_of
from state.events.event import Body, Event, gate_number
from state.events.gates import AttestSigned, CheckFinished, GateChanged, ItemWaived
from state.events.operations import OperationIntended, OperationOutput
from state.events.world import MetricBatch
from state.fold import apply
from state.view.enums import (
    BakeState,
    ConditionState,
    GateStatus,
    LaunchState,
    OperationKind,
    OperationState,
    Tier,
    Verdict,
)
from state.view.launch import LaunchView, OperationView
from state.view.people import ALONE, people_of
from state.view.rollbacks import rollbacks_since
from state.view.trips import taken_back

_QUIET = frozenset({MetricBatch.KIND, ConditionSamples.KIND, OperationOutput.KIND})
"""Most of a log, and nothing that is counted here."""


class Change(StrEnum):
    """What became of a deploy of production."""

    GOOD = "good"
    """It succeeded, no stop condition tripped, nothing was taken back, and its bake or its launch is done."""
    FAILED = "failed"
    """It failed, was aborted, tripped a stop condition or was rolled back."""
    UNKNOWN = "unknown"
    """The log ends before that is known, or nobody saw how it ended."""


class OverrideKind(StrEnum):
    """What a person let pass that the rules would have stopped."""

    LOCK = "lock overridden"
    WAIVER = "item waived"
    MUTE = "condition muted"
    BAKE = "bake cut short"
    AGREED = "agreed as second person"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFigure:
    """How long a gate took."""

    number: int
    title: str
    lead_us: int | None
    """From the opening of the launch to its first GO; None where it was never GO."""
    lost: int
    """How often it was GO and then was not."""


@dataclass(frozen=True, slots=True)
class Incident:
    """The trips of one release of production, from the first one on."""

    tripped_us: int
    conditions: tuple[str, ...]
    """Their titles."""
    restored_us: int | None
    """When a rollback was verified, or without one all of these conditions were OK again; None: not in this log."""


@dataclass(frozen=True, slots=True)
class NoGo:
    """An item that was a NO-GO."""

    item: str
    text: str
    times: int
    """How often one of its checks began to fail, or a person said NO-GO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFigures:
    """What one log says of one launch."""

    log: str
    """How its file is called."""
    log_id: str
    events: int
    """How many of them were used."""
    title: str
    version: str
    state: LaunchState
    opened_us: int
    """0 where the log holds no opening."""
    gates: tuple[GateFigure, ...]
    changes: tuple[Change, ...]
    """Of each deploy of production that began."""
    incidents: tuple[Incident, ...]
    no_go: tuple[NoGo, ...]
    overrides: tuple[tuple[str, OverrideKind, int], ...]
    """(person, what, how often)."""


@dataclass(slots=True)
class _Seen:
    """What is noted while the events pass."""

    view: LaunchView = field(default_factory=LaunchView)
    first_go: dict[int, int] = field(default_factory=dict)
    lost: Counter[int] = field(default_factory=Counter)
    failing: set[str] = field(default_factory=set)
    no_go: Counter[str] = field(default_factory=Counter)
    overrides: Counter[tuple[str, OverrideKind]] = field(default_factory=Counter)
    fine: list[tuple[str, int]] = field(default_factory=list)
    """(condition, when it became OK)."""


def figures_of(log: str, events: Iterable[Event]) -> LaunchFigures:
    """Return the figures of the launch whose events these are, from event 1 on."""
    seen, newest = _Seen(), 0
    for event in events:
        newest = event.seq
        if event.kind not in _QUIET:
            _note(seen, event, body_of(event))
            seen.view = apply(seen.view, event)
    view = seen.view
    return LaunchFigures(
        log=log,
        log_id=view.log_id,
        events=newest,
        title=view.scope.title,
        version=view.candidate.version,
        state=view.state,
        opened_us=view.scope.opened_us,
        gates=tuple(_gates(seen)),
        changes=changes_of(view),
        incidents=tuple(_incidents(seen)),
        no_go=tuple(NoGo(item, _text_of(view, item), n) for item, n in sorted(seen.no_go.items())),
        overrides=tuple((who, what, n) for (who, what), n in sorted(seen.overrides.items())),
    )


def _note(seen: _Seen, event: Event, body: Body) -> None:
    match body:
        case GateChanged() if (number := gate_number(event.gate)) is not None:
            if body.to is GateStatus.GO:
                seen.first_go.setdefault(number, event.wall_us)
            elif body.from_ is GateStatus.GO:
                seen.lost[number] += 1
        case CheckFinished():
            if body.verdict is not Verdict.FAIL:
                seen.failing.discard(body.check)
            elif body.check not in seen.failing:
                # A check that is run every minute and fails each time is one NO-GO, until it was something else.
                seen.failing.add(body.check)
                seen.no_go[body.item] += 1
        case AttestSigned() if not body.go:
            seen.no_go[body.item] += 1
        case ConditionChanged() if body.state is ConditionState.OK:
            seen.fine.append((body.id, event.wall_us))
        case _:
            _note_override(seen, event, body)


def _note_override(seen: _Seen, event: Event, body: Body) -> None:
    match body:
        case OperationIntended(override=given) if given is not None:
            what, second = OverrideKind.LOCK, given.second
        case ItemWaived():
            what, second = OverrideKind.WAIVER, body.second
        case ConditionMuted():
            what, second = OverrideKind.MUTE, body.second
        case BakeFinished(outcome=BakeState.FINISHED):
            what, second = OverrideKind.BAKE, ""
        case _:
            return
    seen.overrides[_person(seen.view, event.actor), what] += 1
    if second and second != ALONE:
        agreed = second.partition(" (")[0]  # "eve (socket peer uid 1001)"
        seen.overrides[_person(seen.view, agreed), OverrideKind.AGREED] += 1


def _person(view: LaunchView, account: str) -> str:
    """Return whose an account is; the account itself where that is nobody's or several people's."""
    named = [p for p in people_of(view, account) if account in p.accounts]
    return named[0].name or named[0].id if len(named) == 1 else account


def _text_of(view: LaunchView, item: str) -> str:
    found = view.item(item)
    return found.text if found is not None else ""


def _gates(seen: _Seen) -> Iterator[GateFigure]:
    opened_us = seen.view.scope.opened_us
    for gate in seen.view.gates:
        first = seen.first_go.get(gate.number)
        yield GateFigure(
            number=gate.number,
            title=gate.title,
            lead_us=None if first is None or not opened_us else max(0, first - opened_us),
            lost=seen.lost[gate.number],
        )


def changes_of(view: LaunchView) -> tuple[Change, ...]:
    """Return what became of each deploy of production that began, in their order."""
    return tuple(
        _change(view, run)
        for run in view.operations
        # One that never started changed nothing.
        if run.kind == OperationKind.DEPLOY and run.env == Tier.PRODUCTION and run.started_us
    )


def _change(view: LaunchView, run: OperationView) -> Change:
    tripped = any(trip.release == run.seq and not _shadow(view, trip.condition) for trip in view.trips)
    if tripped or run.state in {OperationState.FAILED, OperationState.ABORTED} or taken_back(view, run):
        return Change.FAILED
    if run.state is not OperationState.SUCCEEDED:
        return Change.UNKNOWN
    bake = view.bake
    baked = bake is not None and bake.state is BakeState.DONE and bake.started_us >= run.intended_us
    return Change.GOOD if baked or view.state is LaunchState.CLOSED else Change.UNKNOWN


def _shadow(view: LaunchView, condition: str) -> bool:
    found = view.condition(condition)
    return found is not None and found.shadow


def _incidents(seen: _Seen) -> Iterator[Incident]:
    view = seen.view
    trips = [t for t in view.trips if t.env == Tier.PRODUCTION and not _shadow(view, t.condition)]
    for release in dict.fromkeys(trip.release for trip in trips):
        own = [trip for trip in trips if trip.release == release]
        tripped_us = min(trip.at_us for trip in own)
        titles = tuple(dict.fromkeys(trip.title for trip in own))
        latest = {trip.condition: trip.at_us for trip in own}
        yield Incident(tripped_us, titles, _restored(seen, tripped_us, latest))


def _restored(seen: _Seen, tripped_us: int, latest: dict[str, int]) -> int | None:
    back = rollbacks_since(seen.view, Tier.PRODUCTION, tripped_us)
    ends = [run.finished_us for run in back if run.state is OperationState.SUCCEEDED and run.finished_us]
    if ends:
        return min(ends)
    fine = [
        min((at for name, at in seen.fine if name == condition and at > since), default=None)
        for condition, since in latest.items()
    ]
    known = [at for at in fine if at is not None]
    return max(known) if known and len(known) == len(fine) else None
