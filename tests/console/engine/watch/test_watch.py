"""The watch after a release: mutes, countdowns, shadows, baselines, alerts, restarted pods, webhooks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from console.engine.watch.webhooks import Webhooks
from state.base.json import Json, JsonObject, text
from state.commands import Confirmation
from state.conditions.samples import read
from state.events.bake import ConditionSamples
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.events.world import AlertChanged, PodChanged, SourceChanged, WebhookSent
from state.view.enums import ConditionState, LaunchState
from state.view.launch import BakeView, ConditionView
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.stand import Stand, granted, stand
from tests.drafts import draft


def condition(s: Stand) -> ConditionView:
    found = s.view.condition("error-rate")
    assert found is not None
    return found


def bake(s: Stand) -> BakeView:
    assert s.view.bake is not None
    return s.view.bake


async def give(s: Stand, name: str, **args: str) -> str:
    ann = await s.attach("ann")
    if not any(c.id == ann.welcome.console and c.drives for c in s.view.consoles):
        await ann.command("console.take_over", {"reason": "the other one is gone"})
    preview = await ann.preview(name, args)
    reply = await ann.command(name, args, Confirmation(preview.phrase, preview.token))
    await ann.close()
    return reply.message if not reply.ok else ""


async def mute(s: Stand, minutes: str) -> None:
    ann = await s.attach("ann")
    if not any(c.id == ann.welcome.console and c.drives for c in s.view.consoles):
        await ann.command("console.take_over", {"reason": "the other one is gone"})
    args: JsonObject = {"condition": "error-rate", "reason": "load test", "minutes": minutes}
    await granted(s, ann, "condition.mute", args)
    preview = await ann.preview("condition.mute", args)
    reply = await ann.command("condition.mute", args, Confirmation(preview.phrase, preview.token))
    assert reply.ok, reply.message
    await ann.close()


async def test_an_acknowledged_trip_counts_from_the_acknowledgement(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 330)
        assert condition(s).state is ConditionState.TRIPPED
        assert not await give(s, "condition.acknowledge", condition="error-rate")
        await run_for(s, 180)
        assert condition(s).state is ConditionState.BREACHING
        await run_for(s, 60)
        assert condition(s).state is ConditionState.TRIPPED


async def test_a_mute_takes_power_and_no_memory(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 90)
        assert "1 to 30 minutes" in await give(
            s, "condition.mute", condition="error-rate", reason="load test", minutes="31"
        )
        await mute(s, "10")
        await run_for(s, 15)
        assert bake(s).why == "error-rate is MUTED"
        await run_for(s, 315)
        now = condition(s)
        assert now.state is ConditionState.MUTED
        assert "muted by ann" in now.reason
        assert "TRIPPED" in now.reason
        assert now.value == 0.2
        assert s.view.state is LaunchState.RUNNING
        assert any(
            "muted for 10 min, with eve (in the engine's process (eve)): load test" in d.what
            for d in s.view.deviations
        )
        await run_for(s, 330)
        assert condition(s).state is ConditionState.TRIPPED
        assert s.view.hold is not None


async def rolled_back(s: Stand, why_not: str = "") -> list[str]:
    """Let the engine's rollback succeed without a cluster, and note when it was asked for."""
    asked: list[str] = []
    trips = s.engine.conditions._trips

    async def rollback(name: str) -> bool:
        asked.append(name)
        if not why_not:
            await s.released("production.rollback")
        return not why_not

    async def may() -> str:
        return why_not

    trips._rollback, trips._may_rollback = rollback, may
    return asked


