"""What a captain that drives itself waits for, as the view of a launch tells it."""

from __future__ import annotations

from collections.abc import Sequence

from state.base.times import SECOND_US
from state.view.enums import After, BakeState, ConditionState, Look, RequestState, Verdict
from state.view.launch import CheckView, LaunchView

_ENOUGH_S = 300
"""So much of the bake tells whether the machine keeps up; what settles after a release is shorter."""


def judged_since(view: LaunchView, names: Sequence[str], started: Sequence[str], before: int) -> bool:
    """Return whether what was started has a new result, and nothing that these items or stages ask for still runs."""
    places = [*(view.item(name) for name in names), *(s for s in view.stages if s.id in names)]
    checks = [c for place in places if place for c in place.checks]
    return all((c.id not in started or c.seq > before) and not waits(c) for c in checks)


def checks(view: LaunchView) -> list[CheckView]:
    """Return every check but the looks at staging that a promotion has used."""
    items = [item for gate in view.gates for item in gate.items]
    return [c for i in items for c in i.checks if c.look is not Look.CANDIDATE or not i.used_us]


def waits(check: CheckView) -> bool:
    """Return whether a check runs, or an operation that ended will make it run by itself."""
    will = bool(check.since) and After.BAKE not in check.after and check.counts
    return check.verdict is Verdict.RUNNING or will


def ended_since(view: LaunchView, operation_id: str, before: int) -> bool:
    """Return whether an operation that was begun after an event has ended."""
    last = view.last_operation(operation_id)
    return last is not None and last.seq > before and last.state.ended


def answered(view: LaunchView, request: int) -> bool:
    """Return whether a request waits no more."""
    one = view.request(request)
    return one is None or one.at(view.wall_us) is not RequestState.WAITING


def tripped(view: LaunchView) -> bool:
    """Return whether a stop condition is tripped."""
    return any(c.state is ConditionState.TRIPPED for c in view.conditions)


def over(view: LaunchView) -> bool:
    """Return whether the bake needs no more watching."""
    return tripped(view) or baked(view)


def behind(mark: LaunchView, view: LaunchView) -> bool:
    """Return whether less than half of some minutes since a moment was seen good."""
    if mark.bake is None or view.bake is None:
        return False
    passed_s = (view.wall_us - mark.wall_us) // SECOND_US
    return passed_s > _ENOUGH_S and 2 * (view.bake.good_s - mark.bake.good_s) < passed_s


def baked(view: LaunchView) -> bool:
    """Return whether the bake has ended."""
    return view.bake is not None and view.bake.state in {
        BakeState.DONE,
        BakeState.FINISHED,
        BakeState.ENDED,
        BakeState.TRIPPED,
    }
