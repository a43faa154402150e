"""The monitors, monitored for as long as a launch lasts; and alert rules that could never fire.

A Prometheus that is down, behind, on another clock, blind for the release's targets, or torn between worker
processes says nothing that a stop condition may be believed for: see ``state.conditions.release.distrust``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from console.engine.watch.source_health import record_source_health
from state.base.times import SECOND_US
from state.conditions.release import MONITORS
from state.runbook.models import Runbook
from state.view.enums import Tier, Verdict

if TYPE_CHECKING:
    from state.runbook.conditions import Monitors

RULES = "alert rules"
# The default interval: by the time the next look is due, a hung Prometheus has been reported.
_LONGEST_S = 30.0
"""Real seconds that one look may take."""
_FEW = 2
"""Looks in a row that must find something wrong: a pod that starts is down for a moment."""


class MonitorWatch:
    """Looks at production's Prometheus at every interval, for ever."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: ClientsPort) -> None:
        self._journal = journal
        self._settings = runbook.bake.monitors
        self._clients = clients
        self._env = Tier.PRODUCTION
        self._wrong = 0
        self._rules_us = 0
        """When the alert rules are to be looked at again."""

    async def run(self) -> None:
        """Look for ever; where the runbook doesn't say how, there is nothing to look at."""
        settings, clock = self._settings, self._journal.clock
        if settings is None:
            await asyncio.Event().wait()
            return
        while True:
            await self.tick()
            await clock.sleep(settings.every)

    async def tick(self) -> None:
        """Look once, and tell what changed."""
        settings = self._settings
        if settings is None:
            return
        wrong = await self._look(settings)
        self._wrong = self._wrong + 1 if wrong else 0
        known = self._journal.view.sources.get(self._name(MONITORS))
        told = known is not None and not known.ok
        # Only the first report needs a second look: once reported, the reason is kept current.
        if not wrong or self._wrong >= _FEW or told:
            await record_source_health(self._journal, self._name(MONITORS), not wrong, wrong)
        now_us = self._journal.clock.wall_us()
        if now_us >= self._rules_us:
            self._rules_us = now_us + int(settings.rules_every * SECOND_US)
            await self._rules(settings)

    async def _look(self, settings: Monitors) -> str:
        """Return what is wrong, or nothing."""
        from checks.monitors import look

        try:
            async with asyncio.timeout(_LONGEST_S):
                outcome = await look(settings, self._clients.prometheus(self._env), self._journal.clock)
        except CouldNotLookError as error:
            return str(error)
        except TimeoutError:
            return f"Prometheus did not answer within {_LONGEST_S:g} s"
        return "" if outcome.verdict is Verdict.PASS else outcome.summary

    async def _rules(self, settings: Monitors) -> None:
        from checks.rules import dead_rules

        try:
            async with asyncio.timeout(_LONGEST_S):
                dead = await dead_rules(self._clients.prometheus(self._env), settings.ignored_metrics)
        except (CouldNotLookError, TimeoutError):
            return  # that Prometheus can't be asked is told above; nothing is known of its rules
        words = "; ".join(f"{rule} asks for {', '.join(used)}" for rule, used in sorted(dead.items()))
        await record_source_health(self._journal, self._name(RULES), not dead, words)

    def _name(self, what: str) -> str:
        return f"{what}/{self._env.value}"
