"""How bad an event is, and whether it decided something: by what it says, never by a look at words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from state.base.json import JsonObject, flag, text
from state.events.event import Event, Kind
from state.view.enums import ConditionState, GateStatus, OperationState, Severity, Verdict

_BAD = frozenset(
    {Verdict.FAIL, GateStatus.NO_GO, ConditionState.TRIPPED, OperationState.FAILED, OperationState.ABORTED}
)
_BLIND = frozenset(
    {Verdict.UNKNOWN, GateStatus.BLIND, OperationState.UNKNOWN, ConditionState.BREACHING}
    | {state for state in ConditionState if state.blind}
)
_DECIDED = frozenset(
    {
        *(Kind.LAUNCH_OPENED, Kind.LAUNCH_CLOSED, Kind.LAUNCH_SCRUBBED, Kind.LAUNCH_HELD),
        *(Kind.GATE_CHANGED, Kind.OPERATION_FINISHED, Kind.OPERATION_UNKNOWN, Kind.BAKE_FINISHED),
        *(Kind.RUNBOOK_CHANGED, Kind.LOG_DOUBTED, Kind.LOG_WRITE_FAILED, Kind.CLOCK_JUMPED),
    }
)
_ROUTINE = frozenset({Kind.CHECK_STARTED, Kind.CHECK_FINISHED, Kind.CONSOLE_OPENED, Kind.CONSOLE_CLOSED})


def severity(event: Event) -> Severity:
    """Return how bad it is what an event tells. A word or a kind that this version doesn't know is plain."""
    judge = _JUDGED.get(event.kind)
    return judge(event.body) if judge is not None else Severity.PLAIN


def milestone(event: Event) -> bool:
    """Return whether a person did it, or something was decided by it: what a review reads first."""
    if event.kind == Kind.CONDITION_CHANGED:
        return severity(event) is Severity.BAD
    return event.kind in _DECIDED or (event.actor != "engine" and event.kind not in _ROUTINE)


def _by(key: str) -> Callable[[JsonObject], Severity]:
    """Return what judges by a state or verdict in a body."""

    def judge(body: JsonObject) -> Severity:
        word = text(body, key)
        return Severity.BAD if word in _BAD else Severity.BLIND if word in _BLIND else Severity.PLAIN

    return judge


def _bad(_body: JsonObject) -> Severity:
    return Severity.BAD


_JUDGED: Mapping[str, Callable[[JsonObject], Severity]] = {
    Kind.CHECK_FINISHED: _by("verdict"),
    Kind.OPERATION_FINISHED: _by("state"),
    Kind.CONDITION_CHANGED: _by("state"),
    Kind.GATE_CHANGED: _by("to"),
    Kind.ATTEST_SIGNED: lambda body: Severity.PLAIN if flag(body, "go") else Severity.BAD,
    Kind.SOURCE_CHANGED: lambda body: Severity.PLAIN if flag(body, "ok") else Severity.BLIND,
    Kind.LOG_WRITE_FAILED: _bad,
    Kind.COMMAND_REFUSED: _bad,
    Kind.OPERATION_UNKNOWN: _bad,
}
