"""Watches what approvals are for: notes the candidate's parts at the start and with every attestation."""

from __future__ import annotations

import asyncio

from console.engine.operations.preview.approvals import Seen, parts_of, seen_draft, seen_of
from console.engine.record.journal import Journal
from state.events.bodies import body_as
from state.events.event import Event
from state.events.gates import AttestSigned
from state.events.operations import CandidateSeen
from state.runbook.models import Runbook
from state.view.enums import Tier
from state.view.launch import LaunchView


class Approvals:
    """What the log knows of the candidate's parts, and what it is to know."""

    def __init__(self, runbook: Runbook, journal: Journal) -> None:
        self.seen: list[Seen] = []
        self._runbook = runbook
        self._journal = journal
        self._end = journal.listen(self._told)
        self._writing: set[asyncio.Task[Event]] = set()

    async def load(self) -> None:
        """Read what the log has, and note the parts where they are new to it."""
        known = {one.seq for one in self.seen}
        after = 0
        while chunk := self._journal.store.read(after):
            self.seen += [seen_of(e) for e in chunk if e.kind == CandidateSeen.KIND and e.seq not in known]
            after = chunk[-1].seq
        self.seen.sort(key=lambda one: one.seq)
        for tier in Tier:
            parts = parts_of(self._runbook, tier)
            if self._newest(tier) != parts:
                await self._journal.record(seen_draft(tier, parts))

    def close(self) -> None:
        """Stop watching."""
        self._end()

    def _newest(self, tier: Tier) -> object:
        return next((one.parts for one in reversed(self.seen) if one.env == tier), None)

    def _told(self, event: Event, _view: LaunchView) -> None:
        if event.kind == CandidateSeen.KIND:
            self.seen.append(seen_of(event))
        elif event.kind == AttestSigned.KIND:
            for tier in Tier:
                parts = parts_of(self._runbook, tier)
                if self._newest(tier) != parts:
                    # A signed word says itself what it is about: what its statement doesn't name, it doesn't cover.
                    ref = None if body_as(AttestSigned, event).key else event.seq
                    task = asyncio.create_task(self._journal.record(seen_draft(tier, parts, ref)))
                    self._writing.add(task)
                    task.add_done_callback(self._writing.discard)
