"""What a first deploy deferred is judged by itself, again and again until it has passed or failed."""

from __future__ import annotations

from checks.looks import CheckRef, checks_of
from console.engine.checks.runner import Runner
from console.engine.ports import ENGINE
from console.engine.record.journal import Journal
from state.base.times import SECOND_US
from state.runbook.models import Runbook
from state.view.enums import LaunchState, Verdict
from state.view.launch import CheckView, LaunchView

EVERY_S = 15.0
"""Seconds of the clock between two looks at what is owed."""
AGAIN_S = 60.0
"""Seconds of the clock after which a check that could not judge yet is run again."""
_OVER = frozenset({LaunchState.CLOSED, LaunchState.SCRUBBED})


class Owed:
    """Runs the checks that the gate of a first deploy still owes."""

    def __init__(self, journal: Journal, runbook: Runbook, runner: Runner) -> None:
        self._journal = journal
        self._runbook = runbook
        self._runner = runner

    async def run(self) -> None:
        """Look every few seconds of the clock, for ever."""
        while True:
            self.start()
            await self._journal.clock.sleep(EVERY_S)

    def start(self) -> None:
        """Start what is owed and could be judged now."""
        now_us = self._journal.clock.wall_us()
        self._runner.start(owed(self._runbook, self._journal.view, now_us), ENGINE.account)


def owed(runbook: Runbook, view: LaunchView, now_us: int) -> list[CheckRef]:
    """Return the checks to be run now of those that a first deploy deferred.

    None while an operation is under way, or once the launch is over; one that failed is a person's matter.
    """
    ids = {check_id for gate in view.gates for check_id in gate.owed}
    if not ids or view.running() is not None or view.state in _OVER:
        return []
    due = {
        check.id
        for gate in view.gates
        for item in gate.items
        for check in item.checks
        if check.id in ids and _due(check, now_us)
    }
    refs = checks_of(runbook, (item.id for gate in view.gates for item in gate.items))
    return [ref for ref in refs if ref.id in due]


def _due(check: CheckView, now_us: int) -> bool:
    verdict = check.at(now_us)
    if verdict is Verdict.UNKNOWN:
        return now_us - check.finished_us >= AGAIN_S * SECOND_US
    return verdict in {Verdict.STALE, Verdict.PENDING}
