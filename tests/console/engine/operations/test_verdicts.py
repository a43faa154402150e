"""What an operation came to is read from history and live objects, whatever helm's exit code says."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.view.enums import OperationState as State
from tests.console.engine.operations.screen import told
from tests.console.engine.operations.stand import ANN, SHORT_S, launch, revisions, wrapped_helm

NO_WAY_BACK = """
case "$1" in rollback) if [ ! -e "$0.once" ]; then touch "$0.once"
  echo 'Error: Kubernetes cluster unreachable' >&2; exit 1; fi;; esac"""
FAILS_EARLY = """
case "$*" in *--dry-run*) ;; *upgrade*)
  echo 'Error: UPGRADE FAILED: the chart repository is away' >&2; exit 1;; esac"""


async def test_no_revision_no_rollback(tmp_path: Path) -> None:
    async with launch(tmp_path, change=wrapped_helm(tmp_path, FAILS_EARLY)) as stand:
        ended = await stand.run("production.deploy")
        assert ended.state is State.FAILED
        assert ended.verdict.startswith("failed before a revision was created: revision 1 is untouched")
        assert ended.offers == ("retry",)
        assert stand.steps()["helm upgrade"] == (
            "failed",
            "Error: UPGRADE FAILED: the chart repository is away",
        )
        assert ended.output == ("Error: UPGRADE FAILED: the chart repository is away",)
        answer = await stand.refused("production.rollback")
        assert "revision 1 is the good one: no newer revision exists, a rollback would undo it" in answer
        assert revisions(stand, Env.PRODUCTION) == ["1 deployed"]


async def test_the_newest_good_one_not_the_one_before(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        for number in (2, 3):
            ended = await stand.run("staging.deploy")
            assert (ended.state, ended.revision) == (State.FAILED, number)
            assert ended.good is not None
            assert ended.good.number == 1
            old = stand.platform.artifacts.previous["backend"]
            assert ("backend", old) in ended.good.images
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, back.verdict
        assert "rollback dotmac 1 " in back.commands[0]
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 failed", "3 failed", "4 deployed"]


async def test_deployed_is_not_what_was_wanted(tmp_path: Path) -> None:
    async with launch(tmp_path) as before:
        previous = before.platform.artifacts.previous["worker"]
    reference = f"registry.dotmac.test/dotmactech/dotmac-platform-worker@{previous}"
    (tmp_path / "b").mkdir()
    script = f"""
case "$*" in *--dry-run*) ;; *upgrade*) helm "$@" --set-string image.worker={reference}; exit $?;; esac"""
    change = wrapped_helm(tmp_path, script)
    async with launch(tmp_path / "b", change=change) as stand:
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert "revision 2 (deployed), but what runs is not the candidate: worker runs" in ended.verdict
        assert "rollback" in ended.offers
        assert stand.steps()["images"][0] == "failed"


async def test_crashing_and_unschedulable_pods_are_explained(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=1, exit_code=3))
        worker = stand.platform.artifacts.candidate["worker"]
        stand.bad_pods(Env.STAGING, PodPlan(schedulable=False), worker)
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        told = {name: detail for name, (_, detail) in stand.steps().items() if name.startswith("pod ")}
        backend = next(d for n, d in told.items() if n.startswith("pod dotmac-backend"))
        assert "last exit code 3 (Error)" in backend
        assert "Back-off restarting failed container backend" in backend
        assert any("insufficient cpu" in d for n, d in told.items() if n.startswith("pod dotmac-worker"))


async def test_live_objects_that_differ_are_not_a_success(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        await stand.start("staging.deploy")
        await stand.until_step("helm upgrade", "done")
        live = stand.world.store.peek("configmaps", Env.STAGING.namespace, "dotmac-config")
        assert live is not None
        data = {**dict(live["data"]), "LOG_LEVEL": "DEBUG"}  # type: ignore[arg-type]  # an object
        stand.world.store.put("configmaps", {**live, "data": data})
        ended = await stand.ended()
        assert ended.state is State.FAILED
        assert "live objects differ from it: ConfigMap/dotmac-config: live data.LOG_LEVEL" in ended.verdict


async def test_a_migration_that_fails_and_one_that_vanishes(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=5, exit_code=1), '"migrations"')
        failed = await stand.run("staging.migrate")
        assert failed.state is State.FAILED
        assert "BackoffLimitExceeded" in failed.verdict or "backoff limit" in failed.verdict
        stand.world.control.plans.clear()
        await stand.start("staging.migrate")
        await stand.until_step("job", "running")
        name = f"db-migrate-dotmac-{stand.journal.view.log_id[:6]}-2"
        stand.world.store.delete("jobs", Env.STAGING.namespace, name)
        gone = await stand.ended()
        assert gone.state is State.UNKNOWN
        assert "look at the schema's revision" in gone.verdict


async def test_a_rollback_that_never_began_leaves_it_pending_and_says_so(tmp_path: Path) -> None:
    async with launch(tmp_path, change=wrapped_helm(tmp_path, NO_WAY_BACK)) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        os.kill(stand.last().pid, signal.SIGKILL)
        stuck = await stand.ended()
        assert stand.journal.view.offering() == stuck
        stand.world.control.plans.clear()
        assert (await stand.operations.recover("rollback", ANN)).ok
        ended = await stand.ended()
        assert ended.state is State.FAILED
        assert "nothing was rolled back, and revision 2 (pending-upgrade) is still the newest" in told(stand)
        assert "o: rollback" in told(stand)
        assert "o: " not in told(stand, stuck)
        assert (await stand.operations.recover("rollback", ANN)).ok
        assert (await stand.ended()).state is State.SUCCEEDED
        assert stand.journal.view.offering() is None
        assert "is not on offer" in (await stand.operations.recover("rollback", ANN)).message
