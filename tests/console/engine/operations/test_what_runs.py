"""What a preview says of the workloads that run now: ticked only where they are whole, and a paused one by name."""

from __future__ import annotations

import pytest

from checks.owned import Owned
from console.engine.operations.preview.what_runs import of_what_runs
from console.engine.operations.verdict.workloads import Live
from state.base.json import JsonObject
from state.view.enums import OperationKind
from state.view.rollout import Rollout, WorkloadKind


def live(*, ready: int, paused: bool = False) -> Live:
    kind = WorkloadKind.DEPLOYMENT
    rollout = Rollout(kind=kind, name="web", wanted=5, new=5, new_ready=ready, complete=ready == 5)
    thing: JsonObject = {"spec": {"paused": paused}}
    return Live((), (rollout,), recorded=True, pods=5, owned=(Owned(rollout, "shop", thing, ()),))


@pytest.mark.parametrize("kind", list(OperationKind))
def test_pods_that_are_not_ready_get_no_tick_and_close_nothing(kind: OperationKind) -> None:
    (line,) = of_what_runs(live(ready=0), kind)
    assert (line.shown, line.noted) == ("! pods: 0 of 5 ready", True)
    (line,) = of_what_runs(live(ready=5), kind)
    assert line.shown == "pass: pods: 5 of 5 ready"


def test_nothing_is_there_yet() -> None:
    (line,) = of_what_runs(Live((), (), recorded=False, pods=0), OperationKind.DEPLOY)
    assert line.shown == "pass: no pod of this release runs"
    assert not Live((), (), recorded=False, pods=0).settled
    assert Live((), (), recorded=True, pods=0).settled, "a release of settings alone has nothing to wait for"


def test_a_paused_deployment_closes_a_deploy_alone() -> None:
    words = "Deployment web is paused: what is released of it doesn't run until it is resumed"
    told = f"{words} (kubectl -n shop rollout resume deployment/web)"
    _, line = of_what_runs(live(ready=5, paused=True), OperationKind.DEPLOY)
    assert (line.words, line.noted, line.soft) == (told, False, False)
    _, line = of_what_runs(live(ready=5, paused=True), OperationKind.ROLLBACK)
    assert (line.words, line.noted) == (told, True)
