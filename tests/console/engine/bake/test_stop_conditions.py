"""Samples, stop conditions and the bake, over a Prometheus on loopback and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from console.engine.bake.stop_conditions import release_of
from state.base.json import text
from state.events.bake import BakeFinished
from state.events.launch import CommandRefused, LaunchHeld
from state.events.world import MetricBatch, MetricGap
from state.view.enums import ConditionState, LaunchState
from tests.console.engine.stand import Stand, stand

RATE = 10.0


def traffic(bad: Callable[[int], float]) -> Callable[[str, int], float | None]:
    """Answer bad events for queries of 5xx, all of them for the rest; latency stays low."""

    def value(query: str, at: int) -> float | None:
        if "histogram" in query:
            return 0.2
        return RATE * bad(at) if "5.." in query else RATE

    return value


def change(s: Stand, *, maximum: str = "5m", **condition: object) -> None:
    data = yaml.safe_load(s.runbook.read_text())
    data["conditions"] = [{**data["conditions"][0], "min_events": 0, **condition}]
    data["bake"] = {"minimum": "2m", "maximum": maximum, "interval": "15s"}
    s.runbook.write_text(yaml.safe_dump(data))


def times(s: Stand) -> list[int]:
    """Return the times of all samples, in seconds."""
    return [int(str(e.body["at_us"])) // 1_000_000 for e in s.events(MetricBatch.KIND)]


async def test_samples_are_taken_once_for_each_interval_and_backfilled(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.tick()
        first = times(s)
        assert first == list(range(first[0], s.clock.wall_us() // 1_000_000 + 1, 15))
        await s.tick()
        assert times(s) == first
        await s.tick(15)
        assert times(s) == [*first, first[-1] + 15]
        await s.close()
        await s.clock.advance(60)
        await s.open(run=False)
        await s.tick()
        assert times(s) == list(range(first[0], first[-1] + 76, 15))


async def test_a_lost_prometheus_is_a_gap_and_a_source(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.tick()
        s.world.prometheus_status = 503
        await s.tick(15)
        await s.tick(15)
        assert len(s.events(MetricGap.KIND)) == 1
        source = s.view.sources["prometheus/production"]
        assert not source.ok
        assert "503" in source.reason
        assert s.view.graphs[0].series[0].last is None
        s.world.prometheus_status = 200
        await s.tick(15)
        assert s.view.sources["prometheus/production"].ok
        assert s.view.graphs[0].series[0].last is not None


async def test_a_missing_value_is_not_zero(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.value = lambda query, _at: (
            None if "0.99" in query else float("nan") if "0.5," in query else 1.0
        )
        await s.open(run=False)
        await s.tick()
        last = {series.id: series.last for g in s.view.graphs for series in g.series}
        assert last == {"5xx": 1.0, "429": 1.0, "p50": None, "p95": 1.0, "p99": None, "rps": 1.0}


async def test_a_running_engine_samples_and_evaluates_by_itself(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open()
        await s.until(lambda v: v.graphs[0].series[0].last is not None and v.conditions[0].value is not None)
        await s.released()
        await s.until(lambda v: v.bake is not None and "WARMUP" in v.bake.why)


async def test_conditions_show_values_before_the_release_and_never_trip(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.5)
        await s.open(run=False)
        for _ in range(3):
            await s.tick(150)
        condition = s.view.condition("error-rate")
        assert condition is not None
        assert (condition.state, condition.value, condition.active) == (ConditionState.WARMUP, 0.5, False)
        assert not release_of(s.view, "production", s.clock.wall_us()).active


async def run_for(s: Stand, seconds: int, step: int = 15) -> None:
    for _ in range(seconds // step):
        await s.tick(step)


async def test_a_good_release_bakes_by_seconds_seen_good(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await s.tick()
        assert s.view.bake is not None
        assert s.view.bake.state == "stopped"
        assert "WARMUP" in s.view.bake.why
        await run_for(s, 120)
        assert s.view.bake.state == "running"
        before = s.view.bake.good_s
        assert 0 < before <= 60
        s.world.prometheus_status = 503
        await run_for(s, 60)
        assert s.view.bake.state == "stopped"
        assert s.view.bake.good_s == before
        s.world.prometheus_status = 200
        await run_for(s, 120)
        assert s.view.bake.state == "done"
        assert s.view.bake.good_s >= 120
        assert [e.body["outcome"] for e in s.events(BakeFinished.KIND)] == ["done"]


async def test_a_bake_goes_on_after_a_restart_and_stops_on_hold(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await run_for(s, 120)
        assert s.view.bake is not None
        before = s.view.bake.good_s
        await s.close()
        await s.open(run=False)
        await run_for(s, 30)
        assert s.view.bake.good_s > before
        ann = await s.attach("ann")
        assert (await ann.command("launch.hold", {"reason": "lunch"})).ok
        await s.tick()
        assert s.view.bake.why == "held by ann: lunch"
        await ann.close()


async def test_a_bad_release_breaches_trips_and_is_acknowledged(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        bad = [0.2]
        s.world.value = traffic(lambda _at: bad[0])
        await s.open(run=False)
        await s.released()
        await run_for(s, 150, 30)
        condition = s.view.condition("error-rate")
        assert condition is not None
        assert condition.state is ConditionState.BREACHING
        assert 0 < condition.elapsed_s < 240
        await run_for(s, 240, 30)
        condition = s.view.condition("error-rate")
        assert condition is not None
        assert condition.state is ConditionState.TRIPPED
        assert s.view.state is LaunchState.HELD
        assert s.view.hold is not None
        assert s.view.hold.by == "engine"
        assert s.view.bake is not None
        assert s.view.bake.state == "tripped"
        bad[0] = 0.0
        await run_for(s, 60)
        assert s.view.condition("error-rate").state is ConditionState.TRIPPED  # type: ignore[union-attr]  # latched
        ann = await s.attach("ann")
        assert (await ann.command("condition.acknowledge", {"condition": "error-rate"})).ok
        assert (await ann.command("launch.release", {"reason": "go on"})).ok
        await run_for(s, 60)
        assert s.view.condition("error-rate").state is ConditionState.OK  # type: ignore[union-attr]  # it is there
        assert s.view.bake.state == "running"
        await ann.close()


async def test_a_trip_that_asks_for_a_rollback_goes_through_the_command(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "rollback"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 420, 30)
        (refused,) = s.events(CommandRefused.KIND)  # nothing good was recorded: the way back is refused
        assert (refused.actor, text(refused.body, "command")) == ("engine", "operation.run")
        assert s.view.state is LaunchState.HELD


async def test_blind_for_too_long_holds_the_bake(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, blind_grace="45s")
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await run_for(s, 90)
        s.world.prometheus_status = 500
        await run_for(s, 30)
        condition = s.view.condition("error-rate")
        assert condition is not None
        assert condition.state is ConditionState.ERROR
        assert s.view.state is LaunchState.RUNNING
        await run_for(s, 45)
        assert s.view.hold is not None
        assert s.view.hold.reason.startswith("stop condition error-rate is blind for")
        assert len(s.events(LaunchHeld.KIND)) == 1
