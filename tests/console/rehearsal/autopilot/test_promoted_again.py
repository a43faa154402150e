"""A candidate that tripped is promoted again without a screen: two people open it, and it trips as the first did."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient
from console.engine.engine import Engine
from console.rehearsal.autopilot.captain import Captain, Outcome, Pace
from console.rehearsal.autopilot.second import HOW_KNOWN, WORD, Second
from console.rehearsal.world.runbook import SECOND, account
from screens.kit.screen_state import ScreenState
from screens.sections.banner import notices
from state.base.json import JsonObject
from state.base.times import SECOND_US, clock
from state.events.event import Event
from state.events.requests import RequestGranted
from state.view.enums import BakeState
from state.view.launch import LaunchView, TripView
from tests.console.rehearsal.worlds import running

pytestmark = pytest.mark.timeout(500)
DEPLOY: JsonObject = {"operation": "production.deploy"}
WITHIN_S = 200


class Headless:
    """A captain that drives itself, on an engine of the test's own."""

    def __init__(self, engine: Engine, client: EngineClient) -> None:
        self.engine, self.client = engine, client
        self.captain = Captain(client, Pace(40.0, 120.0))

    @property
    def view(self) -> LaunchView:
        return self.client.view

    async def promote(self) -> int:
        """Promote the candidate as the captain does it, and return the release once it has ended."""
        before = len(self.view.operations)
        reply = await self.captain._danger("operation.run", DEPLOY)
        assert reply.ok, reply.message
        async with asyncio.timeout(WITHIN_S):
            view = await self.client.until(lambda v: len(v.operations) > before and v.running() is None)
        return view.operations[-1].seq

    async def tripped(self, release: int) -> TripView:
        """Watch a release until it trips."""
        await self.captain._rate(120)
        async with asyncio.timeout(WITHIN_S):
            view = await self.client.until(lambda v: any(t.release == release for t in v.trips))
        await self.captain._rate(40)
        return next(t for t in view.trips if t.release == release)

    def told(self) -> list[str]:
        return [one.text for one in notices(ScreenState(self.view, self.view.wall_us))]


def every(engine: Engine) -> list[Event]:
    found: list[Event] = []
    while page := engine.store.read(found[-1].seq if found else 0):
        found += page
    return found


async def test_the_second_promotion_takes_two_people_and_trips_again(tmp_path: Path) -> None:
    async with running(tmp_path / "world", "bad-candidate", rate=40) as world:
        engine = await Engine.open(world.runbook_path, tmp_path / "a.lclog", world.clock, account=account())
        tasks = [asyncio.create_task(engine.run()), asyncio.create_task(Second(engine).run())]
        client = EngineClient(engine.connect(account(), "rehearsal"), patience_s=None)
        await client.open()
        try:
            one = Headless(engine, client)
            first = await one.promote()
            trip = await one.tripped(first)
            assert any(text.startswith("✖ TRIPPED") for text in one.told())
            assert await one.captain._roll_back() is Outcome.ROLLED_BACK
            words = f"tripped {trip.title} at {clock(trip.at_us, seconds=False)}"
            assert any(text.startswith("! ROLLED BACK") and words in text for text in one.told())

            preview = await client.preview("operation.run", DEPLOY)
            assert any("and was rolled back" in line and words in line for line in preview.against)
            second = await one.promote()
            again = await one.tripped(second)
            told = one.told()
            assert told[0].startswith("✖ TRIPPED")
            assert clock(again.at_us, seconds=False) in told[0]
            assert not any("ROLLED BACK" in text for text in told)
            assert again.at_us - one.view.operations[-1].intended_us < 1800 * SECOND_US
            assert one.view.bake is not None
            await client.until(lambda v: v.bake is not None and v.bake.state is BakeState.TRIPPED)

            granted = [e for e in every(engine) if e.kind == RequestGranted.KIND]
            assert len(granted) == 2
            assert {(e.actor, e.body["how_known"], e.body["comment"]) for e in granted} == {
                (SECOND, HOW_KNOWN, WORD)
            }
            overrides = [
                d for d in one.view.deviations if f"overridden with {SECOND} ({HOW_KNOWN})" in d.what
            ]
            assert [d.seq for d in overrides] == [first, second]
            assert {d.who for d in overrides} == {account()}
            assert await one.captain._roll_back() is Outcome.ROLLED_BACK
        finally:
            await client.close()
            engine.stop("the test is over")
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.close()