async def test_a_rollback_counts_down_in_sight(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "rollback", "rollback_after": "45s"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        asked = await rolled_back(s)
        await s.released()
        await run_for(s, 330)
        now = condition(s)
        assert now.state is ConditionState.TRIPPED
        assert now.rolls_back_us > s.clock.wall_us()
        assert asked == []
        await run_for(s, 45)
        assert asked == ["error-rate"]


async def test_one_key_holds_the_countdown(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "rollback", "rollback_after": "45s"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        asked = await rolled_back(s)
        await s.released()
        await run_for(s, 330)
        assert condition(s).rolls_back_us
        assert not await give(s, "launch.hold", reason="let me look")
        await run_for(s, 120)
        assert asked == []
        assert condition(s).rolls_back_us == 0
        assert condition(s).disarmed == "held by ann"


async def test_the_interlock_disarms_the_countdown(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "rollback"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await rolled_back(s, "production.migrate ran and is not declared backward compatible")
        await s.released()
        await run_for(s, 400)
        assert condition(s).rolls_back_us == 0
        assert "not declared backward compatible" in condition(s).disarmed
        assert s.view.hold is not None
        assert s.view.hold.reason == "stop condition error-rate tripped"


async def test_a_shadow_says_what_it_would_have_done(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="5m", **{"for": "4m", "on_trip": "hold", "shadow": True})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 400)
        assert condition(s).state is ConditionState.BREACHING
        assert condition(s).reason == "shadow: it would have tripped"
        assert s.view.state is LaunchState.RUNNING
        assert s.view.deviations == ()


@pytest.mark.parametrize("away_s", [45, 180, 1200])
async def test_an_outage_of_prometheus_holds_and_never_rolls_back(tmp_path: Path, away_s: int) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="rollback")
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        asked = await rolled_back(s)
        await s.released()
        await run_for(s, 90)
        s.world.prometheus_status = 503
        await run_for(s, away_s)
        assert condition(s).state is ConditionState.ERROR
        assert (s.view.state is LaunchState.HELD) is (away_s > 120)
        s.world.prometheus_status = 200
        await run_for(s, 30)
        assert condition(s).state is ConditionState.OK
        assert asked == []


async def test_killed_at_minute_3_and_back_at_minute_4_trips_at_minute_5(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="hold")
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await run_for(s, 60 + 180)
        await s.close()
        await s.clock.advance(60)
        await s.open(run=False)
        await s.tick()
        assert condition(s).state is ConditionState.BREACHING
        await run_for(s, 75)  # to the next of the times that are multiples of the interval
        assert condition(s).state is ConditionState.TRIPPED
        assert condition(s).elapsed_s == 300


@pytest.mark.parametrize("held", [True, False])
async def test_it_trips_on_hold_as_it_would_without(tmp_path: Path, held: bool) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="ask")
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        if held:
            assert not await give(s, "launch.hold", reason="lunch")
        await run_for(s, 390)
        assert condition(s).state is ConditionState.TRIPPED


