"""What is typed to confirm something dangerous, and what its button says: both name what is at stake.

The phrase of one act is never that of another, so that the hand which typed ten times for staging can't type it for
production.
"""

from __future__ import annotations

from state.view.enums import OperationKind, Tier

_WAYS_BACK = {
    OperationKind.ROLLBACK: "roll back",
    OperationKind.UNINSTALL: "uninstall",
    OperationKind.STOP_JOB: "stop the job",
}
_ACTS = {
    OperationKind.PREPARE: "Prepare",
    OperationKind.DEPLOY: "Deploy to",
    OperationKind.MIGRATE: "Migrate",
    OperationKind.ROLLBACK: "Roll back",
    OperationKind.UNINSTALL: "Uninstall from",
    OperationKind.STOP_JOB: "Stop the job in",
}


def operation_phrase(kind: str, env: str, namespace: str) -> str:
    """Return what is typed before an operation: its namespace; of a way back its verb, short where it is urgent."""
    verb = next((words for one, words in _WAYS_BACK.items() if one == kind), "")
    if verb:
        return verb if env == Tier.PRODUCTION else f"{verb} {env}"
    return f"migrate {namespace}" if kind == OperationKind.MIGRATE else namespace


def operation_act(kind: str, title: str) -> str:
    """Return what the button of an operation says: ``Deploy to PRODUCTION``; ``title`` is its environment's."""
    return f"{next((words for one, words in _ACTS.items() if one == kind), 'Run in')} {title}"
