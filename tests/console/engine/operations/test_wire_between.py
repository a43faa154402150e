"""What changes between an approval and a deploy, with real helm 3 and helm 4: the dialog says it, and what helps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.base.json import Json
from state.events.operations import CandidateSeen
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, debug, launched
from tests.console.engine.operations.screen import asked, told
from tests.console.engine.operations.stand import ANN, TWO, Stand, section

pytestmark = [pytest.mark.wire, both_helms]
GATES = (1, 2, 3, 4, 5, 6, 7, 8)
HOUR_US = 3_600_000_000
OVERRIDE = (
    "It takes a second person: request it, and somebody else grants it from a console of their own account."
)


async def _asked(stand: Stand, operation: str) -> str:
    return asked(await stand.operations.preview(operation, ANN))


async def _approved(stand: Stand) -> str:
    """Deploy to staging, let every gate be GO, and return what the dialog of production's deploy shows then.

    The clock is slow from here on, so that nothing gets stale.
    """
    assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
    stand.world.clock.set_rate(1.0)
    await stand.go(*GATES)
    preview = await stand.operations.preview("production.deploy", ANN)
    assert preview.allowed, preview.reason
    return asked(preview)


async def test_the_same_tag_with_a_new_digest(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        moved = stand.platform.artifacts.move_tag("worker")
        meant = stand.platform.artifacts.candidate["worker"]
        shown = await _asked(stand, "staging.deploy")
        assert f"✖ tag v1.4.0 of worker is {moved[7:19]} now, the candidate is {meant[7:19]}" in shown
        assert "somebody moved the tag" in shown
        assert OVERRIDE in shown
        assert "somebody moved the tag" in await stand.refused("staging.deploy")
        assert (await stand.run("staging.deploy", TWO)).state is State.SUCCEEDED, stand.last().verdict
        assert f"worker {meant[7:19]}" in told(stand)
        assert moved not in stand.running_digests(Env.STAGING)


async def test_values_changed_after_the_approval(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major) as stand:
        await _approved(stand)
        debug(stand.world.folder.values(Env.PRODUCTION))
        shown = await _asked(stand, "production.deploy")
        assert "✖ changed since it was approved: values file production.yaml; the approvals of" in shown
        assert "are for something else: attest them again" in shown
        assert OVERRIDE in shown
        assert "changed since it was approved" in await stand.refused("production.deploy")
        await stand.go(*GATES)
        await stand.until_recorded(CandidateSeen.KIND, 3)
        shown = await _asked(stand, "production.deploy")
        assert "✔ images, chart, values and migration are what was approved" in shown
        assert (await stand.operations.preview("production.deploy", ANN)).allowed


async def test_a_freeze_that_begins_between_go_and_deploy(tmp_path: Path, major: int) -> None:
    begins, ends = ((datetime.now(UTC) + timedelta(hours=h)).isoformat() for h in (5, 6))

    def change(body: dict[str, Json]) -> None:
        section(body, "scope")["freezes"] = [{"start": begins, "end": ends, "reason": "closing"}]

    async with launched(tmp_path, major, change=change) as stand:
        assert "✔ inside the launch window" in await _approved(stand)
        stand.world.clock.set_line(stand.world.clock.wall_us() + 5 * HOUR_US + 60_000_000, 60.0)
        shown = await _asked(stand, "production.deploy")
        assert "✖ production is frozen until" in shown
        assert "closing" in shown
        assert OVERRIDE in shown
        assert "production is frozen until" in await stand.refused("production.deploy")
        assert (await stand.run("production.deploy", TWO)).state is State.SUCCEEDED, stand.last().verdict
        assert any("production.deploy overridden with ben" in d.what for d in stand.journal.view.deviations)


async def test_a_migration_that_ran_and_is_not_compatible(tmp_path: Path, major: int) -> None:
    def change(body: dict[str, Json]) -> None:
        section(body, "candidate", "migration")["backward_compatible"] = False

    async with launched(tmp_path, major, change=change) as stand:
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED
        assert "is complete" in told(stand)
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
        shown = await _asked(stand, "staging.rollback")
        assert "✖ staging.migrate ran and is not declared backward compatible" in shown
        assert "a rollback would turn a failed deploy into an outage" in shown
        assert "Either restore the verified backup first, or override with a second person" in shown
        assert OVERRIDE in shown
        assert "not declared backward compatible" in await stand.refused("staging.rollback")
        assert (await stand.run("staging.rollback", TWO)).state is State.SUCCEEDED, stand.last().verdict
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)
