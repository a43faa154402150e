"""Keys in the order in which they were pressed: each reaches what the one before it opened.

Screens, dialogs and fields take the keys a moment after the key that opened them. What is typed in that moment waits
for them, so that a burst, as over a slow line, ends where it was meant to; without this, the letters of a comment ran
as commands of the screen below.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from textual import events
from textual.message_pump import MessagePump

Typed: TypeAlias = events.Key | events.Paste

LONGEST_S = 2.0
"""Real seconds that a key waits for a widget that does not answer: it is given all the same then."""
_POLL_S = 0.01
_AT_ONCE = frozenset({"escape", "ctrl+q"})
"""What takes a wish back, or leaves: it never waits for what is to open, and what was typed before it is gone."""


class TypeAhead:
    """Gives keys one after another, each once everything that the one before it began is done."""

    def __init__(
        self,
        forward: Callable[[Typed], Awaitable[None]],
        pumps: Callable[[], Sequence[MessagePump]],
        opening: Callable[[], bool],
        giving: Callable[[], bool],
    ) -> None:
        """``pumps``: who handles a key, inmost first. ``opening``: whether a dialog is about to open.

        ``giving``: whether a command was just given, and the engine hasn't answered yet.
        """
        self._forward = forward
        self._pumps = pumps
        self._opening = opening
        self._giving = giving
        self._waiting: deque[Typed] = deque()
        self._task: asyncio.Task[None] | None = None
        self._since: float | None = None

    def begin(self, at: float) -> None:
        """Take keys from a moment on: those that came before the first frame were meant for something else."""
        self._since = at

    async def give(self, event: Typed) -> None:
        """Give a key now, or once what is under way is done."""
        if self._since is None or event.time < self._since:
            return
        if self._opening() and isinstance(event, events.Key) and event.key in _AT_ONCE:
            self._waiting.clear()
            await self._forward(event)
            return
        if not self.idle:
            self._waiting.append(event)
            return
        if self._opening() or self._giving():
            self._waiting.append(event)
        else:
            await self._forward(event)
        self._task = asyncio.create_task(self._settle())

    @property
    def idle(self) -> bool:
        """Whether no key is under way."""
        return self._task is None or self._task.done()

    def drop(self) -> None:
        """Forget what waits: what it was typed for did not open."""
        self._waiting.clear()

    def stop(self) -> None:
        """Give nothing any more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _settle(self) -> None:
        while True:
            await self._quiet()
            if not self._waiting:
                return
            await self._forward(self._waiting.popleft())

    async def _quiet(self) -> None:
        """Wait until nobody has anything left to do about the last key."""
        await self._handled()
        while self._opening() or self._giving():
            await asyncio.sleep(_POLL_S)
            await self._handled()

    async def _handled(self) -> None:
        # Twice: a widget tells its screen, the screen the app, and the app gives the keys to a widget.
        for _ in range(2):
            for pump in self._pumps():
                await _processed(pump)


async def _processed(pump: MessagePump) -> None:
    """Wait until a widget has handled all messages that it has by now."""
    done = asyncio.Event()
    if pump.call_later(done.set):
        try:
            await asyncio.wait_for(done.wait(), LONGEST_S)
        except TimeoutError:
            return
