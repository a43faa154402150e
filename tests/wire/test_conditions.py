"""Stop conditions against a real Prometheus that scrapes a toy service, in real time with a scaled ``for``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

import tests.console.engine.kinds  # noqa: F401  registers the kinds that the runbook names
from console.engine.engine import Engine
from state.base.clock import SECOND_US, SystemClock
from state.base.json import Json
from state.events.bake import ConditionSamples
from state.events.event import Event
from state.events.operations import OperationFinished, OperationIntended
from state.view.enums import ConditionState
from state.view.launch import ConditionView, LaunchView
from tests.console.engine.outside import Outside, outside, write_runbook
from tests.drafts import draft
from tests.wire.programs import SCRAPE_S, Server, Toy, prometheus

pytestmark = [pytest.mark.wire, pytest.mark.needs("prometheus")]

FOR_S, STEP_S, SLACK_S = 8, 1, 1.0
"""The slack is what a busy machine takes to ask and to answer."""
ERRORS: dict[str, Json] = {
    "id": "errors",
    "title": "errors",
    "bad": 'sum(rate(toy_requests_total{code="500"}[2s]))',
    "total": "sum(rate(toy_requests_total[2s]))",
    "threshold": "1%",
    "min_events": 20,
    "on_trip": "rollback",
}
LATENCY: dict[str, Json] = {
    "id": "latency", "title": "latency", "value": "max(toy_latency_seconds)", "unit": "seconds",
    "threshold": "500ms", "on_trip": "hold",
}  # fmt: skip
SHARED: dict[str, Json] = {
    "for": FOR_S, "window": 2, "scrape": "500ms", "warmup": 1, "max_age": 3, "blind_grace": 2,
}  # fmt: skip

MONITORS: dict[str, Json] = {
    "up": 'up{job="toy"}', "canary": "sum(rate(toy_requests_total[4s]))", "every": 1, "max_age": 3,
    "counters": ['toy_requests_total{code="200"}'], "scrape": "500ms", "span": 30,
}  # fmt: skip


class Site:
    def __init__(self, folder: Path, kube: Outside, toy: Toy, server: Server) -> None:
        self.folder, self.kube, self.toy, self.server = folder, kube, toy, server
        data = yaml.safe_load(write_runbook(folder, kube.url).read_text())
        for env in data["environments"].values():
            env["prometheus"] = {"url": server.url, "timeout": 1}
            env["alertmanager"] = {"url": server.url, "timeout": 1}
        data["conditions"] = [{**ERRORS, **SHARED}, {**LATENCY, **SHARED}]
        data["graphs"], data["bake"] = [], {"interval": STEP_S, "monitors": MONITORS}
        self.runbook = folder / "wire.yaml"
        self.runbook.write_text(yaml.safe_dump(data))


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    toy = Toy()
    server = prometheus(folder, toy)
    async with outside() as kube:
        await toy.start()
        try:
            await server.start()
            yield Site(folder, kube, toy, server)
        finally:
            server.kill()
            await toy.die()


class Run:
    """An engine in real time."""

    def __init__(self, site: Site, name: str) -> None:
        self._site, self._log = site, site.folder / f"{name}.lclog"

    async def open(self) -> None:
        self.engine = await Engine.open(self._site.runbook, self._log, SystemClock(), account="ann")
        self._running = asyncio.create_task(self.engine.run())

    async def close(self) -> None:
        self.engine.stop("over")
        await self._running
        await self.engine.close()

    async def released(self) -> None:
        texts = dict.fromkeys(("title", "from", "to"), "x")
        body: dict[str, Json] = {
            "id": "production.deploy", "kind": "deploy", "env": "production", "commands": [], "timeout_s": 9, **texts,
        }  # fmt: skip
        intended = await self.engine.journal.record(draft(OperationIntended.KIND, body, "g09", actor="ann"))
        done: dict[str, Json] = {
            "id": "production.deploy",
            "state": "succeeded",
            "verdict": "ok",
            "revision": 2,
        }
        await self.engine.journal.record(draft(OperationFinished.KIND, done, "g09", intended.seq))

    def events(self, kind: str) -> list[Event]:
        found, after = [], 0
        while chunk := self.engine.store.read(after):
            found += [event for event in chunk if event.kind == kind]
            after = chunk[-1].seq
        return found

    @property
    def view(self) -> LaunchView:
        return self.engine.journal.view

    def condition(self, name: str = "errors") -> ConditionView:
        found = self.view.condition(name)
        assert found is not None
        return found

    async def until(
        self, true: Callable[[ConditionView], bool], within: float, name: str = "errors"
    ) -> float:
        """Return when a condition became so, in seconds of the machine's clock."""
        async with asyncio.timeout(within):
            await self.engine.journal.until(lambda _v: true(self.condition(name)))
        return time.time()


