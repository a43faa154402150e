"""What was, of a launch that goes on: its log's file, read beside it and gone through as in a replay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from console.client.replay import Player, Recording
from screens.kit.screen_state import Mode, ScreenState
from state.events.event import Event
from state.log.reader import LogReader


class Past:
    """A launch's log up to the moment at which somebody began to look back."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._recording = Recording(self._fetch)
        self.player = Player(self._recording)

    @classmethod
    async def open(cls, log: Path) -> Self:
        """Read a log as far as it goes, and stand at its end. Raises LogError."""
        past = cls(await asyncio.to_thread(LogReader, log))
        try:
            await asyncio.to_thread(past._read)
        except BaseException:
            past.close()
            raise
        past.player.go(past._recording.count)
        return past

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def move(self, action: str, value: str) -> str:
        """Go to the next or the previous moment, of any kind or of the kind of before; return why it can't."""
        by = 1 if value == "+" else -1
        if action == "same":
            return self.player.same(by)
        return "" if self.player.marker(by) else "no moment before this" if by < 0 else "no moment after this"

    def shown(self, live: ScreenState) -> ScreenState:
        """Return the moment that is looked at: as in a replay, with what the launch itself is at now."""
        told = replace(self.player.transport(), now=live.view)
        return replace(
            live, view=self.player.view, now_us=self.player.now_us, mode=Mode.REPLAY, transport=told
        )

    def _fetch(self, after: int, limit: int) -> Sequence[Event]:
        return self._reader.events(after, limit)

    def _read(self) -> None:
        while self._recording.read():
            pass
