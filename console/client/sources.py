"""Where a console's events come from: a running engine, or a file that is followed or replayed.

Screens can't tell them apart: each gives moments to show, pages of the log, and answers to commands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from console.client.engine_client import AttachError, EngineClient
from console.client.replay import CHUNK, Player, Recording
from console.client.signing import TOUCH
from console.client.witness import ConsoleWitness, doubt_of
from screens.kit.screen_state import Mode, ScreenState
from state.base.clock import Clock, SystemClock
from state.base.json import EMPTY, JsonObject
from state.base.times import SECOND_US
from state.commands import COMMANDS, Confirmation, Reply
from state.events.event import Event
from state.events.log import LogAnchored
from state.fold import apply
from state.log.errors import LogError
from state.log.reader import LogReader
from state.view.enums import Danger
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


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why nothing can be commanded where there is no engine."""

    reason: str

    def preview(self, name: str) -> Preview:
        title = next((c.title for c in COMMANDS if c.name == name), name)
        return Preview(name, title, Danger.SAFE, allowed=False, reason=self.reason)

    def reply(self) -> Reply:
        return Reply(ok=False, message=self.reason, result=EMPTY)


class FileSource:
    """A log's file, read-only: followed while somebody writes it, or replayed."""

    def __init__(
        self, path: Path, *, replay: bool, speed: float = 1.0, at: str = "", clock: Clock | None = None
    ) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._replay = replay
        self._at = at
        self._reader: LogReader | None = None
        self._recording = Recording(self._fetch)
        self.player = Player(self._recording, speed=speed)
        self._view = LaunchView()
        self._note = ""
        self._doubt = ""
        self._lost = ""
        self._changed: Changed = _nothing
        self._task: asyncio.Task[None] | None = None
        what = "a replay" if replay else "a follower"
        self._refusal = _Refusal(f"{what} reads the log and changes nothing")

    async def open(self, changed: Changed) -> None:
        """Open the file and begin to read; see EventSource."""
        self._changed = changed
        self._reader = await asyncio.to_thread(LogReader, self._path)
        self._doubt = await asyncio.to_thread(doubt_of, self._reader)
        self._task = asyncio.create_task(self._play() if self._replay else self._follow(), name="log-file")

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._reader is not None:
            self._reader.close()

    def _fetch(self, after: int, limit: int) -> Sequence[Event]:
        return self._reader.events(after, limit) if self._reader is not None else ()

    async def _play(self) -> None:
        try:
            while await asyncio.to_thread(self._recording.read):
                if self.player.seq == 0:
                    self.player.go(1)
                self._changed()
        except LogError as error:
            self._note = f"the log can't be read to its end: {error}"
        if self._at:
            self._note = self.player.goto(self._at) or self._note
        else:
            self.player.begin()
        self._changed()
        before = self._clock.mono_us()
        while True:
            # Twice as often as the app paints.
            await self._clock.sleep(0.1)
            now = self._clock.mono_us()
            if self.player.advance((now - before) / SECOND_US):
                self._changed()
            before = now

    async def _follow(self) -> None:
        while True:
            try:
                events = await asyncio.to_thread(self._fetch, self._view.seq, CHUNK)
                self._lost = ""
            except LogError as error:
                events, self._lost = (), str(error)
                self._changed()
            for event in events:
                self._view = apply(self._view, event)
            if events:
                self._changed()
            # A full chunk means there is more: catch up without pausing.
            if len(events) < CHUNK:
                await self._clock.sleep(POLL_S)

    def shown(self) -> ScreenState:
        """Return the newest moment, or where the replay stands."""
        if not self._replay:
            now = (
                # A rehearsal's clock may run fast: then only the log's own time is right.
                max(self._view.wall_us, self._clock.wall_us())
                if self._view.clock_rate == 1
                else self._view.wall_us
            )
            return ScreenState(self._view, now, Mode.FOLLOW, lost=self._lost, doubt=self._doubt)
        player = self.player
        told = player.transport()
        return ScreenState(
            player.view, player.now_us, Mode.REPLAY, transport=told, note=self._note, doubt=self._doubt
        )

    def transport(self, action: str, value: str = "") -> str:
        """Move the replay as a screen asks; return why it can't, or nothing."""
        player, by = self.player, 1 if value == "+" else -1
        trouble = ""
        match action:
            case "play":
                player.playing = not player.playing
                if player.playing and player.seq >= self._recording.count:
                    player.go(1)
            case "step":
                player.step(by)
            case "marker":
                trouble = "" if player.marker(by) else "no marker there"
            case "speed":
                player.faster(by)
            case "home":
                player.go(1)
            case "end":
                player.go(self._recording.count)
            case _:
                trouble = player.goto(value)
        self._changed()
        return trouble

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """See EventSource; a replay gives no event that it hasn't come to."""
        if self._reader is None:
            return ()
        events = await asyncio.to_thread(self._fetch, after, limit)
        return [e for e in events if e.seq <= self.player.seq] if self._replay else events

    async def preview(self, name: str, args: JsonObject) -> Preview:
        """Refuse."""
        del args
        return self._refusal.preview(name)

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        """Refuse."""
        del name, args, given
        return self._refusal.reply()
