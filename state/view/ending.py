"""How a launch ended, in a line: complete, scrubbed, or scrubbed after a rollback."""

from __future__ import annotations

from state.base.numbers import plural
from state.base.times import SECOND_US
from state.view.enums import GateStatus, LaunchState, OperationKind, OperationState, Tier
from state.view.launch import LaunchView

OVER = frozenset({LaunchState.CLOSED, LaunchState.SCRUBBED})
"""A launch that has ended: nothing of it can be changed."""


def is_over(view: LaunchView) -> bool:
    """Return whether a launch has ended."""
    return view.state in OVER


def ending(view: LaunchView) -> str:
    """Return how a launch ended, as ``LAUNCH COMPLETE · 10/10 GO · 00:55 · 2 deviations``; nothing before that."""
    if not is_over(view):
        return ""
    go = sum(gate.status(view.wall_us) is GateStatus.GO for gate in view.gates)
    parts = [_headline(view), f"{go}/{len(view.gates)} GO"]
    if view.scope.opened_us:
        minutes = max(0, view.wall_us - view.scope.opened_us) // (60 * SECOND_US)
        parts.append(f"{minutes // 60:02}:{minutes % 60:02}")
    return " · ".join((*parts, plural(len(view.deviations), "deviation")))


def _headline(view: LaunchView) -> str:
    if view.state is LaunchState.CLOSED:
        return "LAUNCH COMPLETE"
    back = next(
        (
            run
            for run in reversed(view.operations)
            if run.env == Tier.PRODUCTION and run.kind in {OperationKind.ROLLBACK, OperationKind.DEPLOY}
        ),
        None,
    )
    if back is None or back.kind != OperationKind.ROLLBACK:
        return "LAUNCH SCRUBBED"
    verified = back.state is OperationState.SUCCEEDED
    return "ROLLED BACK, LAUNCH SCRUBBED" if verified else "ROLLBACK NOT VERIFIED, LAUNCH SCRUBBED"
