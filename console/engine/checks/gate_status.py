"""Gate statuses: computed after every event and as evidence grows old, recorded when they change."""

from __future__ import annotations

import asyncio

from console.engine.record.journal import Journal
from state.events.event import Draft, Event, gate_key
from state.events.gates import GateChanged
from state.view.enums import GateStatus
from state.view.launch import LaunchView

EVERY_S = 10.0
"""Seconds of the clock between two looks at the age of evidence."""


class GateKeeper:
    """Records ``gate.changed`` for every gate whose items add up to something else than before."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._news = asyncio.Event()
        self._gates: tuple[object, ...] = ()

    async def run(self) -> None:
        """Look after every event that touched a gate, and every ten seconds of the clock."""
        end = self._journal.listen(self._told)
        old_age = asyncio.create_task(self._look_at_age())
        self._news.set()
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self.look()
        finally:
            end()
            old_age.cancel()

    def _told(self, _event: Event, view: LaunchView) -> None:
        if view.gates is not self._gates:
            self._gates = view.gates
            self._news.set()

    async def _look_at_age(self) -> None:
        while True:
            await self._journal.clock.sleep(EVERY_S)
            self._news.set()

    async def look(self) -> None:
        """Record what changed."""
        view, now = self._journal.view, self._journal.clock.wall_us()
        drafts = []
        for gate in view.gates:
            before = view.statuses.get(gate.number, GateStatus.OPEN)
            status = gate.status(now)
            if status is not before:
                drafts.append(Draft(GateChanged(before, status), gate_key(gate.number)))
        if drafts:
            await self._journal.record_many(drafts)
