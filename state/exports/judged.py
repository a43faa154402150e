"""The newest result of each declared check of a launch: what JUnit and in-toto tell of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from state.events.bodies import body_as
from state.events.declared import Check
from state.events.event import Event
from state.events.gates import CheckFinished
from state.fold import apply
from state.view.enums import Verdict
from state.view.launch import LaunchView


@dataclass(frozen=True, slots=True)
class Judged:
    """A check, where it stands, and its newest result; None where it never ended."""

    place: str
    """``3 Security``: the gate, or the stage of the pipeline."""
    check: Check
    result: CheckFinished | None
    at_us: int = 0

    @property
    def verdict(self) -> Verdict:
        """What it said last."""
        return Verdict.PENDING if self.result is None else self.result.verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """A launch after its last event, with its checks in the runbook's order."""

    view: LaunchView
    checks: tuple[Judged, ...]


def outcome_of(events: Iterable[Event]) -> Outcome:
    """Return how a launch ended."""
    view = LaunchView()
    newest: dict[str, tuple[CheckFinished, int]] = {}
    for event in events:
        view = apply(view, event)
        if event.kind == CheckFinished.KIND:
            body = body_as(CheckFinished, event)
            newest[body.check] = body, event.wall_us
    declared: list[tuple[str, Check]] = [
        (f"{gate.number} {gate.title}", check)
        for gate in view.gates
        for item in gate.items
        for check in item.checks
    ]
    declared += [(stage.title, check) for stage in view.stages for check in stage.checks]
    return Outcome(
        view, tuple(Judged(place, check, *newest.get(check.id, (None, 0))) for place, check in declared)
    )
