"""The whole ways: staging, production, and back, on a world with the stand-in for helm."""

from __future__ import annotations

from pathlib import Path

from console.rehearsal.kube import PodPlan
from console.rehearsal.places import Env
from state.verdict import OperationState as State
from tests.engine.operations.stand import launch, revisions


async def test_the_way_to_production(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        for name in ("staging.deploy", "staging.migrate", "production.migrate", "production.deploy"):
            ended = await stand.run(name)
            assert ended.state is State.SUCCEEDED, (name, ended.verdict)
        assert stand.running_digests(Env.PRODUCTION) == {stand.world.artifacts.candidate["backend"]}
        assert revisions(stand, Env.PRODUCTION) == ["1 superseded", "2 deployed"]


async def test_back_to_the_recorded_good_revision(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        await stand.go()
        stand.bad_pods(Env.PRODUCTION, PodPlan(ready=False))
        ended = await stand.run("production.deploy")
        assert ended.state is State.FAILED
        assert "rollback" in ended.offers
        back = await stand.run("production.rollback")
        assert back.state is State.SUCCEEDED, back.verdict
