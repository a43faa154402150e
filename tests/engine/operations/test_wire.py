"""Real helm 3 and helm 4 against the rehearsal's cluster, over the wire. Their waiting is real time."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.engine.operations.program import start_time
from console.rehearsal.kube import PodPlan
from console.rehearsal.places import Env
from state.fields import Json
from state.verdict import OperationState as State
from tests.engine.operations.engines import engine, pid_of_helm
from tests.engine.operations.helms import add_hooks, hook, real
from tests.engine.operations.stand import ANN, Change, Hold, launch, revisions, section

pytestmark = [pytest.mark.wire, pytest.mark.parametrize("major", [3, 4])]
RATE = 40.0
FAILS_S = 2
"""For an upgrade that is to fail: helm waits so long."""


def _fresh(major: int, folder: Path) -> Change:
    """Let staging be a namespace in which nothing is."""
    file = folder / "password"
    file.write_text("of the first install")

    def change(body: dict[str, Json]) -> None:
        real(major)(body)
        staging = section(body, "environments", "staging")
        section(staging, "kube")["namespace"] = "dotmac-first"
        data: Json = {"DATABASE_PASSWORD": {"file": str(file)}}
        staging["apply_secrets"] = [{"name": "dotmac-platform-secrets", "data": data}]

    return change


async def test_first_install_upgrade_and_back(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=_fresh(major, tmp_path), each_s=60) as stand:
        add_hooks(stand)
        values = stand.world.folder.values(Env.STAGING)
        hook(values, before=True)
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        assert ended.revision == 1
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert f"helm v{major}." in " ".join(preview.checks)
        assert any("hook Job/dotmac-before-2 (pre-install, pre-upgrade) runs" in one for one in preview.diff)
        values.write_text(values.read_text().replace("INFO", "DEBUG"))
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output)
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())


async def test_a_failing_image_then_back(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=FAILS_S) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(image_error="manifest unknown"))
        for number in (2, 3):
            ended = await stand.run("staging.deploy")
            assert (ended.state, ended.revision) == (State.FAILED, number), ended.verdict
            assert f"revision {number} (failed)" in ended.verdict
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output)
        assert revisions(stand, Env.STAGING)[-1] == "4 deployed"


async def test_a_failing_hook_before(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=10) as stand:
        add_hooks(stand)
        hook(stand.world.folder.values(Env.STAGING), before=True)
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=1, exit_code=1), '"before-hook"')
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert "revision 2 (failed): hook dotmac-before-2 failed" in ended.verdict
        assert "what runs is still revision 1" in ended.verdict
        stand.world.control.plans.clear()
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED


async def test_a_failing_hook_after_a_rollback(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=30) as stand:
        add_hooks(stand)
        hook(stand.world.folder.values(Env.STAGING), after=True)
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        text = stand.world.folder.values(Env.STAGING)
        text.write_text(text.read_text().replace("INFO", "DEBUG"))
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=1, exit_code=1), '"after-hook"')
        ended = await stand.run("staging.rollback")
        assert ended.state is State.UNKNOWN, ended.verdict
        assert "the objects of revision 2 are back, but revision 4 (pending-rollback)" in ended.verdict
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert "--no-hooks" in preview.commands[0]
        reply = await stand.operations.recover("rollback", ANN)
        assert reply.ok, reply.message
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict


async def test_helm_killed_in_an_upgrade_and_in_a_first_install(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=60) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        assert os.getsid(stand.last().pid) == stand.last().pid
        os.kill(stand.last().pid, signal.SIGKILL)
        ended = await stand.ended()
        assert ended.state is State.UNKNOWN
        assert "revision 2 (pending-upgrade), and its helm is gone" in ended.verdict
        stand.world.control.plans.clear()
        assert (await stand.operations.recover("rollback", ANN)).ok
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
    (tmp_path / "b").mkdir()
    async with launch(tmp_path / "b", rate=RATE, change=_fresh(major, tmp_path), each_s=60) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: bool(stand.world.store.scan("pods", "dotmac-first")))
        os.kill(stand.last().pid, signal.SIGKILL)
        assert "is finished by a rollback to itself" in (await stand.ended()).verdict
        stand.world.control.plans.clear()
        assert (await stand.operations.recover("rollback", ANN)).ok
        assert (await stand.ended()).state is State.SUCCEEDED, (stand.last().verdict, stand.last().output)


async def test_aborted_and_the_engine_anew(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=60) as stand:
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        newer = await stand.again()
        await newer.operations.resume()
        assert (await newer.ended()).state is State.SUCCEEDED, newer.last().verdict
        newer.bad_pods(Env.PRODUCTION, PodPlan(ready=False))
        await newer.start("production.deploy")
        await newer.until(lambda: newer.release(Env.PRODUCTION, 2) is not None)
        await newer.until_step("pods", "running")
        assert (await newer.operations.abort(ANN, "errors")).ok
        ended = await newer.ended()
        assert ended.state is State.ABORTED, (ended.verdict, ended.output)
        assert "revision 2 (failed)" in ended.verdict
        await newer.close()


async def test_fails_before_its_revision_exists(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=RATE, change=real(major), each_s=FAILS_S) as stand:
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        (stand.world.folder.chart / "templates" / "late.yaml").write_text('kind: {{ fail "too late" }}\n')
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.FAILED
        assert "failed before a revision was created: revision 1 is untouched" in ended.verdict
        assert "too late" in stand.steps()["helm upgrade"][1]
        assert "a rollback would undo it" in await stand.refused("staging.rollback")


async def test_the_engine_killed_and_its_terminal_gone(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=15.0, change=real(major), each_s=60) as first:
        stand = first
        for operation in ("staging.deploy", "staging.rollback"):
            stand.world.clock.set_rate(15.0)
            async with engine(stand, operation) as (process, terminal):
                pid = await pid_of_helm(stand.store.path, stand)
                os.close(terminal)  # the terminal hangs up
                process.send_signal(signal.SIGKILL)
                await process.wait()
                assert start_time(pid) is not None
            stand.world.clock.set_rate(RATE)
            stand = stand.reopened()
            await stand.operations.resume()
            ended = await stand.ended()
            assert ended.state is State.SUCCEEDED, (operation, ended.verdict)
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 superseded", "3 deployed"]
        await stand.close()


async def test_two_at_once(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, rate=5.0, change=real(major), each_s=60) as stand:
        other = stand.second()
        hold = Hold(stand, "POST", "/leases")
        for one in (stand, other):
            await one.start("staging.deploy")
        await hold.reached.wait()
        hold.go.set()
        await stand.until_step("lease")
        stand.world.clock.set_rate(RATE)
        ended = [await one.ended() for one in (stand, other)]
        assert sorted(one.state for one in ended) == [State.FAILED, State.SUCCEEDED]
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 deployed"]
        await other.close()


async def test_what_changes_between_go_and_deploy(tmp_path: Path, major: int) -> None:
    now = datetime.now(UTC)
    begins, ends = ((now + timedelta(hours=h)).isoformat() for h in (5, 6))

    def change(body: dict[str, Json]) -> None:
        real(major)(body)
        section(body, "scope")["freezes"] = [{"start": begins, "end": ends, "reason": "closing"}]
        section(body, "candidate", "migration")["backward_compatible"] = False

    async with launch(tmp_path, rate=1.0, change=change, each_s=60) as stand:
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        await stand.run_quickly("staging.deploy")
        assert (await stand.operations.preview("production.deploy", ANN)).allowed
        values = stand.world.folder.values(Env.PRODUCTION)
        values.write_text(values.read_text().replace("INFO", "DEBUG"))
        assert "changed since it was approved: values file production.yaml" in await stand.refused(
            "production.deploy"
        )
        stand.world.artifacts.move_tag("worker")
        assert "somebody moved the tag" in await stand.refused("production.deploy")
        stand.world.clock.set_line(stand.world.clock.wall_us() + 5 * 3_600_000_000 + 60_000_000, RATE)
        assert "production is frozen until" in await stand.refused("production.deploy")
        assert (await stand.run("production.migrate")).state is State.SUCCEEDED
        assert (await stand.run("production.deploy")).state is State.SUCCEEDED, stand.last().verdict
        assert "not declared backward compatible" in await stand.refused("production.rollback")
        assert (await stand.run("production.rollback")).state is State.SUCCEEDED, stand.last().verdict