async def test_what_conditions_were_judged_by_is_recorded_once_and_small(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        rate = "sum(rate(ingress_total[1m]))"
        second = {"bad": 'sum(rate(ingress_total{status=~"5.."}[1m]))', "total": rate}
        change(s, second=second, baseline={"offset": "1d"})
        s.world.value = traffic(lambda at: 0.25 if at % 30 else 0.5)
        await s.open(run=False)
        await s.released()
        await run_for(s, 120)
        events = s.events(ConditionSamples.KIND)
        times = [e.body["at_us"] for e in events]
        assert len(set(times)) == len(times) >= 8
        told = read(text(events[-1].body, "values"))["error-rate"]
        assert (told.ratio, told.relative, told.second is not None) == (True, True, True)
        assert told.baseline == pytest.approx(0.375, rel=0.05)
        assert len(text(events[-1].body, "values")) < 100


def pod_body(restarts: int, ready: int = 1, phase: str = "Running") -> dict[str, Json]:
    words = {"app": "backend", "image": "i", "digest": "", "node": "n", "reason": "", "phase": phase}
    return {
        "env": "production", "name": "backend-1", "ready": ready, "containers": 1, "restarts": restarts,
        "created_us": 1, **words,
    }  # fmt: skip


def alert_body(name: str, state: str = "firing") -> dict[str, Json]:
    words = {"alert": "HighErrorRate", "severity": "critical", "summary": "many errors"}
    return {"env": "production", "name": name, "state": state, "since_us": 1, **words}


async def test_restarts_unready_pods_and_new_alerts_stop_the_bake(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        record = s.engine.journal.record

        async def after(kind: str, body: dict[str, Json], seconds: int = 15) -> str:
            await record(draft(kind, body))
            await run_for(s, seconds)
            return bake(s).why

        await record(draft(AlertChanged.KIND, alert_body("old")))
        await record(draft(PodChanged.KIND, pod_body(0)))
        await s.released()
        await run_for(s, 90)
        assert bake(s).why == ""
        assert "HighErrorRate fires" in await after(AlertChanged.KIND, alert_body("new"))
        assert await after(AlertChanged.KIND, alert_body("new", "silenced")) == ""
        assert "not ready: backend-1" in await after(PodChanged.KIND, pod_body(0, ready=0))
        killed = await after(PodChanged.KIND, pod_body(1, ready=0, phase="OOMKilled"))
        assert killed == "pod backend-1 restarted (OOMKilled)"
        assert "restarted" in await after(PodChanged.KIND, pod_body(1))
        assert (
            await after(PodChanged.KIND, pod_body(1), 300) == "5 min are over and 0 of 2 min were seen good: "
            "extend the bake, finish it, or roll back"
        )
        good = bake(s).good_s
        assert not await give(s, "bake.extend", minutes="30", reason="one restart is explained")
        await run_for(s, 30)
        assert bake(s).good_s > good
        assert not await give(s, "bake.finish", reason="enough")
        assert bake(s).state == "finished"
        assert any("bake finished after" in d.what for d in s.view.deviations)
        await run_for(s, 30)
        assert bake(s).state == "finished"


def monitors(reason: str) -> Draft:
    body: dict[str, Json] = {"name": "monitors/production", "ok": not reason, "reason": reason}
    return draft(SourceChanged.KIND, body)


async def test_monitors_that_cannot_be_trusted_stop_the_bake_and_hold(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, on_trip="rollback")
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        asked = await rolled_back(s)
        await s.released()
        await run_for(s, 90)
        assert condition(s).state is ConditionState.OK
        good = bake(s).good_s
        await s.engine.journal.record(monitors("1 scrape target is down: backend-1"))
        await run_for(s, 60)
        assert condition(s).state is ConditionState.ERROR
        assert condition(s).reason == "the monitors can't be trusted: 1 scrape target is down: backend-1"
        assert (bake(s).state, bake(s).good_s) == ("stopped", good)
        await run_for(s, 75)
        assert s.view.hold is not None
        assert "is blind for" in s.view.hold.reason
        await s.engine.journal.record(monitors(""))
        await run_for(s, 15)
        assert condition(s).state is ConditionState.OK
        assert asked == []


async def test_a_breach_is_one_even_where_the_monitors_are_in_doubt(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "ask"})
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        await s.released()
        await s.engine.journal.record(monitors("1 scrape target is down: backend-1"))
        await run_for(s, 120)
        assert condition(s).state is ConditionState.BREACHING
        await run_for(s, 210)
        assert condition(s).state is ConditionState.TRIPPED


async def test_it_trips_while_an_attestation_is_waited_for(tmp_path: Path) -> None:
    """Item 9.4 has its checks and waits for a person's word: evaluation goes on, and the trip holds at its time."""
    async with stand(tmp_path) as s:
        change(s, on_trip="hold")
        bad = [0.0]
        s.world.value = traffic(lambda _at: bad[0])
        await s.open(run=False)
        await s.released()
        await run_for(s, 240)
        asked = s.view.item("9.4")
        assert asked is not None
        assert asked.question is not None
        assert asked.attestation is None
        ann = await s.attach("ann")
        preview = await ann.preview("attest.sign", {"item": "9.4", "verdict": "GO"})  # the dialog is open
        assert preview.allowed, preview.reason
        bad[0] = 0.2
        await run_for(s, 315)
        assert condition(s).state is ConditionState.TRIPPED
        assert condition(s).elapsed_s == 300
        assert s.view.hold is not None
        assert s.view.hold.by == "engine"
        waits = s.view.item("9.4")
        assert waits is not None
        assert waits.attestation is None
        await ann.close()


class Channel:
    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[str] = []
        self.done = asyncio.Event()

    async def post(self, request: web.Request) -> web.Response:
        self.got.append((await request.json())["text"])
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


async def serve(channel: Channel) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_post("/{secret}", channel.post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/T000SECRET"


@pytest.mark.parametrize(
    ("answers", "ok", "attempts"),
    [((), True, 1), ((500, 429), True, 3), ((404,), False, 1), ((500,) * 9, False, 4)],
)
async def test_a_webhook_is_tried_again_and_recorded_without_its_address(
    tmp_path: Path, answers: tuple[int, ...], ok: bool, attempts: int
) -> None:
    channel = Channel(*answers)
    runner, url = await serve(channel)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        s.runbook.write_text(yaml.safe_dump({**data, "webhooks": [url]}))
        await s.open(run=False)
        telling = asyncio.create_task(Webhooks(s.engine.journal, s.engine.loaded.runbook, pause).run())
        await asyncio.sleep(0)
        await s.engine.journal.record(Draft(LaunchHeld("smoke"), actor="ann"))
        async with asyncio.timeout(10):
            await s.engine.journal.until(lambda _v: bool(s.events(WebhookSent.KIND)))
        telling.cancel()
        (event,) = s.events(WebhookSent.KIND)
        assert (event.body["ok"], event.body["attempts"]) == (ok, attempts)
        assert "SECRET" not in str(event.body)
        assert "smoke" in channel.got[0]
    await runner.cleanup()
