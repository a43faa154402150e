"""An engine that is started on a log goes on with that launch: nothing is asked twice, nothing good is made up."""

from __future__ import annotations

from pathlib import Path

from state.events.bake import BakeStarted
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.events.log import NoteAdded
from state.fold import fold
from state.view.enums import ConditionState, LaunchState, Verdict
from state.view.launch import BakeView, CheckView, ConditionView
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.stand import Stand, stand


async def killed(s: Stand) -> None:
    """Leave the log as a SIGKILL would: without an end."""
    s.engine.store.close()
    s.engine._closed = True
    await s.engine.clients.aclose()


def condition(s: Stand) -> ConditionView:
    found = s.view.condition("error-rate")
    assert found is not None
    return found


def bake(s: Stand) -> BakeView:
    assert s.view.bake is not None
    return s.view.bake


def check(s: Stand) -> CheckView:
    found = s.view.item("3.1")
    assert found is not None
    return found.checks[0]


async def test_a_breach_is_measured_over_the_history_that_nobody_watched(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 150, 30)
        seen = condition(s)
        assert seen.state is ConditionState.BREACHING
        await killed(s)
        await s.clock.advance(60)
        await s.open(run=False)
        await s.tick()
        again = condition(s)
        assert again.state is ConditionState.BREACHING
        assert again.since_us == seen.since_us
        assert again.elapsed_s >= seen.elapsed_s + 60
        await killed(s)
        await s.clock.advance(240)
        await s.open(run=False)
        await s.tick()
        assert condition(s).state is ConditionState.TRIPPED
        assert s.view.state is LaunchState.HELD


async def test_a_trip_stays_latched_and_a_hold_stays_a_hold(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        bad = [0.2]
        s.world.value = traffic(lambda _at: bad[0])
        await s.open(run=False)
        await s.released()
        await run_for(s, 420, 30)
        hold = s.view.hold
        assert hold is not None
        await killed(s)
        bad[0] = 0.0
        await s.clock.advance(600)
        await s.open(run=False)
        await s.tick()
        assert condition(s).state is ConditionState.TRIPPED
        assert s.view.hold == hold
        assert len(s.events(LaunchHeld.KIND)) == 1


async def test_seconds_that_nobody_saw_do_not_bake(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="10h")  # how far a wait moves the clock depends on the machine
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await run_for(s, 150)
        good = bake(s).good_s
        assert good > 0
        await killed(s)
        await s.clock.advance(60)
        await s.open(run=False)
        await s.tick()
        assert good <= bake(s).good_s <= good + 30
        await run_for(s, 30)
        assert bake(s).good_s > good
        assert len(s.events(BakeStarted.KIND)) == 1


async def test_a_verdict_comes_back_with_its_age(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        client = await s.attach("ann")
        assert (await client.command("check.run", {"item": "3.1"})).ok
        await s.until(lambda v: check(s).verdict is Verdict.PASS)
        before = check(s)
        await client.close()
        await s.close()
        await s.open(run=False)
        assert check(s) == before
        assert check(s).at(s.clock.wall_us()) is Verdict.PASS
        await s.clock.advance(before.ttl_s + 1)
        assert check(s).at(s.clock.wall_us()) is Verdict.STALE


async def test_the_view_after_a_restart_is_the_fold_of_the_file(tmp_path: Path) -> None:
    """I8 for a resumed engine: what it knows is what anybody can fold from the file."""
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.engine.journal.record(Draft(NoteAdded("before"), actor="ann"))
        await killed(s)
        await s.open(run=False)
        every, after = [], 0
        while page := s.engine.store.read(after):
            every += page
            after = page[-1].seq
        assert s.view == fold(every)
