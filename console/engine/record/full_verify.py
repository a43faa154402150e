"""What the log's own opening leaves unchecked: the events before its last thousand.

They are checked while the launch already goes on. Damage is an event and a banner, and stops nothing: the captain
decides.
"""

from __future__ import annotations

import asyncio

from console.engine.record.journal import Journal
from state.events.event import Draft
from state.events.log import LogDoubted
from state.log.chain import Fault
from state.log.full_verify import WholeCheck
from state.log.store import LogStore


class Wholeness:
    """Checks a log that goes on, from its first event to the head that it had."""

    def __init__(self, journal: Journal, store: LogStore) -> None:
        self._journal = journal
        self._store = store

    async def run(self) -> None:
        """Check every event; record what is damaged, once."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Fault | None] = loop.create_future()

        def tell(fault: Fault | None) -> None:
            loop.call_soon_threadsafe(_answer, found, fault)

        check = WholeCheck(self._store.path, self._store.log_id, self._store.head.seq, tell)
        check.start()
        try:
            fault = await found
        finally:
            await asyncio.to_thread(check.stop)
        if fault is None:
            return
        reason = f"event {fault.seq} is damaged ({fault.damage.value}): {fault.message}"
        if self._journal.view.doubt != reason:
            await self._journal.record(Draft(LogDoubted(reason, "")))


def _answer(found: asyncio.Future[Fault | None], fault: Fault | None) -> None:
    if not found.done():
        found.set_result(fault)
