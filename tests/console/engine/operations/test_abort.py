"""Abort, pressed in each phase of each operation.

An operation is looked at; a deploy goes through namespace, lease, secrets, hooks, rollout and judgement; a
migration through lease and job; a rollback through lease, helm and judgement, and is never signalled.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.engine.operations.run.program import start_time
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import obj
from state.events.event import Event
from state.events.operations import OperationStep
from state.view.enums import OperationState as State
from state.view.launch import LaunchView
from tests.console.engine.operations.helms import MAJORS, add_hooks, hook, launched
from tests.console.engine.operations.screen import told
from tests.console.engine.operations.stand import ANN, TWO, Hold, Stand, jobs, launch, revisions

ENVS = pytest.mark.parametrize("env", list(Env))
BEFORE_HELM = {
    "namespace": ("GET", "/namespaces/"),
    "lease": ("POST", "/leases"),
    "secrets": ("GET", "/secrets/dotmac-platform-secrets"),
}
"""The steps of a deploy before helm, and the request in the middle of each."""
NEVER = PodPlan(ready=False)


async def test_nothing_runs_nothing_to_abort(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        reply = await stand.operations.abort(ANN, "no reason")
        assert not reply.ok
        assert "no operation is under way" in reply.message


@ENVS
@pytest.mark.parametrize("kind", ["deploy", "migrate", "rollback"])
async def test_while_it_is_still_being_looked_at(tmp_path: Path, kind: str, env: Env) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "GET", "/deployments")
        starting = asyncio.create_task(stand.operations.start(f"{env}.{kind}", ANN, TWO))
        await hold.reached.wait()
        reply = await stand.operations.abort(ANN, "the wrong one")
        assert reply.ok
        assert "will not be started" in reply.message
        hold.go.set()
        started = await starting
        assert not started.ok
        assert "aborted before it was started: the wrong one" in started.message
        assert not stand.journal.view.operations


@ENVS
@pytest.mark.parametrize("step", list(BEFORE_HELM))
async def test_a_deploy_before_helm(tmp_path: Path, step: str, env: Env) -> None:
    async with launch(tmp_path) as stand:
        await stand.start(f"{env}.deploy")
        hold = Hold(stand, *BEFORE_HELM[step])
        await hold.reached.wait()
        assert (await stand.operations.abort(ANN, "not yet")).ok
        hold.go.set()
        ended = await stand.ended()
        assert (ended.abort_by, ended.pid) == ("ann", 0)
        assert "ABORTED" in told(stand)
        assert "aborted before helm was started: nothing was changed" in told(stand)
        assert "o: retry" in told(stand)
        assert revisions(stand, env) == ["1 deployed"]


async def _aborted_in_the_middle(stand: Stand, env: Env) -> None:
    """Abort a deploy whose helm is under way, which leaves a failed revision and a way back."""
    reply = await stand.operations.abort(ANN, "errors in the log")
    assert f"helm (pid {stand.last().pid}) was asked to end" in reply.message
    ended = await stand.ended()
    assert ended.state is State.ABORTED, (ended.verdict, ended.output)
    assert revisions(stand, env)[-1] == f"{ended.revision} failed"
    assert f"revision {ended.revision} (failed)" in told(stand)
    assert "abort asked by ann" in told(stand)
    assert "o: rollback · retry" in told(stand)


def _held_once_done(stand: Stand, step: str, part: str) -> asyncio.Future[Hold]:
    """Hold requests from the moment on in which a step is done: helm needed them, the judgement gets none."""
    held = asyncio.get_running_loop().create_future()

    def look(event: Event, _view: LaunchView) -> None:
        if event.kind == OperationStep.KIND and (event.body["name"], event.body["state"]) == (step, "done"):
            held.set_result(Hold(stand, "GET", part))

    stand.journal.listen(look)
    return held


@ENVS
async def test_a_deploy_in_its_rollout(tmp_path: Path, env: Env) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(env, NEVER)
        await stand.start(f"{env}.deploy")
        await stand.until(lambda: stand.release(env, 2) is not None)
        await _aborted_in_the_middle(stand, env)
        assert (await stand.run(f"{env}.rollback", None)).state is State.SUCCEEDED


@ENVS
async def test_a_deploy_while_it_is_judged(tmp_path: Path, env: Env) -> None:
    async with launch(tmp_path) as stand:
        judging = _held_once_done(stand, "helm upgrade", "/pods")
        await stand.start(f"{env}.deploy")
        hold = await judging
        await hold.reached.wait()
        stand.bad_pods(env, NEVER)
        await stand.until(lambda: not stand.platform.reconciler.ready(env))
        assert (await stand.operations.abort(ANN, "enough")).ok
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "revision 2 (deployed), but not every pod is ready" in told(stand)
        assert "o: rollback" in told(stand)


@ENVS
async def test_a_deploy_that_a_new_engine_follows(tmp_path: Path, env: Env) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(env, NEVER)
        await stand.start(f"{env}.deploy")
        await stand.until(lambda: stand.release(env, 2) is not None)
        newer = await stand.again()
        await newer.operations.resume()
        await _aborted_in_the_middle(newer, env)
        await newer.close()


@ENVS
async def test_a_migration_before_its_job(tmp_path: Path, env: Env) -> None:
    async with launch(tmp_path) as stand:
        hold = Hold(stand, "POST", "/leases")
        await stand.start(f"{env}.migrate")
        await hold.reached.wait()
        assert (await stand.operations.abort(ANN, "not yet")).ok
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.ABORTED
        assert "aborted before the job was created: nothing was changed" in told(stand)
        assert jobs(stand, env) == []


@ENVS
@pytest.mark.parametrize("anew", [False, True], ids=["", "that a new engine follows"])
async def test_a_migration_that_runs(tmp_path: Path, env: Env, *, anew: bool) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(env, PodPlan(ends_after_s=10_000), '"migrations"')
        await stand.start(f"{env}.migrate")
        await stand.until_step("job", "running")
        now = await stand.again() if anew else stand
        if anew:
            await now.operations.resume()
        assert (await now.operations.abort(ANN, "locks")).ok
        ended = await now.ended()
        assert ended.state is State.ABORTED
        assert "was suspended: its transaction is rolled back unless it had committed already" in told(now)
        job = obj(stand.world.store.peek("jobs", env.namespace, jobs(stand, env)[0]))
        assert obj(job.get("spec")).get("suspend") is True
        await now.close()


@ENVS
async def test_a_rollback_is_never_signalled(tmp_path: Path, env: Env) -> None:
    async with launch(tmp_path) as stand:
        assert (await stand.run(f"{env}.deploy")).state is State.SUCCEEDED
        await stand.start(f"{env}.rollback")
        hold = Hold(stand, "PATCH", "/leases")
        await hold.reached.wait()
        replies = [await stand.operations.abort(ANN, "before helm")]
        stand.bad_pods(env, NEVER, stand.platform.artifacts.previous["backend"])
        hold.go.set()
        await stand.until(lambda: stand.release(env, 3) is not None)
        replies.append(await stand.operations.abort(ANN, "while helm works"))
        assert start_time(stand.last().pid) is not None
        judging = _held_once_done(stand, "helm rollback", "/secrets")
        stand.world.control.plans.clear()
        hold = await judging
        await hold.reached.wait()
        replies.append(await stand.operations.abort(ANN, "while it is judged"))
        hold.go.set()
        for reply in replies:
            assert not reply.ok
            assert "a rollback is never signalled" in reply.message
        assert (await stand.ended()).state is State.SUCCEEDED
        assert stand.last().abort_by == ""


@pytest.mark.wire
@pytest.mark.parametrize(
    ("major", "env"),
    [
        pytest.param(3, Env.STAGING, marks=MAJORS[3]),
        pytest.param(4, Env.PRODUCTION, marks=MAJORS[4]),
    ],
)
async def test_real_helm_in_a_hook_in_a_rollout_and_in_a_rollback(
    tmp_path: Path, major: int, env: Env
) -> None:
    async with launched(tmp_path, major) as stand:
        add_hooks(stand)
        values = stand.world.folder.values(env)
        hook(values, before=True)
        stand.bad_pods(env, PodPlan(ends_after_s=100_000), '"before-hook"')
        await stand.start(f"{env}.deploy")
        await stand.until(lambda: bool(jobs(stand, env)))
        await _aborted_in_the_middle(stand, env)
        assert "what runs is still revision 1" in told(stand)
        hook(values)
        stand.world.control.plans.clear()
        stand.bad_pods(env, NEVER)
        await stand.start(f"{env}.deploy")
        await stand.until(lambda: stand.release(env, 3) is not None)
        await stand.until_step("pods", "running")
        await _aborted_in_the_middle(stand, env)
        stand.world.control.plans.clear()
        stand.bad_pods(env, NEVER, stand.platform.artifacts.previous["backend"])
        await stand.start(f"{env}.rollback")
        await stand.until(lambda: stand.release(env, 4) is not None)
        assert "a rollback is never signalled" in (await stand.operations.abort(ANN, "stop")).message
        assert start_time(stand.last().pid) is not None
        stand.world.control.plans.clear()
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
        assert "revision 1 runs again (as revision 4), verified live" in told(stand)
