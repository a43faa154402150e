"""Promoting after a trip, while held, and a candidate that was rolled back: refused, or opened by two people who act.

A whole engine on a rehearsed world with the stand-in for helm, driven through the real socket where two accounts can
be had on this machine, and through the engine's own process where they can't.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient
from console.engine.engine import Engine
from console.engine.process.socket_server import account_of
from console.rehearsal.world.runbook import SECOND
from console.rehearsal.world.world import World
from screens.kit.screen_state import ScreenState
from screens.sections.banner import notices
from state.base.json import Json, JsonObject, integer
from state.base.times import clock
from state.commands import Confirmation, Reply
from state.events.bake import ConditionChanged
from state.events.event import Draft
from state.view.enums import ConditionState, OperationState, RequestState
from state.view.launch import LaunchView, OperationView
from state.view.preview import Preview
from tests.console.engine.commands.test_requests import attach_as, served
from tests.console.engine.operations.stand import _without_alerts
from tests.console.engine.stand import Stand as Engines
from tests.console.rehearsal.worlds import running

pytestmark = pytest.mark.timeout(240)
WITHIN_S = 120
QUICK, SLOW = 150.0, 2.0
OTHER = "daemon"
DEPLOY: JsonObject = {"operation": "production.deploy"}
BACK: JsonObject = {"operation": "production.rollback"}


@dataclass
class Promoting:
    """A captain and another person, each with a console of their own account."""

    engine: Engine
    captain: EngineClient
    other: EngineClient
    world: World

    @property
    def view(self) -> LaunchView:
        return self.engine.journal.view

    async def shown(self, args: JsonObject = DEPLOY) -> Preview:
        return await self.captain.preview("operation.run", args)

    async def run(self, args: JsonObject = DEPLOY) -> Reply:
        preview = await self.shown(args)
        return await self.captain.command("operation.run", args, Confirmation(preview.phrase, preview.token))

    async def request(self, reason: str) -> int:
        preview = await self.shown()
        wanted: JsonObject = {"command": "operation.run", "args": DEPLOY, "reason": reason}
        reply = await self.captain.command("request.make", wanted, Confirmation(token=preview.token))
        assert reply.ok, reply.message
        return integer(reply.result, "request")

    async def grant(self, seq: int, by: EngineClient | None = None) -> Reply:
        client = by or self.other
        args: JsonObject = {"request": str(seq)}
        preview = await client.preview("request.grant", args)
        return await client.command("request.grant", args, Confirmation(preview.phrase, preview.token))

    async def two(self, reason: str) -> OperationView:
        """Promote as two people do; return the operation when it has ended."""
        seq = await self.request(reason)
        granted = await self.grant(seq)
        assert granted.ok, granted.message
        reply = await self.run()
        assert reply.ok, reply.message
        return await self.ended()

    async def ended(self) -> OperationView:
        with self.quickly():
            async with asyncio.timeout(WITHIN_S):
                view = await self.engine.journal.until(lambda known: known.running() is None)
        return view.operations[-1]

    @contextmanager
    def quickly(self) -> Iterator[None]:
        """Let time run; while people decide it goes slowly, or requests would expire on a busy machine."""
        self.world.clock.set_rate(QUICK)
        try:
            yield
        finally:
            self.world.clock.set_rate(SLOW)

    async def trip(self) -> int:
        """Let the error rate trip as the engine would say it; return when."""
        now_us = self.engine.journal.clock.wall_us()
        body = ConditionChanged(
            id="error-rate",
            state=ConditionState.TRIPPED,
            value=0.31,
            elapsed_s=300,
            since_us=now_us,
            reason="",
            at_us=now_us,
            active=True,
            release=next(o.seq for o in reversed(self.view.operations) if o.kind == "deploy"),
        )
        return (await self.engine.journal.record(Draft(body))).wall_us

    def told(self) -> list[str]:
        now_us = self.engine.journal.clock.wall_us()
        return [one.text for one in notices(ScreenState(self.view, now_us))]


@asynccontextmanager
async def promoting(folder: Path) -> AsyncIterator[Promoting]:
    async with running(folder / "world", rate=SLOW) as world:
        book = world.runbook_path.read_text()
        world.runbook_path.write_text(book.replace(SECOND, OTHER))
        _without_alerts(world)
        engine = await Engine.open(world.runbook_path, folder / "a.lclog", world.clock, account="root")
        stand = Engines.__new__(Engines)
        stand.engine = engine
        try:
            if os.geteuid() == 0:
                async with served(stand) as path:
                    captain = await attach_as(path, 0)
                    other = await attach_as(path, pwd.getpwnam(OTHER).pw_uid)
                    yield Promoting(engine, captain, other, world)
                    await captain.close()
                    await other.close()
            else:
                clients = [
                    EngineClient(engine.connect(name, f"socket peer ({name})"), patience_s=None)
                    for name in (account_of(os.getuid()), OTHER)
                ]
                for client in clients:
                    await client.open()
                captain, other = clients
                yield Promoting(engine, captain, other, world)
        finally:
            await engine.close()


def lines(preview: Preview, word: str) -> list[str]:
    return [one for one in preview.against if word in one]


async def test_what_an_earlier_release_did_stands_against_the_next_and_two_people_open_it(
    tmp_path: Path,
) -> None:
    async with promoting(tmp_path) as p:
        alone = await p.run()
        assert "a second person can open it, request it first" in alone.message
        first = await p.two("the gates are another test's subject")
        assert first.state is OperationState.SUCCEEDED
        assert lines(await p.shown(), "tripped") == []

        # after a trip
        at_us = await p.trip()
        told = f"tripped and not acknowledged: HTTP 5xx share at {clock(at_us, seconds=False)}"
        assert lines(await p.shown(), "tripped") == [told]
        assert told in (await p.run()).message

        # while held: nobody opens that, the way back is open
        assert (await p.captain.command("launch.hold", {"reason": "look at it"})).ok
        held = await p.shown()
        assert (held.allowed, held.override_allowed) == (False, False)
        assert held.reason == "the launch is held (look at it): release the hold first (h)"
        assert not (await p.run()).ok
        asked: dict[str, Json] = {"command": "operation.run", "args": DEPLOY, "reason": "now"}
        assert not (await p.captain.command("request.make", asked, Confirmation())).ok
        back = await p.run(BACK)
        assert back.ok, back.message
        assert (await p.ended()).state is OperationState.SUCCEEDED
        assert (await p.captain.command("launch.release", {"reason": "it is back"})).ok
        (rolled,) = [one for one in p.told() if "ROLLED BACK" in one]
        assert rolled.startswith("! ROLLED BACK to revision ")
        assert f"tripped HTTP 5xx share at {clock(at_us, seconds=False)} (on v1." in rolled

        # the candidate that was rolled back, acknowledged or not
        named = f"this candidate tripped HTTP 5xx share at {clock(at_us, seconds=False)} and was rolled back"
        assert lines(await p.shown(), "tripped") == [told, named]
        ack: JsonObject = {"condition": "error-rate", "comment": "the cache was cold"}
        assert (await p.captain.command("condition.acknowledge", ack)).ok
        assert lines(await p.shown(), "tripped") == [named]
        assert named in (await p.run()).message
        second = await p.two("the cache is warm now")
        assert second.state is OperationState.SUCCEEDED
        intent = next(e for e in p.engine.store.read(second.seq - 1, 1))
        override = intent.body["override"]
        assert isinstance(override, dict)
        assert override["reason"] == "the cache is warm now"
        assert str(override["second"]).startswith(f"{OTHER} (socket peer ")
        assert named in str(override["over"])
        used = p.view.request(integer(override, "request"))
        assert used is not None
        assert used.state is RequestState.USED
        deviation = next(d for d in p.view.deviations if d.seq == second.seq)
        assert deviation.who == account_of(os.getuid())
        assert f"overridden with {OTHER} (socket peer" in deviation.what

        # live again, and judged anew
        assert any(one.startswith("! LIVE AGAIN since") and named in one for one in p.told())
        assert not any("ROLLED BACK" in one for one in p.told())
        condition = p.view.condition("error-rate")
        assert condition is not None
        assert (condition.state, condition.release) == (ConditionState.WARMUP, second.seq)
        with p.quickly():
            await p.engine.journal.clock.sleep(900)
        again_us = await p.trip()
        assert [t.release for t in p.view.trips] == [first.seq, second.seq]
        assert p.told()[0].startswith(
            f"✖ TRIPPED HTTP 5xx share over 1.00 % at {clock(again_us, seconds=False)}"
        )
        assert len(lines(await p.shown(), "tripped and not acknowledged")) == 1


async def test_what_was_granted_is_granted_no_longer_once_something_else_stands_against_it(
    tmp_path: Path,
) -> None:
    async with promoting(tmp_path) as p:
        seq = await p.request("only the gates are open")
        assert not (await p.grant(seq, p.captain)).ok
        assert (await p.grant(seq)).ok
        assert (await p.shown()).request == seq
        await p.engine.journal.record(
            Draft(
                ConditionChanged(
                    id="error-rate",
                    state=ConditionState.TRIPPED,
                    value=0.31,
                    elapsed_s=300,
                    since_us=1,
                    reason="",
                    at_us=1,
                    active=True,
                )
            )
        )
        refused = await p.run()
        assert not refused.ok
        assert (
            f"request #{seq} was granted for something else: since then this stands against it too: tripped"
            in (refused.message)
        )
        assert p.view.operations == ()
