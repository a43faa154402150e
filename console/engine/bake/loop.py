"""The beat of the stop conditions and the bake: every interval, and at once when a release ended."""

from __future__ import annotations

import asyncio

from console.engine.bake.bake_clock import Bake
from console.engine.bake.stop_conditions import Conditions
from console.engine.record.journal import Journal
from state.base.clock import first_of
from state.base.times import SECOND_US
from state.events.bake import BakeExtended, ConditionAcknowledged, ConditionMuted
from state.events.event import Event
from state.events.launch import LaunchHeld, LaunchReleased
from state.events.operations import OperationFinished, OperationIntended, OperationUnknown
from state.view.launch import LaunchView

# Each changes whether seconds count: waiting for the tick would count up to one interval too many.
_AT_ONCE = frozenset(
    {
        OperationIntended.KIND,
        OperationFinished.KIND,
        OperationUnknown.KIND,
        ConditionAcknowledged.KIND,
        ConditionMuted.KIND,
        BakeExtended.KIND,
        LaunchHeld.KIND,
        LaunchReleased.KIND,
    }
)


class EvaluationLoop:
    """Evaluates, then lets the bake count; never stops, whatever the phase."""

    def __init__(self, journal: Journal, conditions: Conditions, bake: Bake, interval_s: float) -> None:
        self._journal = journal
        self._conditions = conditions
        self._bake = bake
        self._step = max(1, round(interval_s))
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Tick for ever."""
        end = self._journal.listen(self._told)
        try:
            while True:
                # Cleared before the work: news that arrives during it must trigger another round.
                self._news.clear()
                # Conditions before the bake: it counts by what they say about these very seconds.
                await self._conditions.tick()
                await self._bake.tick()
                await self._wait()
        finally:
            end()

    def _told(self, event: Event, _view: LaunchView) -> None:
        if event.kind in _AT_ONCE:
            self._news.set()

    async def _wait(self) -> None:
        clock = self._journal.clock
        now_us = clock.wall_us()
        left = self._step - now_us / SECOND_US % self._step
        counting = [c.rolls_back_us for c in self._journal.view.conditions if c.rolls_back_us > now_us]
        if counting:
            # A countdown ends on its second, not at the next tick.
            left = min(left, (min(counting) - now_us) / SECOND_US)
        await first_of(clock.sleep(left), self._news.wait())
