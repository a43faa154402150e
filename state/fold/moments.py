"""Which events are moments worth jumping to, and in what words."""

from __future__ import annotations

from state.base.numbers import number
from state.base.text import line
from state.events.bake import BakeFinished, BakeStarted, ConditionChanged
from state.events.bodies import decode
from state.events.event import Body, Event, gate_number
from state.events.gates import AttestSigned, AttestWithdrawn, CheckFinished, GateChanged, ItemWaived
from state.events.launch import (
    ConsoleTookOver,
    LaunchClosed,
    LaunchHeld,
    LaunchOpened,
    LaunchReleased,
    LaunchScrubbed,
)
from state.events.log import NoteAdded
from state.events.operations import OperationFinished, OperationIntended, OperationUnknown
from state.events.polls import PollEnded
from state.events.requests import RequestGranted, RequestRefused
from state.fold import launch
from state.fold.describe import words
from state.fold.severity import severity
from state.view.enums import ConditionState, Severity, Verdict
from state.view.launch import LaunchView
from state.view.moments import Moment, MomentKind

_KINDS: dict[type[Body], MomentKind] = {
    GateChanged: MomentKind.GATE,
    CheckFinished: MomentKind.FAILURE,
    **dict.fromkeys(
        (AttestSigned, AttestWithdrawn, ItemWaived, PollEnded, RequestGranted, RequestRefused),
        MomentKind.SIGN_OFF,
    ),
    **dict.fromkeys(
        (OperationIntended, OperationFinished, OperationUnknown, BakeStarted, BakeFinished),
        MomentKind.OPERATION,
    ),
    ConditionChanged: MomentKind.BREACH,
    LaunchHeld: MomentKind.HOLD,
    LaunchReleased: MomentKind.HOLD,
    ConsoleTookOver: MomentKind.TAKE_OVER,
    NoteAdded: MomentKind.NOTE,
    **dict.fromkeys((LaunchOpened, LaunchClosed, LaunchScrubbed), MomentKind.LAUNCH),
}
_NAMES = frozenset(one.KIND for one in _KINDS)


def moment(before: LaunchView, event: Event) -> Moment | None:
    """Return the moment that an event is, or None; ``before`` is the view that it changed."""
    if event.kind not in _NAMES:
        return None
    body, notes = decode(event)
    kind = _KINDS.get(type(body))
    if kind is None:
        return None
    if isinstance(body, CheckFinished) and (body.verdict is not Verdict.FAIL or _failed(before, body)):
        return None
    entered = _entered(before, event, body) if isinstance(body, ConditionChanged) else (kind, "")
    if entered is None:
        return None
    # Last: most results and values are no moment, and a long log has many.
    kind, said = entered[0], entered[1] or words(event, before, (body, notes))
    match body:
        case LaunchOpened():
            said = f"launch opened: {body.title}"
        case LaunchHeld() | LaunchReleased():
            said = f"{'hold' if isinstance(body, LaunchHeld) else 'released'}: {said}"
        case LaunchClosed() | LaunchScrubbed():
            said = "closed" if isinstance(body, LaunchClosed) else f"scrubbed: {said}"
        case OperationFinished():
            said = f"{body.id} {body.state}{_asked(before, event)}: {body.verdict}"
        case OperationUnknown():
            said = f"{body.id} has no known end{_asked(before, event)}: {body.verdict}"
    bad = severity(body) in {Severity.BAD, Severity.BLIND} or isinstance(body, LaunchScrubbed)
    return Moment(
        seq=event.seq, at_us=event.wall_us, kind=kind, words=line(said, 200), gate=gate_number(event.gate) or 0,
        item=str(getattr(body, "item", "")), actor=event.actor, bad=bad,
    )  # fmt: skip


def _failed(before: LaunchView, body: CheckFinished) -> bool:
    """Return whether this check's newest result was a fail already."""
    item = before.item(body.item)
    check = next((one for one in item.checks if one.id == body.check), None) if item is not None else None
    return check is not None and check.verdict is Verdict.FAIL


def _entered(before: LaunchView, event: Event, body: ConditionChanged) -> tuple[MomentKind, str] | None:
    """Return that a condition began to breach, or tripped, with its value and threshold; None where it was so."""
    known = before.condition(body.id)
    limit = ""
    if known is not None:
        over = "under" if known.below else "over"
        limit = f", {over} its threshold of {number(known.threshold, known.unit)}"
    told = f" at {number(body.value, known.unit if known is not None else '')}{limit}"
    if body.state is ConditionState.TRIPPED:
        return (MomentKind.TRIP, f"{body.id} TRIPPED{told}") if launch.mark(before, event, body) else None
    was = known.state if known is not None else None
    if body.state is not ConditionState.BREACHING or was in {
        ConditionState.BREACHING,
        ConditionState.TRIPPED,
    }:
        return None
    return MomentKind.BREACH, f"{body.id} BREACHING{told}"


def _asked(before: LaunchView, event: Event) -> str:
    """Return who asked for the operation that has ended here."""
    run = before.operation(event.ref) if event.ref is not None else None
    return f" (asked by {run.actor})" if run is not None else ""
