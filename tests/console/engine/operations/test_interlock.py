"""After a migration the way back is closed, unless one of four keys opens it."""

from __future__ import annotations

from pathlib import Path

from console.engine.ports import ENGINE
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import PREVIOUS_HEAD
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, Change, Stand, launch, section


def _declared(*, compatible: bool = False, way_down: bool = False) -> Change:
    def change(body: dict[str, Json]) -> None:
        migration = section(body, "candidate", "migration")
        migration["backward_compatible"] = compatible
        migration["tested_way_down"] = way_down

    return change


async def _migrate_and_fail(stand: Stand, *, migrate_first: bool) -> None:
    """Migrate production and fail to deploy to it, in one order or the other."""
    stand.bad_pods(Env.PRODUCTION, PodPlan(image_error="gone"))
    if migrate_first:
        assert (await stand.run("production.migrate")).state is State.SUCCEEDED
    await stand.start("production.deploy")
    await stand.until(lambda: stand.release(Env.PRODUCTION, 2) is not None)
    await stand.operations.abort(ANN, "its image is gone")
    await stand.ended()
    if not migrate_first:
        assert (await stand.run("production.migrate")).state is State.SUCCEEDED
    await stand.until(lambda: _heads(stand) != PREVIOUS_HEAD)


def _heads(stand: Stand) -> str:
    return stand.platform.platforms[Env.PRODUCTION].database.revisions()[0]


async def test_not_compatible_closes_it_also_for_a_tripped_condition(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_declared()) as stand:
        await _migrate_and_fail(stand, migrate_first=True)
        reply = await stand.operations.start("production.rollback", ENGINE, None)
        assert not reply.ok
        assert "production.migrate ran and is not declared backward compatible" in reply.message
        assert "restore the verified backup first, or override with a second person" in reply.message
        preview = await stand.operations.preview("production.rollback", ANN)
        assert not preview.allowed
        assert preview.override_allowed
        back = await stand.run("production.rollback")
        assert back.state is State.SUCCEEDED
        assert any("production.rollback overridden with ben" in d.what for d in stand.journal.view.deviations)


async def test_declared_and_seen_to_be_so_opens_it(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_declared(compatible=True)) as stand:
        await _migrate_and_fail(stand, migrate_first=True)
        preview = await stand.operations.preview("production.rollback", ANN)
        assert preview.allowed, preview.reason
        assert any("seen ready on the new schema" in check for check in preview.checks)
        assert (await stand.operations.start("production.rollback", ENGINE, None)).ok
        assert (await stand.ended()).state is State.SUCCEEDED


async def test_declared_but_never_seen_keeps_it_closed_until_the_schema_is_back(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_declared(compatible=True, way_down=True)) as stand:
        await _migrate_and_fail(stand, migrate_first=False)
        answer = await stand.refused("production.rollback")
        assert "declared backward compatible, but that was not proven" in answer
        assert f"take the tested way down to {PREVIOUS_HEAD} first" in answer
        stand.platform.platforms[Env.PRODUCTION].database._set_revisions((PREVIOUS_HEAD,))
        preview = await stand.operations.preview("production.rollback", ANN)
        assert preview.allowed, preview.reason
        assert any(
            f"the schema is at {PREVIOUS_HEAD} again, as it was before" in check for check in preview.checks
        )
