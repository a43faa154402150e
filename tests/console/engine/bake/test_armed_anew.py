"""A trip belongs to a release: the next one is judged anew and acts as the first did, whatever engine watches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.conditions.release import release_of
from state.events.bake import ConditionAnswered, ConditionChanged
from state.events.launch import LaunchHeld
from state.view.enums import BakeState, ConditionState, LaunchState
from tests.console.engine.bake.test_on_trip import Launch, twice
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.process.test_resume import killed
from tests.console.engine.stand import Stand, stand

BAD, GOOD = 0.2, 0.0


def condition(s: Stand) -> tuple[ConditionState, int]:
    found = s.view.condition("error-rate")
    assert found is not None
    return found.state, found.release


def state(s: Stand) -> LaunchState:
    return s.view.state


async def release_it(s: Stand) -> None:
    ann = await s.attach("ann")
    assert (await ann.command("launch.release", {"reason": "go on"})).ok
    await ann.close()
    await s.until(lambda v: not v.consoles)


async def acknowledge(s: Stand) -> None:
    ann = await s.attach("ann")
    assert (await ann.command("condition.acknowledge", {"condition": "error-rate"})).ok
    await ann.close()
    await s.until(lambda v: not v.consoles)


@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize("on_trip", ["hold", "ask"])
async def test_the_second_release_trips_as_the_first_did(
    tmp_path: Path, on_trip: str, acknowledged: bool
) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="10h", **{"for": "4m", "on_trip": on_trip})
        bad = [BAD]
        s.world.value = traffic(lambda _at: bad[0])
        await s.open(run=False)
        await s.released()
        first = s.view.operations[-1].seq
        await run_for(s, 420, 30)
        assert condition(s) == (ConditionState.TRIPPED, first)
        assert s.view.bake is not None
        assert s.view.bake.state is BakeState.TRIPPED
        held = on_trip == "hold"
        assert (s.view.state is LaunchState.HELD) is held
        if acknowledged:
            await acknowledge(s)
        if held:
            await release_it(s)
        bad[0] = GOOD
        await run_for(s, 60, 30)
        await s.released()
        second = s.view.operations[-1].seq
        assert condition(s) == (ConditionState.WARMUP, second)
        await run_for(s, 150, 30)
        assert condition(s) == (ConditionState.OK, second)
        assert s.view.bake.good_s > 0
        bad[0] = BAD
        await run_for(s, 360, 30)
        assert condition(s) == (ConditionState.TRIPPED, second)
        assert [t.release for t in s.view.trips] == [first, second]
        assert (s.view.state is LaunchState.HELD) is held
        assert len(s.events(LaunchHeld.KIND)) == (2 if held else 0)
        said = [e.body["release"] for e in s.events(ConditionChanged.KIND) if e.body["state"] == "TRIPPED"]
        assert set(said) == {first, second}


async def test_the_second_release_is_rolled_back_as_the_first_was(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="rollback", rollback_after=0)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        one = Launch(s)
        for tries in (1, 2):
            await s.released()
            await s.clock.advance(60)
            await one.trip()
            await one.act()
            await one.end(type(s.view.operations[-1].state)("succeeded"))
            for _ in range(3):
                await one.act()
            assert (one.tries, one.held) == (tries, "")
        assert [o.kind for o in s.view.operations] == ["deploy", "rollback"] * 2
        assert [e.body["how"] for e in s.events(ConditionAnswered.KIND)] == ["production was rolled back"] * 2


async def test_an_engine_that_is_started_anew_holds_no_trip_again_that_a_person_released(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        twice(s)
        s.world.value = traffic(lambda _at: BAD)
        await s.open(run=False)
        await s.released()
        await run_for(s, 420, 30)
        assert all(c.state is ConditionState.TRIPPED and c.answered for c in s.view.conditions)
        (held,) = s.events(LaunchHeld.KIND)
        how = [e.body["how"] for e in s.events(ConditionAnswered.KIND)]
        assert sorted(map(str, how)) == ["the launch is held for it", "the launch was held already"]
        await release_it(s)
        for _ in range(2):
            await killed(s)
            await s.open(run=False)
            await run_for(s, 60, 30)
        assert state(s) is LaunchState.RUNNING
        assert [e.seq for e in s.events(LaunchHeld.KIND)] == [held.seq]


async def test_a_blindness_that_was_released_is_not_held_again_by_a_new_engine_but_the_next_one_is(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="10h", on_trip="hold", blind_grace="2m")
        s.world.value = traffic(lambda _at: GOOD)
        await s.open(run=False)
        await s.released()
        await run_for(s, 120, 30)
        s.world.prometheus_status = 503
        await run_for(s, 240, 30)
        assert len(s.events(LaunchHeld.KIND)) == 1
        await release_it(s)
        await killed(s)
        await s.open(run=False)
        await run_for(s, 120, 30)
        assert state(s) is LaunchState.RUNNING
        s.world.prometheus_status = 200
        await run_for(s, 60, 30)
        assert condition(s)[0] is ConditionState.OK
        s.world.prometheus_status = 503
        await run_for(s, 240, 30)
        assert state(s) is LaunchState.HELD
        assert len(s.events(LaunchHeld.KIND)) == 2


async def test_what_is_being_judged_while_a_deploy_is_intended_is_not_said_of_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        s.world.value = traffic(lambda _at: BAD)
        await s.open(run=False)
        await s.released()
        await run_for(s, 300, 30)
        await s.clock.advance(90)
        conditions = s.engine.conditions
        now_us = s.clock.wall_us()
        look = await conditions._look(s.engine.loaded.runbook.conditions[0], now_us)
        assert look.judged.state is ConditionState.TRIPPED
        await s.released()
        second = s.view.operations[-1].seq
        await conditions._tell(look, now_us)
        assert condition(s) == (ConditionState.WARMUP, second)
        assert s.view.trips == ()
        assert release_of(s.view, "production", now_us).seq == second
