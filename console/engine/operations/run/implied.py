"""The operations of a runbook, with those that it needn't name: each environment's way back."""

from __future__ import annotations

from state.runbook.models import Operation, Runbook
from state.view.enums import OperationKind
from state.view.first_launch import uninstall_of
from state.view.launch import LaunchView
from state.view.rollbacks import way_back


def operation_of(runbook: Runbook, operation_id: str) -> Operation | None:
    """Return the operation of an id, or None."""
    found = runbook.operation(operation_id)
    tier = next((t for t in runbook.environments if operation_id == way_back(LaunchView(), t)), None)
    away = next((t for t in runbook.environments if operation_id == uninstall_of(t)), None)
    if found is None and away is not None:
        return Operation(
            id=operation_id,
            kind=OperationKind.UNINSTALL,
            title=f"Take the first install of {away} away",
            env=away,
            gate=max((o.gate for o in runbook.operations if o.env is away), default=1),
        )
    if found is not None or tier is None:
        return found
    return Operation(
        id=operation_id,
        kind=OperationKind.ROLLBACK,
        title=f"Roll {tier} back to the recorded good revision",
        env=tier,
        gate=max((o.gate for o in runbook.operations if o.env is tier), default=1),
    )
