"""Whether an environment was rolled back since a moment: by environment and outcome, and whose the attempt was.

Only a rollback of the same environment that succeeded, which is one that was verified live, brought it back. One
that failed, was aborted or whose end nobody saw brought nothing back, and a rollback of staging says nothing of
production.
"""

from __future__ import annotations

from collections.abc import Iterable

from state.view.enums import ConditionState, OperationKind, OperationState, Tier
from state.view.launch import LaunchView, OperationSpecView, OperationView
from state.view.watch import ConditionView

ENGINE = "engine"
"""Who acts where nobody gave the command."""
_SUFFIX = ".rollback"
_AWAY = ".uninstall"
"""How an operation is named that takes a first install away (``state/view/first_launch.py``)."""
RELEASING = frozenset({OperationKind.DEPLOY, OperationKind.ROLLBACK})
"""What changes the version that runs."""


def rollback_of(view: LaunchView, env: str = Tier.PRODUCTION) -> OperationSpecView | None:
    """Return the rollback that the runbook offers for an environment, wherever it stands in it, or None."""
    return next((s for s in view.operation_specs if s.kind == OperationKind.ROLLBACK and s.env == env), None)


def way_back(view: LaunchView, env: str) -> str:
    """Return the id of an environment's rollback; where the runbook offers none, that of the one the engine knows."""
    spec = rollback_of(view, env)
    return spec.id if spec is not None else f"{env}{_SUFFIX}"


def is_way_back(view: LaunchView, operation_id: str) -> bool:
    """Return whether an operation is a rollback, by the runbook or as ``way_back`` names it."""
    spec = next((s for s in view.operation_specs if s.id == operation_id), None)
    if spec is None:
        return operation_id.endswith((_SUFFIX, _AWAY, f".{OperationKind.STOP_JOB}"))
    return spec.kind in {OperationKind.ROLLBACK, OperationKind.UNINSTALL}


def newest_release(view: LaunchView, env: str = Tier.PRODUCTION) -> OperationView | None:
    """Return the newest deploy or rollback of an environment, or None."""
    return next((o for o in reversed(view.operations) if o.env == env and o.kind in RELEASING), None)


def newest_deploy(view: LaunchView, env: str = Tier.PRODUCTION) -> OperationView | None:
    """Return the newest deploy of an environment, however it ended, or None: the release that trips belong to."""
    return next(
        (o for o in reversed(view.operations) if o.env == env and o.kind == OperationKind.DEPLOY), None
    )


def rollbacks_since(view: LaunchView, env: str, at_us: int) -> list[OperationView]:
    """Return an environment's rollbacks that had not ended at a moment, the newest first."""
    return [o for o in reversed(view.operations) if _is_rollback(o, env) and not _over(o, at_us)]


def brought_back(view: LaunchView, env: str, at_us: int) -> OperationView | None:
    """Return the newest rollback of an environment that succeeded after a moment, whatever came later."""
    succeeded = (o for o in rollbacks_since(view, env, at_us) if o.state is OperationState.SUCCEEDED)
    return next(succeeded, None)


def is_rolled_back(view: LaunchView, env: str, at_us: int) -> bool:
    """Return whether an environment was rolled back since a moment, and nothing was released after that."""
    back = brought_back(view, env, at_us)
    return back is not None and back is newest_release(view, env)


def was_back_before(view: LaunchView, env: str, at_us: int) -> bool:
    """Return whether what ran at a moment was what a rollback had brought back: there is no way back from it."""
    newest = newest_release(view, env)
    return (
        newest is not None
        and _is_rollback(newest, env)
        and newest.state is OperationState.SUCCEEDED
        and _over(newest, at_us)
    )


def failed_by_itself(view: LaunchView, env: str, at_us: int) -> OperationView | None:
    """Return the engine's own rollback since a moment that ended without bringing the environment back, or None."""
    own = (o for o in rollbacks_since(view, env, at_us) if o.actor == ENGINE and o.state.ended)
    return next((o for o in own if o.state is not OperationState.SUCCEEDED), None)


def unanswered(view: LaunchView, conditions: Iterable[ConditionView]) -> list[ConditionView]:
    """Return those conditions that are tripped and whose environment was not rolled back since."""
    tripped = (c for c in conditions if c.state is ConditionState.TRIPPED)
    return [c for c in tripped if not is_rolled_back(view, c.env, c.tripped_us)]


def counting(view: LaunchView) -> list[ConditionView]:
    """Return those tripped conditions that count down to a rollback, which nobody has begun or done meanwhile."""
    there = {OperationState.INTENDED, OperationState.RUNNING, OperationState.SUCCEEDED}
    return [
        c
        for c in view.conditions
        if c.rolls_back_us and not any(o.state in there for o in rollbacks_since(view, c.env, c.tripped_us))
    ]


def _is_rollback(operation: OperationView, env: str) -> bool:
    return operation.env == env and operation.kind == OperationKind.ROLLBACK


def _over(operation: OperationView, at_us: int) -> bool:
    """Return whether an operation had ended before a moment."""
    return operation.state.ended and max(operation.intended_us, operation.finished_us) < at_us
