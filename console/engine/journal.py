"""The engine's one door to the log: record, fold, tell.

Everything in the engine that has something to say records a draft here; nobody keeps a state of its own
that the log doesn't have. A recorded event is durable before ``record`` returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from state.clock import Clock
from state.events import Draft, Event
from state.fold import apply
from state.view import LaunchView

Listener = Callable[[Event, LaunchView], None]


class Store(Protocol):
    """What the journal needs of the log's store."""

    async def write(self, draft: Draft) -> Event:
        """Append an event; return it once it is durable."""
        ...

    def read(self, after: int, limit: int = 500) -> list[Event]:
        """Return the events after a sequence number, at most ``limit`` of them."""
        ...


class Journal:
    """Records events, folds them in the order of their sequence numbers, and tells listeners."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.view = LaunchView()
        self._listeners: list[Listener] = []
        self._early: dict[int, Event] = {}
        self._changed = asyncio.Condition()

    def load(self) -> int:
        """Fold what the log already holds, in chunks; return how many events there were."""
        while chunk := self.store.read(self.view.seq):
            for event in chunk:
                self.view = apply(self.view, event)
        return self.view.seq

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of every event from now on; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def record(self, draft: Draft) -> Event:
        """Write a draft, and return its event once it is durable and folded.

        Raises the store's LogError where the log cannot be written: what was meant to follow must not run.
        """
        event = await self.store.write(draft)
        await self._take(event)
        return event

    async def _take(self, event: Event) -> None:
        self._early[event.seq] = event
        while (following := self.view.seq + 1) in self._early or self._fill(following):
            event_now = self._early.pop(following)
            self.view = apply(self.view, event_now)
            for listener in list(self._listeners):
                listener(event_now, self.view)
        async with self._changed:
            self._changed.notify_all()

    def _fill(self, following: int) -> bool:
        """Fetch an event that the store wrote by itself (a clock jump) and nobody handed in."""
        if not self._early or min(self._early) <= following:
            return False
        for event in self.store.read(following - 1, min(self._early) - following):
            self._early.setdefault(event.seq, event)
        return following in self._early

    async def until(self, true: Callable[[LaunchView], bool]) -> LaunchView:
        """Return the view as soon as ``true`` holds of it."""
        async with self._changed:
            await self._changed.wait_for(lambda: true(self.view))
        return self.view
