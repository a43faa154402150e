"""What happened while nobody could look, over a Prometheus on loopback and a clock moved by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.base.times import SECOND_US
from state.conditions.look_back import judged_until
from state.conditions.samples import read
from state.conditions.what_if import rejudge
from state.events.bake import ConditionChanged, ConditionSamples
from state.log.reader import LogReader
from state.runbook.load import load_runbook
from state.view.enums import ConditionState
from state.view.launch import ConditionView
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.stand import Stand, stand
from tests.console.engine.watch.test_watch import mute

FOR_S = 240
HOUR_S = 3600


def condition(s: Stand) -> ConditionView:
    found = s.view.condition("error-rate")
    assert found is not None
    return found


async def well(s: Stand, breach: range) -> None:
    """A release that is judged OK, whose errors rise in a range of seconds after now."""
    of_it: dict[str, str] = {"for": f"{FOR_S}s", "on_trip": "ask", "blind_grace": "10h"}
    change(s, **of_it)
    zero = s.clock.wall_us() // SECOND_US
    s.world.value = traffic(lambda at: 0.5 if at - zero in breach else 0.0)
    await s.open(run=False)
    await s.released()
    await run_for(s, 120, 30)
    assert condition(s).state is ConditionState.OK


def samples(s: Stand) -> dict[int, float]:
    """Return the newest recorded bad rate of each time, in seconds."""
    found = {}
    for event in s.events(ConditionSamples.KIND):
        moment = read(str(event.body["values"]))["error-rate"]
        if isinstance(moment.main, float):
            found[int(str(event.body["at_us"])) // SECOND_US] = moment.main
    return found


@pytest.mark.parametrize("sleeps", ["anew", "asleep", "cut off", "cut off and anew"])
async def test_a_breach_that_nobody_could_look_at_trips_at_once(tmp_path: Path, sleeps: str) -> None:
    async with stand(tmp_path) as s:
        breach = range(600, 600 + FOR_S + 60)
        began = s.clock.wall_us() + 600 * SECOND_US
        await well(s, breach)
        if sleeps == "anew":
            await s.close()
        if sleeps.startswith("cut off"):
            s.world.prometheus_status = 503
            await s.tick(15)
            assert condition(s).state is ConditionState.ERROR
        await s.clock.advance(13 * HOUR_S // 4)
        if sleeps.startswith("cut off"):
            await s.tick()
            if sleeps.endswith("anew"):
                await s.close()
                await s.open(run=False)
                await s.tick(15)
                assert condition(s).state is ConditionState.ERROR
            s.world.prometheus_status = 200
        if sleeps == "anew":
            await s.open(run=False)
        await s.tick(15)
        assert condition(s).state is ConditionState.TRIPPED
        assert condition(s).value == 0.0
        assert abs(condition(s).since_us - began) <= 15 * SECOND_US
        assert condition(s).elapsed_s >= FOR_S
        # What was slept is recorded, so that it can be judged again.
        seen = {at for at, bad in samples(s).items() if bad > 0}
        assert len(seen) == len(breach) // 15
        with LogReader(s.log) as reader:
            (again,) = rejudge(reader.every(), load_runbook(s.runbook).runbook.conditions, 15)
        assert [t.state for t in again.judged.turns if t.state is ConditionState.TRIPPED]


async def test_a_short_breach_that_nobody_could_look_at_does_not_trip(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await well(s, range(600, 600 + FOR_S - 30))
        await s.clock.advance(13 * HOUR_S // 4)
        await s.tick(15)
        assert condition(s).state is ConditionState.OK


async def test_a_breach_that_was_over_when_its_mute_ended_does_not_trip(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await well(s, range(300, 300 + FOR_S + 60))
        await mute(s, "15")
        await s.clock.advance(HOUR_S)
        await s.tick(15)
        assert condition(s).state is ConditionState.OK


async def test_a_long_time_without_samples_costs_the_log_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await well(s, range(0))
        s.world.value = lambda _query, _at: None
        for _ in range(10):
            await s.tick(60)
        assert condition(s).state is ConditionState.NO_DATA
        assert 0 < judged_until(s.view, condition(s)) < s.view.judged_us
        before = len(s.events(ConditionSamples.KIND)), len(s.events(ConditionChanged.KIND))
        await s.tick(60)
        after = len(s.events(ConditionSamples.KIND)), len(s.events(ConditionChanged.KIND))
        assert after[0] - before[0] == 4
        assert after[1] - before[1] <= 1
