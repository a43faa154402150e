"""Real helm 3 and helm 4 killed, hung up, or left alone by an engine that was killed; what the screen says then."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from console.engine.operations.run.program import start_time
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.view.enums import OperationState as State
from tests.console.engine.operations.engines import engine, pid_of_helm
from tests.console.engine.operations.helms import both_helms, fresh, launched
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, Stand, revisions

pytestmark = [pytest.mark.wire, both_helms]
NEVER = PodPlan(ready=False)
"""Pods that keep an operation in the middle until a test lets them be ready."""


async def _stopped(stand: Stand, operation: str, revision: int, how: signal.Signals) -> None:
    """Start an operation, and end its helm by a signal in the middle."""
    await stand.start(operation)
    await stand.until(lambda: stand.release(Env.STAGING, revision) is not None)
    pid = stand.last().pid
    assert os.getsid(pid) == pid
    os.kill(pid, how)
    assert (await stand.ended()).state is State.UNKNOWN


async def _recovered(stand: Stand) -> None:
    stand.world.control.plans.clear()
    reply = await stand.operations.recover("rollback", ANN)
    assert reply.ok, reply.message
    assert (await stand.ended()).state is State.SUCCEEDED, (stand.last().verdict, stand.last().output)


async def test_helm_killed_or_hung_up_in_an_upgrade(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        for revision, how in ((2, signal.SIGKILL), (4, signal.SIGHUP)):
            stand.bad_pods(Env.STAGING, NEVER)
            await _stopped(stand, "staging.deploy", revision, how)
            assert "UNKNOWN" in told(stand)
            assert f"revision {revision} (pending-upgrade), and its helm is gone" in told(stand)
            assert f"until the release is rolled back to revision {revision - 1}" in told(stand)
            assert "o: rollback" in told(stand)
            shown = asked(await stand.operations.preview("staging.deploy", ANN))
            assert f"✖ revision {revision} (pending-upgrade) since" in shown
            assert "helm refuses another one; roll it back first" in shown
            await _recovered(stand)
            assert f"runs again (as revision {revision + 1}), verified live" in told(stand)


async def test_helm_killed_in_a_first_install(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, change=fresh(tmp_path)) as stand:
        stand.bad_pods(Env.STAGING, NEVER)
        await stand.start("staging.deploy")
        await stand.until(lambda: bool(stand.world.store.scan("pods", "dotmac-first")))
        os.kill(stand.last().pid, signal.SIGKILL)
        await stand.ended()
        assert "revision 1 (pending-install), and its helm is gone" in told(stand)
        assert "until the release is finished by a rollback to itself" in told(stand)
        assert "o: rollback" in told(stand)
        shown = asked(await stand.operations.preview("staging.rollback", ANN))
        assert "✔ revision 1 is a first install that never ended: helm is made to finish it" in shown
        await _recovered(stand)
        assert "revision 1 runs again (as revision 2), verified live" in told(stand)


async def test_helm_killed_in_a_rollback(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.bad_pods(Env.STAGING, NEVER, stand.platform.artifacts.previous["backend"])
        await _stopped(stand, "staging.rollback", 3, signal.SIGKILL)
        assert "revision 3 (pending-rollback): a hook failed or helm was killed" in told(stand)
        assert "a rollback to the same revision clears it" in told(stand)
        assert "o: rollback" in told(stand)
        await _recovered(stand)
        assert revisions(stand, Env.STAGING)[-1] == "4 deployed"


async def test_the_engine_killed_and_its_terminal_gone(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as first:
        stand = first
        for operation, which in (("staging.deploy", "candidate"), ("staging.rollback", "previous")):
            digests = getattr(stand.platform.artifacts, which)
            stand.bad_pods(Env.STAGING, NEVER, digests["backend"])
            async with engine(stand, operation) as (process, terminal):
                pid = await pid_of_helm(stand.store.path, stand)
                os.close(terminal)  # the terminal hangs up
                process.send_signal(signal.SIGKILL)
                await process.wait()
            assert start_time(pid) is not None
            stand = stand.reopened()
            assert "RUNNING" in told(stand)
            await stand.operations.resume()
            await stand.until_step("engine", "done")
            assert f"engine attached again to helm, pid {pid}" in told(stand)
            shown = asked(await stand.operations.preview("staging.deploy", ANN))
            assert f"✖ {operation} is under way" in shown
            stand.world.control.plans.clear()
            ended = await stand.ended()
            assert ended.state is State.SUCCEEDED, (operation, ended.verdict)
            assert "SUCCEEDED" in told(stand)
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 superseded", "3 deployed"]
        await stand.close()
