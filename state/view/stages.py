"""What a stage of the pipeline stands on, and what that adds up to.

A stage is good only where each of its own parts is; what another stage stands on says nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from state.view.enums import OperationKind, OperationState, Verdict
from state.view.gates import CheckView, StageView
from state.view.launch import LaunchView, OperationView
from state.view.rollbacks import is_rolled_back

_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.UNKNOWN,
    Verdict.RUNNING,
    Verdict.STALE,
    Verdict.PENDING,
    Verdict.DEFERRED,
    Verdict.WAIVED,
)
_GOOD = frozenset({Verdict.PASS, Verdict.WAIVED})
_RUN = {
    OperationState.INTENDED: Verdict.RUNNING,
    OperationState.RUNNING: Verdict.RUNNING,
    OperationState.SUCCEEDED: Verdict.PASS,
    OperationState.FAILED: Verdict.FAIL,
    OperationState.ABORTED: Verdict.FAIL,
    OperationState.UNKNOWN: Verdict.UNKNOWN,
}


class PartKind(StrEnum):
    """What a part of a stage is."""

    ITEM = "item"
    OPERATION = "operation"
    CHECK = "check"
    UNKNOWN = "unknown"
    """A kind of another version: never good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One thing that a stage stands on."""

    kind: PartKind
    name: str
    """The item's number, the operation's id, the check's id."""
    title: str
    verdict: Verdict
    at_us: int = 0
    """When it was judged, or ended; 0: not yet."""
    words: str = ""
    """What was found, in a line."""
    checks: tuple[CheckView, ...] = ()
    """The checks that it stands on, with their evidence."""


def is_good(verdict: Verdict) -> bool:
    """Return whether a stage of this verdict lets through what comes after it."""
    return verdict in _GOOD


def stage_verdict(view: LaunchView, stage: StageView, now_us: int) -> Verdict:
    """Return what a stage's parts add up to: the worst of them. PENDING where it has none."""
    seen = [part.verdict for part in parts_of(view, stage, now_us)]
    if seen and all(verdict is Verdict.PASS for verdict in seen):
        return Verdict.PASS
    return next((worst for worst in _WORST_FIRST if worst in seen), Verdict.PENDING)


def parts_of(view: LaunchView, stage: StageView, now_us: int) -> list[PartView]:
    """Return what a stage stands on, in the runbook's order."""
    return [_part(view, stage, part, now_us) for part in stage.parts]


def _part(view: LaunchView, stage: StageView, told: str, now_us: int) -> PartView:
    kind, _, name = told.partition(":")
    match kind:
        case PartKind.ITEM:
            return _item(view, name, now_us)
        case PartKind.OPERATION:
            return _operation(view, name)
        case PartKind.CHECK:
            return _check(stage, name, now_us)
        case _:
            return PartView(kind=PartKind.UNKNOWN, name=name, title=told, verdict=Verdict.UNKNOWN)


def _item(view: LaunchView, name: str, now_us: int) -> PartView:
    item = view.item(name)
    if item is None:
        return PartView(kind=PartKind.ITEM, name=name, title="", verdict=Verdict.UNKNOWN)
    word = item.attestation
    checks = [
        check.summary for check in item.checks if check.at(now_us) is not Verdict.PASS and check.summary
    ]
    return PartView(
        kind=PartKind.ITEM,
        name=name,
        title=item.text,
        verdict=item.verdict(now_us),
        at_us=max([check.finished_us for check in item.checks] + [word.at_us if word is not None else 0]),
        words=checks[0] if checks else "",
        checks=item.checks,
    )


def _check(stage: StageView, name: str, now_us: int) -> PartView:
    check = next((one for one in stage.checks if one.id == name), None)
    if check is None:
        return PartView(kind=PartKind.CHECK, name=name, title="", verdict=Verdict.UNKNOWN)
    return PartView(
        kind=PartKind.CHECK,
        name=name,
        title=check.kind,
        verdict=check.at(min(now_us, stage.used_us) if stage.used_us else now_us),
        at_us=check.finished_us,
        words=check.summary,
        checks=(check,),
    )


def _operation(view: LaunchView, name: str) -> PartView:
    spec = next((one for one in view.operation_specs if one.id == name), None)
    title, run = spec.title if spec is not None else "", view.last_operation(name)
    if run is None:
        return PartView(kind=PartKind.OPERATION, name=name, title=title, verdict=Verdict.PENDING)
    verdict, words = _RUN[run.state], run.verdict
    if (
        verdict is Verdict.PASS
        and run.kind == OperationKind.DEPLOY
        and is_rolled_back(view, run.env, run.intended_us)
    ):
        verdict, words = Verdict.FAIL, "it was rolled back since"
    elif (
        verdict is Verdict.PASS and spec is not None and run.intended_us <= view.recycled_us.get(spec.gate, 0)
    ):
        verdict, words = Verdict.STALE, f"gate {spec.gate} was gone back to since"
    return PartView(
        kind=PartKind.OPERATION,
        name=name,
        title=title or run.title,
        verdict=verdict,
        at_us=run.finished_us,
        words=words,
    )


def newest_run(view: LaunchView, part: PartView) -> OperationView | None:
    """Return the run that a part is about; None where it is no operation, or wasn't run."""
    return view.last_operation(part.name) if part.kind is PartKind.OPERATION else None
