"""The monitors of a rehearsed world, watched by an engine: targets that are down, an outage, dead rules, silences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from console.engine.engine import Engine
from console.rehearsal.dotmac.alert_rules import rules
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.world.fault import answering
from console.rehearsal.world.world import World
from state.events.world import AlertGone
from state.view.enums import ConditionState
from state.view.launch import AlertView, SourceView
from tests.console.rehearsal.worlds import running


@dataclass(slots=True)
class Launch:
    """An engine on a world; nothing of it runs by itself."""

    world: World
    engine: Engine

    async def look(self, seconds: float = 0) -> SourceView | None:
        """Let time pass and look at the monitors twice, as the engine does by itself."""
        await self.world.clock.sleep(seconds)
        await self.engine.monitors.tick()
        await self.engine.monitors.tick()
        return self.source("monitors")

    def source(self, name: str) -> SourceView | None:
        return self.engine.journal.view.sources.get(f"{name}/production")

    async def reasons(self) -> set[str]:
        await self.engine.conditions.tick()
        return {c.reason for c in self.engine.journal.view.conditions}

    async def silences(self) -> list[AlertView]:
        await self.engine.alerts.tick()
        return [a for a in self.engine.journal.view.alerts.values() if a.state == "silence"]


@asynccontextmanager
async def launch(folder: Path) -> AsyncIterator[Launch]:
    async with running(folder / "world") as world:
        engine = await Engine.open(world.runbook_path, folder / "a.lclog", world.clock, account="ann")
        try:
            yield Launch(world, engine)
        finally:
            await engine.close()


async def test_what_is_wrong_with_the_monitors_is_told_and_no_condition_is_ok(tmp_path: Path) -> None:
    async with launch(tmp_path) as one:
        first = await one.look(30)
        assert first is not None
        assert (first.ok, first.reason) == (True, "")
        assert await one.reasons() == {f"armed after the deploy (currently {ConditionState.OK})"}

        base = one.world.product(Dotmac).reconciler.base
        well = base[Env.PRODUCTION]
        base[Env.PRODUCTION] = replace(well, scraped=False)
        one.world.product(Dotmac).reconciler.step()  # at once, however late a busy machine comes to it
        await one.world.clock.sleep(20)
        await one.engine.monitors.tick()
        assert one.source("monitors").ok  # type: ignore[union-attr]  # a single look may meet a pod that starts
        down = await one.look()
        assert down is not None
        assert "scrape targets are down" in down.reason
        reasons = await one.reasons()
        # One refused login among some eighty a minute is above a hundredth: a breach that is seen stays one.
        doubted = {reason for reason in reasons if "BREACHING" not in reason}
        assert doubted
        assert all("ERROR: the monitors can't be trusted: " in reason for reason in doubted), reasons

        base[Env.PRODUCTION] = well
        one.world.product(Dotmac).reconciler.step()
        assert (await one.look(45)).ok  # type: ignore[union-attr]  # it was told above

        one.world.prometheus.hooks.append(answering(503, "service unavailable"))
        gone = await one.look()
        assert gone is not None
        assert "503" in gone.reason
        lines = [
            e.body["ok"] for e in one.engine.store.read(0) if e.body.get("name") == "monitors/production"
        ]
        assert lines == [True, False, True, False]


async def test_rules_that_can_never_fire_and_silences_are_told(tmp_path: Path) -> None:
    async with launch(tmp_path) as one:
        await one.look(20)
        assert one.source("alert rules").ok  # type: ignore[union-attr]  # looked at above
        dead = AlertRule("ApiDown", "sum(rate(http_requests_total[5m])) > 0.05", 300)
        one.world.prometheus.set_rules([*rules(), dead])
        await one.look(1)
        assert one.source("alert rules").ok  # type: ignore[union-attr]  # looked at not that often
        one.engine.monitors._rules_us = 0  # five minutes later
        found = await one.look() and one.source("alert rules")
        assert found is not None
        assert (found.ok, found.reason) == (False, "ApiDown asks for http_requests_total")

        assert await one.silences() == []
        (ends_us, url) = one.world.clock.wall_us() + 60_000_000, one.world.describe()["alertmanager"]
        body = {
            "matchers": [{"name": "alertname", "value": "High.*", "isRegex": True}],
            "startsAt": _stamp(ends_us - 61_000_000),
            "endsAt": _stamp(ends_us),
            "createdBy": "ann",
            "comment": "known",
        }
        async with httpx.AsyncClient() as client:
            (await client.post(f"{url}/api/v2/silences", json=body)).raise_for_status()
        (silence,) = await one.silences()
        assert silence.alert == "alertname=~High.*"
        assert silence.summary == f"by ann until {_stamp(ends_us)[:16].replace('T', ' ')}Z: known"
        await one.world.clock.sleep(70)
        assert await one.silences() == []
        assert [e.kind for e in one.engine.store.read(0) if e.kind == AlertGone.KIND]


def _stamp(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
