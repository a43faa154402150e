"""Abort, in each phase of each operation."""

from __future__ import annotations

import asyncio
from pathlib import Path

from console.engine.operations.program import start_time
from console.rehearsal.kube import PodPlan
from console.rehearsal.places import Env
from state.verdict import OperationState as State
from tests.engine.operations.stand import ANN, TWO, Hold, jobs, launch, revisions


async def test_nothing_runs_nothing_to_abort(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        reply = await stand.operations.abort(ANN, "no reason")
        assert not reply.ok
        assert "no operation is under way" in reply.message


async def test_while_it_is_still_being_looked_at(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "GET", "/deployments")
        starting = asyncio.create_task(stand.operations.start("staging.deploy", ANN, TWO))
        await hold.reached.wait()
        reply = await stand.operations.abort(ANN, "the wrong one")
        assert reply.ok
        hold.go.set()
        started = await starting
        assert not started.ok
        assert "aborted before it was started: the wrong one" in started.message
        assert not stand.journal.view.operations


async def test_a_deploy_before_helm(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        assert (await stand.operations.abort(ANN, "not yet")).ok
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert ended.verdict == "aborted before helm was started: nothing was changed"
        assert (ended.abort_by, ended.pid) == ("ann", 0)
        assert revisions(stand, Env.STAGING) == ["1 deployed"]


async def test_a_deploy_while_helm_works(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        reply = await stand.operations.abort(ANN, "errors in the log")
        assert f"helm (pid {stand.last().pid}) was asked to end" in reply.message
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "revision 2 (failed)" in ended.verdict
        assert ended.offers == ("rollback", "retry")
        assert revisions(stand, Env.STAGING) == ["1 deployed", "2 failed"]
        assert (await stand.run("staging.rollback", None)).state is State.SUCCEEDED


async def test_a_deploy_while_it_is_judged(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        await stand.start("staging.deploy")
        await stand.until_step("helm upgrade", "running")
        hold = Hold(stand, "GET", "/pods")
        await stand.until_step("helm upgrade", "done")
        await hold.reached.wait()
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.until(lambda: not stand.world.causes.ready(Env.STAGING))
        assert (await stand.operations.abort(ANN, "enough")).ok
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "revision 2 (deployed), but not every pod is ready" in ended.verdict
        assert "rollback" in ended.offers


async def test_a_deploy_that_a_new_engine_follows(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        newer = await stand.again()
        await newer.operations.resume()
        assert (await newer.operations.abort(ANN, "as before")).ok
        ended = await newer.ended()
        assert (ended.state, ended.abort_by) == (State.ABORTED, "ann")
        await newer.close()


async def test_a_migration_before_its_job(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.migrate")
        await hold.reached.wait()
        assert (await stand.operations.abort(ANN, "not yet")).ok
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "before the job was created" in ended.verdict
        assert jobs(stand, Env.STAGING) == []


async def test_a_migration_that_runs(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=10_000), '"migrations"')
        await stand.start("staging.migrate")
        await stand.until_step("job", "running")
        assert (await stand.operations.abort(ANN, "locks")).ok
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "was suspended" in ended.verdict
        job = stand.world.store.peek("jobs", Env.STAGING.namespace, jobs(stand, Env.STAGING)[0])
        assert job is not None
        assert dict(job["spec"])["suspend"] is True  # type: ignore[arg-type]  # an object


async def test_a_rollback_is_never_signalled(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        hold = Hold(stand, "PATCH", "/leases")
        await stand.start("staging.rollback", None)
        await hold.reached.wait()
        before = await stand.operations.abort(ANN, "stop")
        hold.go.set()
        await stand.until(lambda: stand.release(Env.STAGING, 3) is not None)
        during = await stand.operations.abort(ANN, "stop")
        assert start_time(stand.last().pid) is not None
        for reply in (before, during):
            assert not reply.ok
            assert "never signalled" in reply.message
        assert (await stand.ended()).state is State.SUCCEEDED
        assert stand.last().abort_by == ""
