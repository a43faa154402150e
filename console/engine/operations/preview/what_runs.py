"""What a preview says of the workloads that run now."""

from __future__ import annotations

from console.engine.operations.preview.finding import Finding, fails, notes, passes
from console.engine.operations.verdict.workloads import Live
from state.view.enums import OperationKind
from state.view.rollout import WorkloadKind, is_paused


def of_what_runs(live: Live, kind: OperationKind) -> list[Finding]:
    """Return what is to be said of the workloads that are there now.

    That they aren't whole is often why one deploys or goes back: it is said, and closes neither. A paused Deployment
    does close a deploy, of which nothing would run; a rollback leaves it as it is.
    """
    if not live.rollouts:
        return [passes("no pod of this release runs")]
    found = [passes(f"pods: {live.words}") if live.settled else notes(f"pods: {live.words}")]
    for one in live.owned:
        if one.rollout.kind is WorkloadKind.DEPLOYMENT and is_paused(one.live):
            words = f"{one.rollout.title} is paused: what is released of it doesn't run until it is resumed"
            resume = f"kubectl -n {one.namespace} rollout resume deployment/{one.rollout.name}"
            found.append((fails if kind is OperationKind.DEPLOY else notes)(f"{words} ({resume})"))
    return found
