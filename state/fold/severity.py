"""How bad an event is, and whether it decided something: by what it says, never by a look at words for people."""

from __future__ import annotations

from state.events.bake import BakeFinished, ConditionChanged
from state.events.bodies import body_as
from state.events.event import Body, Event
from state.events.gates import AttestSigned, CheckFinished, CheckStarted, GateChanged
from state.events.launch import (
    CommandRefused,
    ConsoleClosed,
    ConsoleOpened,
    LaunchClosed,
    LaunchHeld,
    LaunchOpened,
    LaunchScrubbed,
    RunbookChanged,
)
from state.events.log import ClockJumped, LogDoubted, LogWriteFailed
from state.events.operations import OperationFinished, OperationUnknown
from state.events.polls import PollAnswered, PollEnded
from state.events.world import SourceChanged
from state.view.enums import ConditionState, GateStatus, OperationState, PollState, Severity, Verdict

_BAD = frozenset(
    {Verdict.FAIL, GateStatus.NO_GO, ConditionState.TRIPPED, OperationState.FAILED, OperationState.ABORTED}
)
_BLIND = frozenset(
    {Verdict.UNKNOWN, GateStatus.BLIND, GateStatus.UNKNOWN, OperationState.UNKNOWN, ConditionState.BREACHING}
    | {state for state in ConditionState if state.blind}
)
_DECIDED = frozenset(
    {
        *(LaunchOpened.KIND, LaunchClosed.KIND, LaunchScrubbed.KIND, LaunchHeld.KIND),
        *(GateChanged.KIND, OperationFinished.KIND, OperationUnknown.KIND, BakeFinished.KIND),
        *(PollEnded.KIND, RunbookChanged.KIND, LogDoubted.KIND, LogWriteFailed.KIND, ClockJumped.KIND),
    }
)
_ROUTINE = frozenset({CheckStarted.KIND, CheckFinished.KIND, ConsoleOpened.KIND, ConsoleClosed.KIND})


def severity(body: Body) -> Severity:
    """Return how bad it is what an event tells. A word that this version doesn't know is blind, a kind plain."""
    match body:
        case CheckFinished(verdict=word) | OperationFinished(state=word) | ConditionChanged(state=word):
            return _of(word)
        case GateChanged():
            return _of(body.to)
        case AttestSigned():
            good = Severity.BLIND if body.cautions else Severity.PLAIN
            return good if body.go else Severity.BAD
        case PollAnswered():
            return Severity.PLAIN if body.go else Severity.BAD
        case PollEnded(outcome=word):
            return Severity.PLAIN if word == PollState.GO else _of(word) if word in _BAD else Severity.BLIND
        case SourceChanged():
            return Severity.PLAIN if body.ok else Severity.BLIND
        case LogWriteFailed() | CommandRefused() | OperationUnknown():
            return Severity.BAD
        case _:
            return Severity.PLAIN


def _of(word: str) -> Severity:
    return Severity.BAD if word in _BAD else Severity.BLIND if word in _BLIND else Severity.PLAIN


def milestone(event: Event) -> bool:
    """Return whether a person did it, or something was decided by it: what a review reads first."""
    if event.kind == ConditionChanged.KIND:
        return body_as(ConditionChanged, event).state is ConditionState.TRIPPED
    return event.kind in _DECIDED or (event.actor != "engine" and event.kind not in _ROUTINE)
