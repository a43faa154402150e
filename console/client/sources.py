"""Where a console's events come from: a running engine; files are in file_source.py.

Screens can't tell them apart: each gives moments to show, pages of the log, and answers to commands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from console.client.engine_client import AttachError, EngineClient
from console.client.signing import TOUCH
from console.client.witness import ConsoleWitness
from screens.kit.screen_state import Mode, ScreenState
from state.base.clock import Clock, SystemClock
from state.base.json import JsonObject
from state.base.times import SECOND_US
from state.commands import Confirmation, Reply
from state.events.event import Event
from state.events.log import LogAnchored
from state.view.launch import LaunchView
from state.view.preview import Preview

# As often as the engine's beat: a follower lags no more than an attached console.
POLL_S = 0.5
RETRY_S = 2.0
"""Real seconds between two attempts to attach again."""

Changed = Callable[[], None]


class EventSource(Protocol):
    """What a console shows and acts upon. Every method belongs to one event loop."""

    async def open(self, changed: Changed) -> None:
        """Begin; ``changed`` is called, as often as it likes, when there is something new to show.

        Raises AttachError or LogError, whose message is one line for the captain.
        """
        ...

    async def close(self) -> None:
        """Let go."""
        ...

    def shown(self) -> ScreenState:
        """Return the newest moment."""
        ...

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events after a sequence number."""
        ...

    async def preview(self, name: str, args: JsonObject) -> Preview:
        """Return what the engine says of a command before it runs."""
        ...

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        """Give a command."""
        ...


@runtime_checkable
class Reopens(Protocol):
    """A source that can be given another engine of the same launch."""

    async def reopen(self, socket: Path) -> None:
        """Attach to the engine behind a socket.

        Raises AttachError.
        """
        ...


class LiveSource:
    """A running engine. The time that is shown is the engine's own."""

    def __init__(self, socket: Path, *, tty: str = "", clock: Clock | None = None) -> None:
        self._socket = socket
        self._tty = tty
        self._clock = clock or SystemClock()
        self._client: EngineClient | None = None
        self._sight: ConsoleWitness | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._trouble = ""
        self._view = LaunchView()
        self._lost = ""
        self._touch = ""
        """What a key waits for while it signs, or nothing."""
        self._beat = (0, 0, 1.0)
        """The engine's time in microseconds, when it came on our monotonic clock, and its rate."""
        self._changed: Changed = _nothing
        self._trying: asyncio.Task[None] | None = None
        self._attaching = asyncio.Lock()
        """One greeting at a time: of two consoles of ours the first would drive, and be the one that goes."""

    async def open(self, changed: Changed) -> None:
        """Attach to the engine; see EventSource."""
        self._changed = changed
        async with self._attaching:
            await self._attach()

    async def _attach(self) -> None:
        before, self._client = (
            self._client,
            await EngineClient.connect(self._socket, tty=self._tty, listener=self),
        )
        self._client.on_signing = self._signs
        if before is not None:
            await before.close()
        self._lost = ""
        self._sight = ConsoleWitness(self._client)
        if await self._sight.compare():
            self._changed()

    async def reopen(self, socket: Path) -> None:
        """Attach to another engine of the same launch.

        Raises AttachError.
        """
        async with self._attaching:
            if self._lost or socket != self._socket:  # else it was found again by itself
                self._socket = socket
                await self._attach()
        await self._stop_trying()
        self._changed()

    async def close(self) -> None:
        """Leave the engine, which goes on."""
        await self._stop_trying()
        if self._sight is not None:
            await self._sight.keep()
        if self._client is not None:
            await self._client.close()

    async def _stop_trying(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._trying
            self._trying = None

    async def _try_again(self) -> None:
        """Attach again as soon as the same engine answers: it may only have been asleep."""
        while self._lost:
            await asyncio.sleep(RETRY_S)
            async with self._attaching:
                with contextlib.suppress(AttachError):
                    if self._lost:
                        await self._attach()
        self._changed()

    # -- what the client tells -----------------------------------------------------------------------

    def on_view(self, view: LaunchView) -> None:
        """Take a keyframe."""
        self._view = view
        if not self._beat[0]:
            self._beat = (view.wall_us, self._clock.mono_us(), view.clock_rate)
        self._changed()

    def on_event(self, event: Event, view: LaunchView) -> None:
        """Take the view after one more event."""
        self._view = view
        if event.kind == LogAnchored.KIND and self._sight is not None:
            self._keeping = asyncio.create_task(self._sight.keep(), name="witness")
        self._changed()

    def on_beat(self, wall_us: int, rate: float) -> None:
        """Take the engine's time, and whether it can write its log."""
        self._beat = (wall_us, self._clock.mono_us(), rate)
        trouble = self._client.trouble if self._client is not None else ""
        if trouble != self._trouble:
            self._trouble = trouble
            self._changed()

    def _signs(self, words: str) -> None:
        self._touch = words if words.startswith(TOUCH) else ""
        self._changed()

    def on_lost(self, reason: str) -> None:
        """Remember that the engine is gone, and look for it again and again."""
        self._lost = reason
        self._changed()
        self._trying = asyncio.create_task(self._try_again(), name="attach-again")

    def shown(self) -> ScreenState:
        """Return the newest moment; between two beats the clock goes on at the engine's rate."""
        wall_us, mono_us, rate = self._beat
        # At most as long as an engine may be silent: a clock that ran on would hide that it is gone.
        passed = 0 if self._lost else min(2 * SECOND_US, self._clock.mono_us() - mono_us)
        welcome = self._client.welcome if self._client is not None else None
        return ScreenState(
            self._view,
            max(self._view.wall_us, wall_us + int(passed * rate)),
            Mode.LIVE,
            lost=self._lost,
            trouble=self._trouble,
            doubt=self._sight.doubt if self._sight is not None else "",
            me=welcome.console if welcome else "",
            account=welcome.account if welcome else "",
            adjustable=welcome.adjustable if welcome else False,
            note=self._touch,
        )

    def _attached(self) -> EngineClient:
        if self._client is None:
            raise AttachError("no engine is attached")
        return self._client

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """See EventSource."""
        return await self._attached().events(after, limit)

    async def preview(self, name: str, args: JsonObject) -> Preview:
        """See EventSource."""
        return await self._attached().preview(name, args)

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        """See EventSource."""
        try:
            return await self._attached().command(name, args, given)
        finally:
            self._touch = ""


def _nothing() -> None:
    """Do nothing until somebody listens."""
