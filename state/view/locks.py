"""What keeps an operation locked, as far as the launch itself says it.

A rollback is never locked. The engine adds what only it knows: freezes, whether what was approved is still what would
run, the cluster, helm and the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from state.base.times import clock
from state.view.enums import GateStatus, LaunchState, OperationKind, Tier, Verdict
from state.view.launch import LaunchView, OperationSpecView, ScopeView
from state.view.stages import is_good, stage_verdict
from state.view.trips import open_trips, rolled_back_words, unverified

WAYS_BACK = frozenset({OperationKind.ROLLBACK, OperationKind.UNINSTALL, OperationKind.STOP_JOB})
"""What is never locked: a rollback, and taking away a first install that has nothing to go back to."""


class LockKind(StrEnum):
    """What locks an operation."""

    GATE = "gate"
    ITEM = "item"
    STAGE = "stage"
    HOLD = "hold"
    WINDOW = "window"
    TRIP = "trip"
    """A trip of the release that was deployed last, which nobody has acknowledged."""
    ROLLBACK = "unverified"
    """A rollback of which nobody knows whether it brought the environment back."""
    CANDIDATE = "rolled back"
    """The candidate was rolled back in this launch."""

    @property
    def by_judgement(self) -> bool:
        """Whether it goes by checks and words of people, not by time or by a hold."""
        return self in {LockKind.GATE, LockKind.ITEM, LockKind.STAGE}

    @property
    def by_release(self) -> bool:
        """Whether it goes by what an earlier release did."""
        return self in {LockKind.TRIP, LockKind.ROLLBACK, LockKind.CANDIDATE}


@dataclass(frozen=True, slots=True)
class Lock:
    """One thing that keeps an operation locked."""

    kind: LockKind
    what: str
    """The gate's or the item's number, the stage's id, or nothing."""
    words: str


def locks(view: LaunchView, spec: OperationSpecView, now_us: int) -> list[Lock]:
    """Return everything that keeps an operation locked at a moment, in the order in which it is told."""
    if spec.kind in WAYS_BACK:
        return []
    # What is prepared changes nothing that runs, and may be done days before.
    changes = spec.env == Tier.PRODUCTION and spec.kind != OperationKind.PREPARE
    window = outside_window(view.scope, now_us) if changes else ""
    held = hold_words(view)
    return [
        *_gates(view, spec, now_us),
        *_items(view, spec, now_us),
        *_stages(view, spec, now_us),
        *_releases(view, spec),
        *([Lock(LockKind.HOLD, "", held)] if held else []),
        *([Lock(LockKind.WINDOW, "", window)] if window else []),
    ]


def hold_words(view: LaunchView) -> str:
    """Return that the launch is held, and why; nothing where it isn't. Only the way back is open then."""
    if view.state is not LaunchState.HELD:
        return ""
    return f"the launch is held ({view.hold.reason if view.hold is not None else 'no reason given'})"


def outside_window(scope: ScopeView, now_us: int) -> str:
    """Return how a moment lies outside the launch window; nothing where it is inside, or where no window is known."""
    if not scope.window_end_us or scope.window_start_us <= now_us < scope.window_end_us:
        return ""
    return "before the launch window" if now_us < scope.window_start_us else "after the launch window"


def _gates(view: LaunchView, spec: OperationSpecView, now_us: int) -> Iterator[Lock]:
    for number in spec.gates:
        gate = view.gate(number)
        status = gate.status(now_us) if gate is not None else GateStatus.UNKNOWN
        if not status.opens:
            yield Lock(LockKind.GATE, str(number), f"gate {number} is {status}")


def _releases(view: LaunchView, spec: OperationSpecView) -> Iterator[Lock]:
    """Yield what earlier releases of the operation's environment leave to be answered first."""
    trips = open_trips(view, spec.env)
    if trips:
        named = ", ".join(f"{t.title} at {clock(t.at_us, seconds=False)}" for t in trips)
        yield Lock(LockKind.TRIP, "", f"tripped and not acknowledged: {named}")
    back = unverified(view, spec.env)
    if back is not None:
        yield Lock(
            LockKind.ROLLBACK,
            "",
            f"{back.id} {back.state}, not verified: nobody knows what runs in {spec.env}",
        )
    if spec.kind == OperationKind.DEPLOY and spec.env == Tier.PRODUCTION:
        told = rolled_back_words(view, spec.env)
        if told:
            yield Lock(LockKind.CANDIDATE, "", told)


def _items(view: LaunchView, spec: OperationSpecView, now_us: int) -> Iterator[Lock]:
    for name in spec.items:
        item = view.item(name)
        verdict = item.verdict(now_us) if item is not None else Verdict.UNKNOWN
        if verdict not in {Verdict.PASS, Verdict.WAIVED, Verdict.DEFERRED}:
            yield Lock(LockKind.ITEM, name, f"item {name} is {verdict}")


def _stages(view: LaunchView, spec: OperationSpecView, now_us: int) -> Iterator[Lock]:
    for name in spec.stages:
        stage = next((one for one in view.stages if one.id == name), None)
        verdict = stage_verdict(view, stage, now_us) if stage is not None else Verdict.UNKNOWN
        if not is_good(verdict):
            yield Lock(LockKind.STAGE, name, f"stage {name} is {verdict}")
