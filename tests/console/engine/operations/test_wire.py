"""Real helm 3 and helm 4 against the rehearsal's cluster, over the wire, and what the screen says of how it ended.

docs/operations.md lists every scenario with its test. Nothing may be left pending without being explained:
``launched`` asks helm.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import add_hooks, both_helms, debug, fresh, hook, launched
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, Hold, revisions

pytestmark = [pytest.mark.wire, both_helms]
FAILS_S = 2
"""For an upgrade that is to fail: helm waits so long, in real time."""
LATE = """{{- if lookup "v1" "ConfigMap" .Release.Namespace "too-late" }}
kind: {{ fail "too late" }}
{{- end }}
"""
"""Renders in a preview, and fails once that ConfigMap is there: helm reads a copy, so no file changes meanwhile."""


async def test_first_install_upgrade_and_back(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, change=fresh(tmp_path)) as stand:
        add_hooks(stand)
        values = stand.world.folder.values(Env.STAGING)
        hook(values, before=True)
        shown = asked(await stand.operations.preview("staging.deploy", ANN))
        assert f"✔ helm v{major}." in shown
        assert "namespace dotmac-first will be created" in shown
        assert "release dotmac does not exist yet: this is its first install" in shown
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        assert "from nothing: FIRST LAUNCH to v1.4.0" in told(stand)
        assert "SUCCEEDED" in told(stand)
        assert "revision 1 (deployed) runs: 5 pods, digests equal" in told(stand)
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert any("hook Job/dotmac-before-2 (pre-install, pre-upgrade) runs" in one for one in preview.diff)
        debug(values)
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output)
        assert "from revision 1 (deployed)" in told(stand)
        assert "revision 2 (deployed) runs: 5 pods, digests equal" in told(stand)
        assert "o: " not in told(stand)
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)


async def test_a_failing_image_twice_goes_back_to_the_good_one(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, each_s=FAILS_S) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(image_error="manifest unknown"))
        for number in (2, 3):
            ended = await stand.run("staging.deploy")
            assert (ended.state, ended.revision) == (State.FAILED, number), ended.verdict
            assert f"revision {number} (failed)" in told(stand)
            assert "waits, ErrImagePull: manifest unknown" in told(stand) or "ImagePullBackOff" in told(stand)
            assert "recorded good: revision 1, deployed" in told(stand)
            assert "o: rollback · retry" in told(stand)
        shown = asked(await stand.operations.preview("staging.rollback", ANN))
        assert "from revision 3 (failed) to revision 1 (recorded good)" in shown
        assert "✔ goes back to revision 1: recorded by this launch" in shown
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output)
        assert "revision 1 runs again (as revision 4), verified live" in told(stand)
        assert revisions(stand, Env.STAGING)[-1] == "4 deployed"


async def test_a_failing_hook_before(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, each_s=30) as stand:
        add_hooks(stand)
        hook(stand.world.folder.values(Env.STAGING), before=True)
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=1, exit_code=1), '"before-hook"')
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert "revision 2 (failed): hook dotmac-before-2 failed; what runs is still revision 1" in told(
            stand
        )
        assert "o: rollback · retry" in told(stand)
        stand.world.control.plans.clear()
        assert (await stand.operations.recover("retry", ANN)).ok
        assert (await stand.ended()).state is State.SUCCEEDED
        assert "revision 3 (deployed) runs" in told(stand)


async def test_a_failing_hook_after_a_rollback(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, each_s=30) as stand:
        add_hooks(stand)
        values = stand.world.folder.values(Env.STAGING)
        hook(values, after=True)
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        debug(values)
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=1, exit_code=1), '"after-hook"')
        ended = await stand.run("staging.rollback")
        assert ended.state is State.UNKNOWN, ended.verdict
        assert "the objects of revision 2 are back, but revision 4 (pending-rollback)" in told(stand)
        assert "a rollback to the same revision without hooks clears it" in told(stand)
        assert "o: rollback" in told(stand)
        shown = asked(await stand.operations.preview("staging.deploy", ANN))
        assert "✖ revision 4 (pending-rollback) since" in shown
        assert "roll it back first" in shown
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert "--no-hooks" in preview.commands[0]
        reply = await stand.operations.recover("rollback", ANN)
        assert reply.ok, reply.message
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
        assert "revision 2 runs again (as revision 5), verified live" in told(stand)


async def test_fails_before_its_revision_exists_and_is_not_rolled_back(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, each_s=FAILS_S) as stand:
        (stand.platform.chart / "templates" / "late.yaml").write_text(LATE)
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        stand.world.store.put("configmaps", {"metadata": {"name": "too-late"}}, Env.STAGING.namespace)
        hold.go.set()
        ended = await stand.ended()
        assert ended.state is State.FAILED
        assert "failed before a revision was created: revision 1 is untouched" in told(stand)
        assert "too late" in stand.steps()["helm upgrade"][1]
        assert "o: retry" in told(stand)
        assert "a rollback would undo it" in await stand.refused("staging.rollback")
        shown = asked(await stand.operations.preview("staging.rollback", ANN))
        assert "✖ revision 1 is the good one: no newer revision exists, a rollback would undo it" in shown


async def test_two_at_once(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, rate=5.0) as stand:
        other = stand.second()
        hold = Hold(stand, "POST", "/leases")
        for one in (stand, other):
            await one.start("staging.deploy")
        await hold.reached.wait()
        hold.go.set()
        await stand.until_step("lease")
        stand.world.clock.set_rate(40.0)
        ended = [await one.ended() for one in (stand, other)]
        assert sorted(one.state for one in ended) == [State.FAILED, State.SUCCEEDED]
        loser = stand if ended[0].state is State.FAILED else other
        assert "nothing was changed: launch L1" in told(loser)
        assert "works on this release" in told(loser)
        assert "o: retry" in told(loser)
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 deployed"]
        await other.close()
