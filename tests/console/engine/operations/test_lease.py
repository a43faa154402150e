"""One at a time: within a launch, and between launches on one cluster."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from console.engine.operations.run.lease import HeldError, Lease
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import obj
from state.runbook.environment import Tier
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, TWO, Hold, Stand, launch, revisions
from tests.console.rehearsal.worlds import start_helm, upgrade


def _lease(stand: Stand, holder: str) -> Lease:
    kube = stand.clients.kube(Tier.STAGING)
    return Lease(kube, Env.STAGING.namespace, "dotmac", holder, stand.world.clock)


def _live(stand: Stand) -> object:
    found = stand.world.store.peek("leases", Env.STAGING.namespace, "launch-console-dotmac")
    return obj(obj(found).get("spec")).get("holderIdentity")


async def test_a_lease_is_taken_renewed_given_back_and_runs_out(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        one, same, two = _lease(stand, "launch A"), _lease(stand, "launch A"), _lease(stand, "launch B")
        await one.take()
        assert _live(stand) == "launch A"
        await same.take()
        with pytest.raises(HeldError, match="launch A works on this release"):
            await two.take()
        await stand.world.clock.sleep(200)
        other = await two.foreign()
        assert other is not None
        assert other.left_s > 0
        await same.aclose()
        await one.give_back()
        assert _live(stand) is None
        await two.take()
        assert _live(stand) == "launch B"
        await two.aclose()
        await stand.world.clock.sleep(120)
        await one.take()
        assert _live(stand) == "launch A"
        await one.give_back()


async def test_of_two_that_take_it_at_once_one_has_it(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        leases = [_lease(stand, f"launch {name}") for name in "ABCD"]
        results = await asyncio.gather(*(lease.take() for lease in leases), return_exceptions=True)
        assert sorted(type(r).__name__ for r in results) == ["HeldError"] * 3 + ["NoneType"]
        for lease in leases:
            await lease.aclose()


async def test_two_launches_on_one_release(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        other = stand.second()
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        answer = await other.refused("staging.deploy", TWO)
        assert "launch L1" in answer
        assert "works on this release" in answer
        await stand.operations.abort(ANN, "let the other go on")
        await stand.ended()
        stand.world.control.plans.clear()
        assert (await other.run("staging.deploy")).state is State.SUCCEEDED
        await other.close()


async def test_two_launches_that_start_in_the_same_moment(tmp_path: Path) -> None:
    async with launch(tmp_path, rate=5.0) as stand:
        other = stand.second()
        hold = Hold(stand, "POST", "/leases")
        both = [stand, other]
        for one in both:
            await one.start("staging.deploy")
        await hold.reached.wait()
        hold.go.set()
        await stand.until_step("lease")
        stand.world.clock.set_rate(100.0)
        states = sorted([(await one.ended()).state for one in both])
        assert states == [State.FAILED, State.SUCCEEDED]
        loser = next(one for one in both if one.last().state is State.FAILED)
        assert loser.last().verdict.startswith("nothing was changed: launch L1")
        assert revisions(stand, Env.STAGING) == ["1 superseded", "2 deployed"]
        await other.close()


async def test_a_helm_that_somebody_runs_by_hand_is_not_called_stuck(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        hold = Hold(stand, "POST", "/leases")
        await stand.start("staging.deploy")
        await hold.reached.wait()
        by_hand = await start_helm(stand.world, Env.STAGING, *upgrade(stand.world, Env.STAGING))
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        hold.go.set()
        ended = await stand.ended()
        with suppress(ProcessLookupError):  # it may have ended by itself on a busy machine
            by_hand.terminate()
        await by_hand.communicate()
        assert ended.state is State.FAILED
        assert "revision 2 (pending-upgrade) is somebody else's work" in ended.verdict


async def test_one_operation_at_a_time_in_a_launch(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        replies = await asyncio.gather(
            *(stand.operations.start(name, ANN, TWO) for name in ("staging.deploy", "production.deploy"))
        )
        assert [r.ok for r in replies] == [True, False]
        assert "staging.deploy is under way" in replies[1].message
        assert (await stand.ended()).state is State.SUCCEEDED


async def test_a_cluster_without_leases_closes_no_way_back(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.world.control.denials.append(lambda _u, _v, what, _n: what == "leases")
        answer = await stand.refused("staging.rollback")
        assert "this account may not create leases in dotmac-staging" in answer
        back = await stand.run("staging.rollback", TWO)
        assert back.state is State.SUCCEEDED
        assert stand.steps()["lease"][0] == "failed"
