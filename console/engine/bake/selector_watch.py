"""Whether stop conditions select what they mean to (``checks.condition_selectors``), as long as a launch lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from state.base.times import SECOND_US
from state.runbook.models import StopCondition

_EVERY_S: Final = 60
"""Seconds between two looks: a release that renames a label is found while its warm-up lasts."""


class SelectorWatch:
    """Knows of each condition why it could not trip as it is written."""

    def __init__(self, clients: ClientsPort, conditions: Sequence[StopCondition]) -> None:
        self._clients = clients
        self._conditions = conditions
        self._found: dict[str, str] = {}
        self._next_us = dict.fromkeys((one.id for one in conditions), 0)

    def wrong(self, condition: StopCondition) -> str:
        """Return what is wrong with a condition's selectors, or nothing."""
        return self._found.get(condition.id, "")

    async def tick(self, now_us: int) -> None:
        """Look at each, if it is time to."""
        due = [one for one in self._conditions if now_us >= self._next_us[one.id]]
        await asyncio.gather(*(self._look(one, now_us) for one in due))

    async def _look(self, condition: StopCondition, now_us: int) -> None:
        from checks.condition_selectors import problems

        # Where Prometheus doesn't answer, the condition's own queries say so, and what was found stays.
        with suppress(CouldNotLookError):
            found = await problems(condition, self._clients.prometheus(condition.env), now_us / SECOND_US)
            if found is not None:
                self._found[condition.id] = "; ".join(found)
                self._next_us[condition.id] = now_us + _EVERY_S * SECOND_US
