"""A bad candidate trips a condition that would roll back by itself, after a migration that can't be taken back.

A whole engine on a rehearsed world, with the real migration, the real helm and the real interlock.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from console.engine.engine import Engine
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD
from console.rehearsal.dotmac.product import Dotmac
from state.base.json import JsonObject, text
from state.events.launch import CommandRefused
from state.events.operations import OperationFinished, OperationIntended
from state.view.launch import LaunchView, OperationView
from tests.console.engine.operations.stand import ANN, TWO, _without_alerts
from tests.console.rehearsal.worlds import running
from tests.drafts import draft

pytestmark = pytest.mark.timeout(120)
WITHIN_S = 60
RATE, WATCHING, LOOKS = 150.0, 60.0, 60
"""Slower while a countdown is watched: on a busy machine a look may come late."""


def changed(path: Path) -> None:
    """Let the first condition roll back by itself; nobody says that the migration is compatible."""
    body = yaml.safe_load(path.read_text())
    body["candidate"]["migration"] |= {"backward_compatible": False, "tested_way_down": False}
    body["conditions"] = [{**body["conditions"][0], "on_trip": "rollback", "for": "4m"}]
    path.write_text(yaml.safe_dump(body))


async def operate(engine: Engine, operation: str) -> None:
    reply = await engine.operations.start(operation, ANN, TWO)
    assert reply.ok, reply.message
    async with asyncio.timeout(WITHIN_S):
        await engine.journal.until(lambda view: view.running() is None)


async def note(engine: Engine, env: str, state: str) -> None:
    """Write into the log that somebody else's rollback ended."""
    body: JsonObject = {"id": f"{env}.rollback", "kind": "rollback", "env": env, "timeout_s": 60}
    intended = await engine.journal.record(draft(OperationIntended.KIND, body, actor="ben"))
    end: JsonObject = {"state": state, "verdict": "as told", "offers": []}
    await engine.journal.record(draft(OperationFinished.KIND, end, None, intended.seq))


async def tripped(
    folder: Path, *first: str, meanwhile: tuple[str, str] | None = None
) -> tuple[LaunchView, list[str], str]:
    """Release the bad candidate; return the launch once the trip was answered, what was refused, and the schema.

    ``meanwhile`` is a rollback (environment, how it ended) that is written into the log while it counts down.
    """
    async with running(folder / "world", "bad-candidate", rate=RATE) as world:
        changed(world.runbook_path)
        engine = await Engine.open(world.runbook_path, folder / "a.lclog", world.clock, account="ann")
        _without_alerts(world)
        try:
            for operation in (*first, "production.deploy"):
                await operate(engine, operation)
            world.clock.set_rate(WATCHING)
            for _ in range(LOOKS):  # as often as the engine does it by itself
                await world.clock.sleep(15)
                await engine.conditions.tick()
                if meanwhile is not None and engine.journal.view.conditions[0].rolls_back_us:
                    await note(engine, *meanwhile)
                    meanwhile = None
                if _answered(engine.journal.view):
                    break
            world.clock.set_rate(RATE)
            async with asyncio.timeout(WITHIN_S):
                view = await engine.journal.until(lambda v: v.running() is None)
            refused = [
                text(e.body, "reason")
                for e in engine.store.read(0, 5000)
                if e.kind == CommandRefused.KIND and e.actor == "engine"
            ]
            schema = world.product(Dotmac).platforms[Env.PRODUCTION].database.revisions()[0]
            return view, refused, schema
        finally:
            await engine.close()


def _answered(view: LaunchView) -> bool:
    (one,) = view.conditions
    return bool(one.disarmed and view.hold) or bool(own(view))


def own(view: LaunchView) -> list[OperationView]:
    """Return the rollbacks that the engine began."""
    return [o for o in view.operations if o.kind == "rollback" and o.actor == "engine"]


async def test_a_migration_that_is_not_compatible_disarms_the_countdown_and_says_why(tmp_path: Path) -> None:
    view, refused, schema = await tripped(tmp_path, "production.migrate")
    (condition,) = view.conditions
    assert condition.tripped_us
    assert condition.rolls_back_us == 0
    assert "production.migrate ran and is not declared backward compatible" in condition.disarmed
    assert not [o for o in view.operations if o.kind == "rollback"]
    assert len(refused) == 1
    assert "not declared backward compatible" in refused[0]
    assert view.hold is not None
    assert view.hold.by == "engine"
    assert view.hold.reason == "stop condition error-rate tripped"
    assert schema == HEAD


async def test_without_a_migration_it_counts_down_and_rolls_back(tmp_path: Path) -> None:
    view, refused, _ = await tripped(tmp_path)
    (back,) = [o for o in view.operations if o.kind == "rollback"]
    assert (back.actor, back.state.value) == ("engine", "succeeded")
    assert refused == []


@pytest.mark.parametrize(
    "meanwhile", [("staging", "succeeded"), ("production", "failed"), ("production", "aborted")]
)
async def test_what_brought_production_nothing_back_does_not_switch_it_off(
    tmp_path: Path, meanwhile: tuple[str, str]
) -> None:
    view, refused, _ = await tripped(tmp_path, meanwhile=meanwhile)
    (back,) = own(view)
    assert (back.env, back.state.value) == ("production", "succeeded")
    assert len(view.operations) == 3
    assert refused == []
