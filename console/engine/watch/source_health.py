"""Sources: what the engine observes, whether it answers, and since when it doesn't."""

from __future__ import annotations

import asyncio

from console.engine.record.journal import Journal
from state.base.text import line
from state.events.event import Draft
from state.events.world import SourceChanged

GRACE_S = 3.0
"""Real seconds that a source may be gone before it is called lost."""


async def record_source_health(journal: Journal, name: str, ok: bool, reason: str = "") -> None:
    """Record whether a source answers, unless the log says the same already."""
    known = journal.view.sources.get(name)
    reason = "" if ok else line(reason, 300)
    if known is not None and known.ok == ok and (ok or known.reason == reason):
        return
    await journal.record(Draft(SourceChanged(name, ok, reason)))


class Source:
    """One source that is watched in several parts: it answers when all of them do."""

    def __init__(self, journal: Journal, name: str, grace_s: float = GRACE_S) -> None:
        self.name = name
        self._journal = journal
        self._grace_s = grace_s
        self._parts: dict[str, str | None] = {}
        self._waiting: asyncio.Task[None] | None = None

    def expect(self, part: str) -> None:
        """Name a part from which nothing was heard yet."""
        self._parts[part] = "not read yet"

    async def well(self, part: str) -> None:
        """Say that a part is known as it is now."""
        self._parts[part] = None
        if all(reason is None for reason in self._parts.values()):
            self._stop_waiting()
            await record_source_health(self._journal, self.name, True)

    async def lost(self, part: str, reason: str) -> None:
        """Say that a part can't be seen any more; it is recorded when that lasts."""
        self._parts[part] = reason
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._after_grace())

    async def _after_grace(self) -> None:
        await asyncio.sleep(self._grace_s)
        reason = next((r for r in self._parts.values() if r is not None), None)
        if reason is not None:
            await record_source_health(self._journal, self.name, False, reason)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def aclose(self) -> None:
        """Stop waiting."""
        self._stop_waiting()
