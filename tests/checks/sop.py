"""The SOP's checks, run against a rehearsal world without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from checks.base import CheckContext, CouldNotLookError, Outcome, unknown
from checks.clients.clients import Clients
from checks.registry import kind
from console.rehearsal.products import open_world
from console.rehearsal.world.world import World
from state.runbook.load import load_runbook
from state.runbook.models import CheckSpec, Runbook
from state.view.launch import LaunchView

BEFORE_RELEASE = ("1", "2", "3", "4", "5", "6")
ALSO = frozenset({"7.1", "8.3", "8.4", "10.1", "10.2"})
"""Items of later gates that the running good release passes too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check of an item found."""

    item: str
    kind: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stage:
    """A world that runs, its runbook, and every client."""

    world: World
    runbook: Runbook
    clients: Clients

    def around(self, spec: CheckSpec, view: LaunchView | None = None) -> CheckContext:
        return CheckContext(spec.env, self.runbook, self.clients, self.world.clock, view or LaunchView())

    async def judge(self, item: str, spec: CheckSpec, view: LaunchView | None = None) -> Seen:
        judged = kind(spec.kind)
        assert judged is not None
        try:
            async with asyncio.timeout(spec.timeout):
                outcome = await judged.run(dict(spec.settings), self.around(spec, view))
        except CouldNotLookError as error:
            outcome = unknown(str(error))
        except TimeoutError:
            outcome = unknown("timed out")
        return Seen(item, spec.kind, outcome)

    async def sweep(self, items: Collection[str] = ALSO) -> list[Seen]:
        """Run every check of gates 1 to 6 and of some more items, all at once."""
        chosen = [
            self.judge(item.id, spec)
            for gate in self.runbook.gates
            for item in gate.items
            for spec in item.checks
            if str(gate.number) in BEFORE_RELEASE or item.id in items
        ]
        return await asyncio.gather(*chosen)


@asynccontextmanager
async def staged(folder: Path, faults: Sequence[str] = (), rate: float = 30.0) -> AsyncIterator[Stage]:
    """Serve a world with faults for the length of a block."""
    world = open_world(folder / "world", 5, faults, rate)
    try:
        await world.start()
        runbook = load_runbook(world.runbook_path).runbook
        clients = Clients(runbook)
        try:
            yield Stage(world, runbook, clients)
        finally:
            await clients.aclose()
    finally:
        await world.stop()
