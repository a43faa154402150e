"""What the person at a console saw of a log, kept in their own witness file. Loads nothing heavy."""

from __future__ import annotations

import asyncio
import os

from console.client.engine_client import AttachError, EngineClient
from state.log.errors import LogError
from state.log.reader import LogReader
from state.log.witness import Witness, witness_directory


def doubt_of(reader: LogReader) -> str:
    """Return how a log's file contradicts what this account saw of it before, or nothing."""
    witness = Witness(witness_directory(os.environ), reader.log_id)

    def hash_at(seq: int) -> str | None:
        event = reader.event(seq)
        return event.hash if event is not None else None

    try:
        return witness.contradiction(hash_at) or ""
    except LogError:
        return ""  # whoever reads the file is told of its damage by the reading itself


class ConsoleWitness:
    """One console's memory of the log that it is attached to. Its trouble is never the launch's trouble."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._witness = Witness(witness_directory(os.environ), client.view.log_id)
        self.doubt = ""
        """How the log contradicts what this account saw of it before, or nothing."""

    async def compare(self) -> str:
        """Compare the log that the engine has with what this account saw; return ``doubt``."""
        try:
            before = await asyncio.to_thread(self._witness.seen)
            if before is None:
                return ""
            found = await self._client.events(before.seq - 1, 1)
        except (LogError, AttachError):
            return ""
        hashes = {event.seq: event.hash for event in found}
        try:
            answer = await asyncio.to_thread(self._witness.contradiction, hashes.get)
        except LogError:
            return ""
        self.doubt = answer or ""
        return self.doubt

    async def keep(self) -> None:
        """Keep the newest head that this console was shown, unless the log is in doubt."""
        head = self._client.view.head
        if self.doubt or not head:
            return
        try:
            await asyncio.to_thread(self._witness.record, head)
        except LogError:
            return  # a home that can't be written is no reason to show or do less
