"""helm killed, the engine killed, both: nothing is left pending without being said, and a way out is offered."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from console.engine.operations.run.program import start_time
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import obj
from state.view.enums import OperationState as State
from tests.console.engine.operations.engines import engine, pid_of_helm
from tests.console.engine.operations.stand import ANN, TWO, launch, revisions


async def test_helm_killed_in_an_upgrade(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.PRODUCTION, PodPlan(ready=False))
        await stand.start("production.deploy")
        await stand.until(lambda: stand.release(Env.PRODUCTION, 2) is not None)
        pid = stand.last().pid
        assert os.getsid(pid) == pid
        os.kill(pid, signal.SIGKILL)
        ended = await stand.ended()
        assert ended.state is State.UNKNOWN
        assert "revision 2 (pending-upgrade), and its helm is gone" in ended.verdict
        assert "rolled back to revision 1" in ended.verdict
        assert ended.offers == ("rollback",)
        answer = await stand.refused("production.deploy", TWO)
        assert "revision 2 (pending-upgrade) since" in answer
        assert "roll it back first" in answer
        reply = await stand.operations.recover("rollback", ANN)
        assert reply.ok, reply.message
        back = await stand.ended()
        assert back.state is State.SUCCEEDED, back.verdict
        assert revisions(stand, Env.PRODUCTION)[-1] == "3 deployed"


async def test_helm_killed_in_a_rollback(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.bad_pods(Env.STAGING, PodPlan(ready=False), stand.platform.artifacts.previous["backend"])
        await stand.start("staging.rollback")
        await stand.until(lambda: stand.release(Env.STAGING, 3) is not None)
        os.kill(stand.last().pid, signal.SIGKILL)
        ended = await stand.ended()
        assert ended.state is State.UNKNOWN
        assert "revision 3 (pending-rollback)" in ended.verdict
        stand.world.control.plans.clear()
        reply = await stand.operations.recover("rollback", ANN)
        assert reply.ok, reply.message
        assert (await stand.ended()).state is State.SUCCEEDED
        assert revisions(stand, Env.STAGING)[-1] == "4 deployed"


async def test_a_first_install_that_was_killed_is_finished(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        space = Env.STAGING.namespace
        for secret in stand.world.store.scan("secrets", space):
            if obj(obj(secret["metadata"]).get("labels")).get("owner") == "helm":
                stand.world.store.delete("secrets", space, str(obj(secret["metadata"])["name"]))
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 1) is not None)
        os.kill(stand.last().pid, signal.SIGKILL)
        ended = await stand.ended()
        assert ended.state is State.UNKNOWN
        assert "is finished by a rollback to itself" in ended.verdict
        assert "recover it" in await stand.refused("staging.deploy", TWO)
        stand.world.control.plans.clear()
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert preview.allowed, preview.reason
        assert any("a first install that never ended" in check for check in preview.checks)
        assert (await stand.run("staging.rollback", None)).state is State.SUCCEEDED
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 deployed"]


async def test_somebody_elses_stuck_release_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async with launch(tmp_path, rate=1.0) as stand:
        other = stand.second()
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await other.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        os.kill(other.last().pid, signal.SIGKILL)
        await other.ended()
        await other.close()
        answer = await stand.refused("staging.rollback", TWO)
        assert "is not of this launch" in answer
        assert "It is left alone for another" in answer
        stand.world.clock.set_line(stand.world.clock.wall_us() + 4 * 3600 * 1_000_000, 150.0)
        assert (await stand.run("staging.rollback", None)).state is State.SUCCEEDED


async def test_a_new_engine_attaches_to_the_helm_that_runs(tmp_path: Path) -> None:
    async with launch(tmp_path, rate=40.0) as stand:  # or helm's patience ends on a loaded machine
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))  # it is in the middle until they may be ready
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        newer = await stand.again()
        assert newer.last().state is State.RUNNING
        await newer.operations.resume()
        assert "under way" in await newer.refused("production.deploy", TWO)
        stand.world.control.plans.clear()
        ended = await newer.ended()
        assert ended.state is State.SUCCEEDED, ended.verdict
        assert newer.steps()["engine"][1].startswith("attached again to helm")
        assert [one for one in ended.output if "STATUS: deployed" in one] == ["STATUS: deployed"]
        await newer.close()


async def test_an_intent_that_was_never_started_changed_nothing(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.world.kube.hooks.append(stand.stall("POST", "leases"))
        await stand.start("staging.deploy")
        await stand.until_step("namespace")
        newer = await stand.again()
        await newer.operations.resume()
        ended = await newer.ended()
        assert ended.state is State.FAILED
        assert "the engine ended before helm was started" in ended.verdict
        assert revisions(stand, Env.STAGING) == ["1 deployed"]
        await newer.close()


async def test_the_engine_killed_and_its_terminal_gone_in_an_upgrade(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))  # it is in the middle until they may be ready
        async with engine(stand, "staging.deploy") as (process, terminal):
            pid = await pid_of_helm(stand.store.path, stand)
            os.close(terminal)  # the terminal hangs up
            process.send_signal(signal.SIGKILL)
            await process.wait()
            assert start_time(pid) is not None
        stand.world.control.plans.clear()
        newer = stand.reopened()
        await newer.operations.resume()
        ended = await newer.ended()
        assert ended.state is State.SUCCEEDED, ended.verdict
        await newer.close()


async def test_the_engine_killed_in_a_rollback_and_helm_ended_meanwhile(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.bad_pods(Env.STAGING, PodPlan(ready=False), stand.platform.artifacts.previous["backend"])
        async with engine(stand, "staging.rollback") as (process, terminal):
            pid = await pid_of_helm(stand.store.path, stand)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            os.close(terminal)
        stand.world.control.plans.clear()
        await stand.until(lambda: start_time(pid) is None)
        newer = stand.reopened()
        await newer.operations.resume()
        ended = await newer.ended()
        assert ended.state is State.SUCCEEDED, ended.verdict
        assert newer.steps()["engine"][1].startswith("helm had ended meanwhile")
        await newer.close()


async def test_the_engine_ended_in_good_order_leaves_helm_alone(tmp_path: Path) -> None:
    async with launch(tmp_path, rate=5.0) as stand:
        async with engine(stand, "staging.deploy") as (process, terminal):
            pid = await pid_of_helm(stand.store.path, stand)
            process.terminate()
            assert await process.wait() == 0
            os.close(terminal)
            assert start_time(pid) is not None
        newer = stand.reopened()
        await newer.operations.resume()
        stand.world.clock.set_rate(150.0)
        ended = await newer.ended()
        assert ended.state is State.SUCCEEDED, ended.verdict
        assert newer.steps()["engine"][1].startswith("attached again")
        await newer.close()
