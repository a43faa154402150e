"""A trip that asks for a rollback, and what else was rolled back meanwhile: the engine does its own, or holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from console.engine.bake.on_trip import Trips
from state.base.json import Json
from state.events.bake import ConditionChanged
from state.events.launch import LaunchHeld
from state.events.operations import OperationFinished, OperationIntended, OperationUnknown
from state.runbook.models import StopCondition
from state.view.enums import OperationState
from state.view.launch import OperationView
from tests.console.engine.bake.test_stop_conditions import change, traffic
from tests.console.engine.stand import Stand, stand
from tests.drafts import draft

COUNTDOWN_S = 30
FAILED, SUCCEEDED = OperationState.FAILED, OperationState.SUCCEEDED
ABORTED, UNKNOWN = OperationState.ABORTED, OperationState.UNKNOWN


class Launch:
    """A launch whose condition tripped; its own rollback is an intent in the log that a test ends."""

    def __init__(self, s: Stand) -> None:
        self.s = s
        self.tries = 0
        self.trips = self.anew()

    def anew(self) -> Trips:
        """Return what a new engine would act with: nothing is remembered but the log."""
        self.trips = Trips(self.s.engine.journal, self._roll_back, None)
        return self.trips

    @property
    def conditions(self) -> tuple[StopCondition, ...]:
        return self.s.engine.loaded.runbook.conditions

    async def _roll_back(self, _condition: str) -> bool:
        self.tries += 1
        await self.begin("production", actor="engine")
        return True

    async def trip(self, name: str = "error-rate") -> None:
        now_us = self.s.clock.wall_us()
        body: dict[str, Json] = {
            "id": name, "state": "TRIPPED", "value": "0.5", "since_us": now_us, "at_us": now_us, "active": True
        }  # fmt: skip
        await self.s.engine.journal.record(draft(ConditionChanged.KIND, body))

    async def act(self, seconds: float = 15.0) -> None:
        await self.s.clock.advance(seconds)
        for condition in self.conditions:
            await self.trips.act(condition)

    async def begin(self, env: str, actor: str = "ann") -> int:
        body: dict[str, Json] = {"id": f"{env}.rollback", "kind": "rollback", "env": env, "timeout_s": 60}
        journal = self.s.engine.journal
        return (await journal.record(draft(OperationIntended.KIND, body, "g09", actor=actor))).seq

    async def end(self, state: OperationState, seq: int = 0) -> None:
        body: dict[str, Json] = {"state": state.value, "verdict": "as told", "offers": []}
        kind = OperationFinished.KIND
        if state is UNKNOWN:
            kind = OperationUnknown.KIND
            del body["state"]
        await self.s.clock.advance(5)
        await self.s.engine.journal.record(draft(kind, body, "g09", seq or self.s.view.operations[-1].seq))

    async def rolled(self, env: str, state: OperationState) -> None:
        await self.end(state, await self.begin(env))

    def own(self) -> list[OperationView]:
        return [o for o in self.s.view.operations if o.actor == "engine" and o.kind == "rollback"]

    @property
    def held(self) -> str:
        return self.s.view.hold.reason if self.s.view.hold is not None else ""

    @property
    def disarmed(self) -> str:
        return self.s.view.conditions[0].disarmed


@asynccontextmanager
async def launch(folder: Path, rollback_after: float = COUNTDOWN_S) -> AsyncIterator[Launch]:
    async with stand(folder) as s:
        change(s, on_trip="rollback", rollback_after=rollback_after)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await s.clock.advance(60)
        yield Launch(s)


MEANWHILE: list[tuple[str, str, OperationState]] = [
    ("a rollback of staging", "staging", SUCCEEDED),
    ("a rollback of production that failed", "production", FAILED),
    ("a rollback of production that was aborted", "production", ABORTED),
    ("a rollback of production of unknown end", "production", UNKNOWN),
]


@pytest.mark.parametrize(("env", "state"), [one[1:] for one in MEANWHILE], ids=[one[0] for one in MEANWHILE])
@pytest.mark.parametrize("wait_s", [0, COUNTDOWN_S], ids=["by itself at once", "after a countdown"])
async def test_what_did_not_bring_production_back_leaves_the_engine_its_own(
    tmp_path: Path, env: str, state: OperationState, wait_s: int
) -> None:
    async with launch(tmp_path, rollback_after=wait_s) as one:
        await one.trip()
        if wait_s:
            await one.act()
        await one.rolled(env, state)
        for _ in range(5):
            await one.act()
        (own,) = one.own()
        assert own.env == "production"
        await one.end(SUCCEEDED)
        for _ in range(5):
            await one.act()
        assert (one.tries, one.held, one.disarmed) == (1, "", "")


async def test_a_rollback_that_succeeded_after_the_trip_is_the_answer(tmp_path: Path) -> None:
    async with launch(tmp_path) as one:
        await one.trip()
        await one.act()
        await one.rolled("production", SUCCEEDED)
        for _ in range(5):
            await one.act()
        assert (one.tries, one.held) == (0, "")


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED])
async def test_a_rollback_under_way_when_it_trips_is_waited_for(tmp_path: Path, end: OperationState) -> None:
    async with launch(tmp_path, rollback_after=0) as one:
        seq = await one.begin("production")
        await one.s.clock.advance(1)
        await one.trip()
        for _ in range(5):
            await one.act()
        assert one.tries == 0
        await one.end(end, seq)
        await one.act()
        assert one.tries == (0 if end is SUCCEEDED else 1)
        assert one.held == ""


@pytest.mark.parametrize("end", [FAILED, ABORTED, UNKNOWN])
@pytest.mark.parametrize("restart", [False, True], ids=["one engine", "a new engine"])
async def test_its_own_rollback_that_fails_is_tried_once_and_leaves_a_hold_that_says_so(
    tmp_path: Path, end: OperationState, restart: bool
) -> None:
    async with launch(tmp_path, rollback_after=0) as one:
        await one.trip()
        await one.act()
        assert one.tries == 1
        if restart:
            one.anew()
        for _ in range(3):
            await one.act()
        assert one.held == ""  # it is under way: nothing is over yet
        await one.end(end)
        for _ in range(5):
            await one.act()
        message = f"automatic rollback {'has no known end' if end is UNKNOWN else end}: as told"
        assert one.held == f"{message}; stop condition error-rate tripped"
        assert one.disarmed == message
        assert one.tries == 1
        assert len(one.s.events(LaunchHeld.KIND)) == 1
        ann = await one.s.attach("ann")
        assert (await ann.command("launch.release", {"reason": "go on"})).ok
        for _ in range(3):
            await one.act()
        assert (one.tries, one.held) == (1, "")
        await ann.close()


async def test_a_new_trip_is_tried_anew(tmp_path: Path) -> None:
    async with launch(tmp_path, rollback_after=0) as one:
        await one.trip()
        await one.act()
        await one.end(FAILED)
        await one.act()
        ann = await one.s.attach("ann")
        assert (await ann.command("condition.acknowledge", {"condition": "error-rate"})).ok
        assert (await ann.command("launch.release", {"reason": "go on"})).ok
        await one.s.clock.advance(60)
        await one.trip()
        await one.act()
        assert one.tries == 2
        await ann.close()


def twice(s: Stand) -> None:
    """Let a second condition ask for a rollback too."""
    data = yaml.safe_load(s.runbook.read_text())
    data["conditions"] = [data["conditions"][0], {**data["conditions"][0], "id": "other"}]
    s.runbook.write_text(yaml.safe_dump(data))


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED])
@pytest.mark.parametrize("late", [False, True], ids=["both before", "one while it rolls back"])
async def test_two_conditions_that_trip_share_one_rollback(
    tmp_path: Path, end: OperationState, late: bool
) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="rollback", rollback_after=0)
        twice(s)
        await s.open(run=False)
        await s.released()
        await s.clock.advance(60)
        one = Launch(s)
        await one.trip("error-rate")
        if not late:
            await one.trip("other")
        await one.act()
        if late:
            await one.trip("other")
        await one.act()
        await one.end(end)
        for _ in range(5):
            await one.act()
        assert one.tries == 1
        assert bool(one.held) is (end is FAILED)
        assert all(bool(c.disarmed) is (end is FAILED) for c in s.view.conditions)


async def test_what_a_rollback_brought_back_before_the_trip_is_held_and_not_rolled_back(
    tmp_path: Path,
) -> None:
    async with launch(tmp_path) as one:
        await one.rolled("production", SUCCEEDED)
        await one.s.clock.advance(60)
        await one.trip()
        for _ in range(5):
            await one.act()
        assert one.tries == 0
        assert one.held == "production was rolled back already; stop condition error-rate tripped"


async def test_a_person_who_holds_while_it_rolls_back_stops_nothing(tmp_path: Path) -> None:
    async with launch(tmp_path, rollback_after=0) as one:
        await one.trip()
        await one.act()
        ann = await one.s.attach("ann")
        assert (await ann.command("launch.hold", {"reason": "wait"})).ok
        await one.act()
        assert one.disarmed == ""
        await one.end(FAILED)
        await one.act()
        assert one.disarmed == "automatic rollback failed: as told"
        await ann.close()
