"""Operations make their checks run: what one changed is judged again when it has ended, and nobody need ask for it.

Which checks those are stands in the log: each says since what its evidence is out of date. So an engine that starts
anew goes on where the one before it stopped, and a check that somebody ran in the meantime is not run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from checks.looks import CheckRef, asked, checks_of
from console.engine.checks.runner import Runner
from console.engine.ports import ENGINE
from console.engine.record.journal import Journal
from state.events.event import Event
from state.events.operations import OperationFinished
from state.runbook.models import Runbook
from state.view.enums import After, LaunchState, OperationKind, Tier, Verdict
from state.view.launch import CheckView, LaunchView

AT_ONCE = 6
"""So many of them run together: an operation may have changed what a whole runbook's checks look at."""
_AGAIN_S = 0.2
"""Real seconds after which what couldn't be started is tried again: a run of the same check just ends."""
_NEXT_S, _MOST_S = 0.2, 5.0
"""Real seconds in which whoever runs one operation after another asks for the next; how long that is waited for."""
_OVER = frozenset({LaunchState.CLOSED, LaunchState.SCRUBBED})


class AfterOperations:
    """Runs the checks whose evidence an operation or the bake made out of date."""

    def __init__(
        self, journal: Journal, runbook: Runbook, runner: Runner, asked: Callable[[], int] = lambda: 0
    ) -> None:
        """``asked`` tells how many operations are previewed or started just now."""
        self._asked = asked
        self._ended = False
        self._journal = journal
        self._runbook = runbook
        self._runner = runner
        self._news = asyncio.Event()
        self._gates: tuple[object, ...] = ()
        self._operations: tuple[object, ...] = ()

    async def run(self) -> None:
        """Look after every event that touched a check, an operation or the bake; first at what the log says."""
        end = self._journal.listen(self._told)
        self._news.set()
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                if self._ended:
                    await self._patience()
                if self.start():
                    await asyncio.sleep(_AGAIN_S)
                    self._news.set()
        finally:
            end()

    async def _patience(self) -> None:
        """Give way to the next operation: it would make what is begun now out of date again."""
        self._ended, waited = False, 0.0
        while waited == 0 or (self._asked() and waited < _MOST_S):
            await asyncio.sleep(_NEXT_S)
            waited += _NEXT_S

    def _told(self, event: Event, view: LaunchView) -> None:
        self._ended = self._ended or event.kind == OperationFinished.KIND
        if view.gates is not self._gates or view.operations is not self._operations:
            self._gates, self._operations = view.gates, view.operations
            self._news.set()

    def start(self) -> bool:
        """Start what is out of date, as far as there is room; return whether a check of it still runs for another."""
        view = self._journal.view
        room = AT_ONCE - sum(c.verdict is Verdict.RUNNING and bool(c.since) for c in _checks(view))
        found = outdated(self._runbook, view)[: max(0, room)]
        started = self._runner.start(found, ENGINE.account)
        return len(started) < len(found)


def outdated(runbook: Runbook, view: LaunchView) -> list[CheckRef]:
    """Return the checks to be run by themselves now: none while an operation is under way or the launch is over."""
    if view.running() is not None or view.state in _OVER:
        return []
    due = {c.id for c in _checks(view) if c.since and c.verdict is not Verdict.RUNNING and _ripe(c, view)}
    refs = checks_of(runbook, (item.id for gate in view.gates for item in gate.items))
    return [ref for ref in asked(refs, view) if ref.id in due]


def _ripe(check: CheckView, view: LaunchView) -> bool:
    """Return whether a check could say something: what judges the bake has nothing to say before it is over."""
    if After.BAKE not in check.after:
        return True
    release = next(
        (o for o in reversed(view.operations) if o.kind == OperationKind.DEPLOY and o.env == Tier.PRODUCTION),
        None,
    )
    bake = view.bake
    return bake is not None and not bake.under_way and (not release or bake.started_us >= release.intended_us)


def _checks(view: LaunchView) -> list[CheckView]:
    return [check for gate in view.gates for item in gate.items for check in item.checks]