def is_in(state: ConditionState) -> Callable[[ConditionView], bool]:
    return lambda condition: condition.state is state


async def calm(run: Run) -> None:
    await run.open()
    await run.released()
    await run.until(is_in(ConditionState.OK), 15)


async def test_a_breach_trips_when_for_is_over_also_with_an_engine_that_was_away(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        there, away = Run(s, "there"), Run(s, "away")
        await asyncio.gather(calm(there), calm(away))
        s.toy.switch(errors=0.5, latency=0.9)
        broke = time.time()

        async def leave() -> None:
            await asyncio.sleep(FOR_S / 4)
            await away.close()
            await asyncio.sleep(FOR_S / 4)
            await away.open()

        limit = FOR_S + STEP_S + SCRAPE_S + SLACK_S
        leaving = asyncio.create_task(leave())
        tripped = await there.until(is_in(ConditionState.TRIPPED), limit + 10)
        await leaving
        back = await away.until(is_in(ConditionState.TRIPPED), 10)
        assert FOR_S <= tripped - broke <= limit
        assert abs(back - tripped) <= STEP_S + SLACK_S
        assert abs(away.condition().since_us - there.condition().since_us) <= STEP_S * SECOND_US
        await there.until(is_in(ConditionState.TRIPPED), 3, "latency")
        await there.until(lambda c: bool(c.rolls_back_us or c.disarmed), 3)
        await asyncio.gather(there.close(), away.close())


async def test_a_breach_that_was_over_before_the_engine_came_back_trips_at_its_start(tmp_path: Path) -> None:
    """Nobody looked for the whole of it, and for two windows after it."""
    async with site(tmp_path) as s:
        run = Run(s, "slept")
        await calm(run)
        await run.close()
        broke = time.time()
        s.toy.switch(errors=0.5)
        await asyncio.sleep(FOR_S + 4)
        s.toy.switch(errors=0.0)
        await asyncio.sleep(FOR_S + 10)
        await run.open()
        await run.until(is_in(ConditionState.TRIPPED), 5)
        assert abs(run.condition().since_us / SECOND_US - broke) <= 2 + 2 * STEP_S
        assert run.condition().value == 0.0
        times = {int(str(e.body["at_us"])) // SECOND_US for e in run.events(ConditionSamples.KIND)}
        assert set(range(min(times), max(times) + 1, STEP_S)) == times  # what was slept can be judged again
        await run.close()


async def test_a_condition_that_asks_for_a_label_that_is_not_there_is_blind(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["conditions"][0] |= {
            "bad": 'sum(rate(toy_requests_total{status="500"}[2s]))', "bad_absent_is_zero": True,
        }  # fmt: skip
        s.runbook.write_text(yaml.safe_dump(data))
        run = Run(s, "a")
        s.toy.switch(errors=0.3)
        await run.open()
        await run.released()
        words = "it could never trip: bad asks toy_requests_total for the label status"
        await run.until(lambda c: c.state is ConditionState.ERROR and words in c.reason, 20)
        assert run.view.bake is not None
        assert run.view.bake.good_s == 0
        await run.close()


async def test_a_short_outage_of_the_service_does_not_trip(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        run = Run(s, "a")
        await calm(run)
        s.toy.switch(errors=0.5)
        await run.until(is_in(ConditionState.BREACHING), 6)
        await asyncio.sleep(2)
        s.toy.switch(errors=0.0)
        await run.until(is_in(ConditionState.OK), 6)
        s.toy.switch(silent=True)
        await run.until(is_in(ConditionState.NO_TRAFFIC), 6)
        assert not any(c.tripped_us for c in run.view.conditions)
        await run.close()


async def test_a_killed_prometheus_is_blind_holds_and_never_rolls_back(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        run = Run(s, "a")
        await calm(run)
        s.server.kill()
        await run.until(lambda c: c.state is ConditionState.ERROR, 6)
        async with asyncio.timeout(8):
            await run.engine.journal.until(lambda v: v.hold is not None)
        assert run.view.hold is not None
        assert "is blind for" in run.view.hold.reason
        await s.server.start()
        await run.until(is_in(ConditionState.OK), 10)
        assert not [o for o in run.view.operations if o.kind == "rollback"]
        assert not any(c.tripped_us or c.rolls_back_us for c in run.view.conditions)
        await run.close()


async def test_a_dead_target_is_blind_and_not_green(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        run = Run(s, "a")
        await calm(run)
        await s.toy.die()
        await run.until(lambda c: c.state.blind, 6)
        await asyncio.sleep(3)
        assert run.condition().state.blind
        assert run.condition("latency").state.blind
        monitors = run.view.sources["monitors/production"]
        assert not monitors.ok
        assert "1 scrape target is down" in monitors.reason
        assert run.view.bake is not None
        assert run.view.bake.state == "stopped"
        await run.close()
