"""An engine for tests: a real log, a small outside world, a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import tests.console.engine.kinds  # noqa: F401  registers the kinds that the runbook names
from console.client.engine_client import EngineClient
from console.engine.engine import Engine
from console.engine.watch.source_health import GRACE_S
from state.base.frozen import remake
from state.base.json import Json, JsonObject, integer
from state.commands import Confirmation
from state.events.event import Draft, Event
from state.events.operations import OperationFinished, OperationIntended
from state.events.world import PodChanged, SourceChanged
from state.view.launch import LaunchView
from state.view.pods import observe
from tests.clocks import ManualClock
from tests.console.engine.outside import Outside, outside, pod, write_runbook
from tests.drafts import draft

REAL_S = 15.0


class Stand:
    """What a test holds on to."""

    def __init__(self, folder: Path, world: Outside, clock: ManualClock) -> None:
        self.folder, self.world, self.clock = folder, world, clock
        self.runbook = write_runbook(folder, world.url)
        self.log = folder / "a.lclog"
        self.engine: Engine
        self._running: asyncio.Task[object] | None = None

    async def open(self, *, run: bool = True, grace_s: float = GRACE_S) -> Engine:
        self.engine = await Engine.open(self.runbook, self.log, self.clock, account="ann", grace_s=grace_s)
        if run:
            self._running = asyncio.create_task(self.engine.run())
            await asyncio.sleep(0)
        return self.engine

    async def close(self) -> None:
        self.engine.stop("the test is over")
        if self._running is not None:
            await self._running
            self._running = None
        await self.engine.close()

    async def attach(self, account: str) -> EngineClient:
        client = EngineClient(self.engine.connect(account))
        await client.open("tty1")
        return client

    @property
    def view(self) -> LaunchView:
        return self.engine.journal.view

    async def until(self, true: Callable[[LaunchView], bool]) -> LaunchView:
        async with asyncio.timeout(REAL_S):
            return await self.engine.journal.until(true)

    async def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, then sample, evaluate and count once, as a running engine does by itself."""
        await self.clock.advance(seconds)
        await self.engine.sampler.tick()
        await self.engine.conditions.tick()
        await self.engine.bake.tick()

    def events(self, kind: str) -> list[Event]:
        found, after = [], 0
        while chunk := self.engine.store.read(after):
            found += [event for event in chunk if event.kind == kind]
            after = chunk[-1].seq
        return found

    async def seen(self) -> None:
        """Record what a running engine's watches would: production's pods and alerts are seen, one pod is ready."""
        sources = [f"{name}/production" for name in ("kubernetes", "alertmanager")]
        drafts = [Draft(SourceChanged(name, True, "")) for name in sources if name not in self.view.sources]
        if not any(pod.env == "production" for pod in self.view.pods.values()):
            drafts.append(Draft(remake(PodChanged, observe("production", pod("backend-0")))))
        if drafts:
            await self.engine.journal.record_many(drafts)

    async def released(self, operation: str = "production.deploy") -> None:
        """Record a release as the operations would, in a production that is seen."""
        await self.seen()
        body: dict[str, Json] = {
            "id": operation,
            "kind": operation.split(".")[1],
            "env": "production",
            "title": "t",
            "commands": [],
            "from": "a",
            "to": "b",
            "timeout_s": 60,
            "good": None,
        }
        intended = await self.engine.journal.record(draft(OperationIntended.KIND, body, "g09", actor="ann"))
        done: dict[str, Json] = {
            "id": operation,
            "state": "succeeded",
            "verdict": "ok",
            "revision": 2,
            "offers": [],
        }
        await self.engine.journal.record(draft(OperationFinished.KIND, done, "g09", intended.seq))


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    async with outside() as world:
        one = Stand(folder, world, ManualClock())
        try:
            yield one
        finally:
            if hasattr(one, "engine"):
                await one.close()


async def granted(s: Stand, client: EngineClient, name: str, args: JsonObject, by: str = "eve") -> int:
    """Request what takes two people, and let an account grant it; return the request."""
    preview = await client.preview(name, args)
    wanted: JsonObject = {"command": name, "args": args, "reason": "a test"}
    asked = await client.command("request.make", wanted, confirmed("", preview.token))
    assert asked.ok, asked.message
    seq = integer(asked.result, "request")
    other = await s.attach(by)
    answer: JsonObject = {"request": str(seq)}
    shown = await other.preview("request.grant", answer)
    reply = await other.command("request.grant", answer, confirmed(shown.phrase, shown.token))
    assert reply.ok, reply.message
    await other.close()
    return seq


def confirmed(phrase: str, token: str) -> Confirmation:
    return Confirmation(phrase=phrase, token=token)
