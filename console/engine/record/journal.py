"""The engine's one door to the log: record, fold, tell.

Everything in the engine that has something to say records a draft here; nobody keeps a state of its own
that the log doesn't have. A recorded event is durable before ``record`` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from console.engine.record.body_filter import BodyFilter
from state.base.clock import Clock
from state.events.event import Draft, Event
from state.events.operations import OperationIntended
from state.fold import apply
from state.log.errors import LogHeldError
from state.view.launch import LaunchView

_logger = logging.getLogger(__name__)

Listener = Callable[[Event, LaunchView], None]


class Store(Protocol):
    """What the journal needs of the log's store."""

    async def write(self, draft: Draft) -> Event:
        """Append an event; return it once it is durable."""
        ...

    async def write_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """Append events together or not at all; return them once they are durable."""
        ...

    def read(self, after: int, limit: int = 500) -> list[Event]:
        """Return the events after a sequence number, at most ``limit`` of them."""
        ...


class Journal:
    """Records events, folds them in the order of their sequence numbers, and tells listeners."""

    def __init__(self, store: Store, clock: Clock, door: BodyFilter | None = None) -> None:
        self.store = store
        self._door = door or BodyFilter()
        self.clock = clock
        self.view = LaunchView()
        self._listeners: list[Listener] = []
        # Commits may resolve out of order; events are folded strictly in order.
        self._early: dict[int, Event] = {}
        self._writing: set[asyncio.Task[list[Event]]] = set()
        self._changed = asyncio.Event()

    def load(self) -> int:
        """Fold what the log already holds, in chunks; return how many events there were."""
        while chunk := self.store.read(self.view.seq):
            for event in chunk:
                self.view = apply(self.view, event)
        return self.view.seq

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of every event from now on; return what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    async def record(self, draft: Draft) -> Event:
        """Write a draft, and return its event once it is durable and folded.

        Raises the store's LogError where the log cannot be written: what was meant to follow must not run.
        """
        return (await self.record_many((draft,)))[-1]

    async def record_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """Write drafts together or not at all, in their order; otherwise as ``record``.

        What ``console.engine.record.body_filter`` leaves out of a body is not written.
        """
        begins = any(draft.kind == OperationIntended.KIND for draft in drafts)
        if begins and not getattr(self.store, "alone", True):  # what only reads back has no lock
            raise LogHeldError(
                "the log's .engine file was removed or replaced: another engine may have this log, so nothing is "
                "begun; stop both engines, then start one",
                pid=None,
            )
        admitted = self._door.admit(drafts)
        # A caller that is cancelled can't take the event back: it is folded all the same.
        task = asyncio.create_task(self._write(admitted))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Task[list[Event]]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that was cancelled doesn't look at it

    async def _write(self, drafts: Sequence[Draft]) -> list[Event]:
        if len(drafts) == 1:
            events = [await self.store.write(drafts[0])]
        else:
            events = await self.store.write_many(drafts)
        self._take(events)
        return events

    def clean(self, words: str) -> str:
        """Return words as they would be written: without secret values."""
        return self._door.clean(words)

    def catch_up(self) -> None:
        """Fold what the store wrote by itself (a clock jump, the end of a freeze) and nobody handed in."""
        self._take(self.store.read(self.view.seq))

    def _take(self, events: Sequence[Event]) -> None:
        self._early.update((event.seq, event) for event in events if event.seq > self.view.seq)
        while (following := self.view.seq + 1) in self._early or self._fill(following):
            event_now = self._early.pop(following)
            self.view = apply(self.view, event_now)
            for listener in list(self._listeners):
                self._tell(listener, event_now)
        # Replaced each time: everyone waiting on the old one wakes once and looks again.
        self._changed.set()
        self._changed = asyncio.Event()

    def _tell(self, listener: Listener, event: Event) -> None:
        try:
            listener(event, self.view)
        except Exception:  # whoever listens must not make a durable event look as if it had failed
            _logger.exception("a listener failed at event %d", event.seq)

    def _fill(self, following: int) -> bool:
        """Fetch an event that came between those that were handed in."""
        if not self._early or min(self._early) <= following:
            return False
        for event in self.store.read(following - 1, min(self._early) - following):
            self._early.setdefault(event.seq, event)
        return following in self._early

    async def until(self, true: Callable[[LaunchView], bool]) -> LaunchView:
        """Return the view as soon as ``true`` holds of it."""
        while not true(self.view):
            await self._changed.wait()
        return self.view

    async def settle(self) -> None:
        """Wait until everything that is being recorded is durable or has failed."""
        while self._writing:
            await asyncio.wait(set(self._writing))
