"""Checks without a launch: the engine's own runner, and what it finds is kept in memory instead of a log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.clients.clients import Clients
from checks.looks import CheckRef
from console.engine.checks.runner import Runner
from console.engine.record.body_filter import BodyFilter
from console.engine.record.declarations import declarations, opened
from console.engine.record.journal import Journal
from state.base.json import EMPTY, JsonObject, obj
from state.events.bodies import body_of
from state.events.event import Draft, Event
from state.events.gates import CheckFinished
from state.log.stamp import Stamper
from state.view.enums import Verdict
from state.view.launch import LaunchView

if TYPE_CHECKING:
    from state.base.clock import Clock
    from state.runbook.load import LoadedRunbook

_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found; ``ms`` is how long it took."""

    check: CheckRef
    verdict: Verdict
    """PASS, FAIL or UNKNOWN."""
    summary: str
    evidence: JsonObject
    ms: int
    ways: tuple[str, ...] = ()
    """What to change, a line each, where it is no pass."""


class MemoryStore:
    """Where a journal writes to while there is no log. Events have no chain."""

    def __init__(self, clock: Clock, after: int = 0) -> None:
        """``after`` is the sequence number of the event before the first."""
        self._stamper = Stamper(clock, uuid.uuid4().hex[:12])
        self._after = after
        self._events: list[Event] = []

    async def write(self, draft: Draft) -> Event:
        """See Store."""
        return (await self.write_many((draft,)))[-1]

    async def write_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """See Store. Raises CanonicalError for what a log would not take either."""
        for row in self._stamper.stamp(drafts):
            event = Event(
                self._after + len(self._events) + 1,
                *(row.eid, row.kind, row.gate, row.ref, row.actor, row.session, row.boot),
                *(row.wall_us, row.mono_us),
                body=obj(json.loads(row.body)),
                hash=_NO_HASH,
            )
            self._events.append(event)
        return self._events[-len(drafts) :]

    def read(self, after: int, limit: int = 500) -> list[Event]:
        """See Store."""
        begin = max(0, after - self._after)
        return self._events[begin : begin + limit]


async def sweep(
    loaded: LoadedRunbook,
    checks: Sequence[CheckRef],
    clock: Clock,
    view: LaunchView,
    account: str,
    told: Callable[[Result], None],
) -> None:
    """Run checks as an engine does, each at once and within its time, and tell each result when it is there.

    ``view`` is what is known of a launch; an empty one stands for none. ``account`` is who asks. Exactly one
    result is told for each check, whatever becomes of it; secrets are out of it.
    """
    clients = Clients(loaded.runbook, clock)
    journal = Journal(MemoryStore(clock, view.seq), clock, BodyFilter(clients.redactor.clean))
    journal.view = view
    runner = Runner(journal, loaded.runbook, clients)
    open_checks = {check.id: check for check in checks}

    def finished(event: Event, _view: LaunchView) -> None:
        body = body_of(event)
        if isinstance(body, CheckFinished) and (check := open_checks.pop(body.check, None)) is not None:
            told(Result(check, body.verdict, body.summary, body.evidence, body.ms, body.ways))

    try:
        if not view.scope.launch_id:
            await journal.record_many(
                [opened(loaded.runbook, "", loaded.digest), *declarations(loaded.runbook)]
            )
        journal.listen(finished)
        runner.start(checks, account)
        await runner.idle()
    finally:
        await runner.aclose()
        await clients.aclose()
    for check in list(open_checks.values()):
        told(Result(check, Verdict.UNKNOWN, "the check ended without a result", EMPTY, 0))
