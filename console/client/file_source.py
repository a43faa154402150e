"""A log's file as what a console shows: followed while somebody writes it, or replayed. Nothing is ever written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from console.client.destinations import PLACES, is_text
from console.client.replay import CHUNK, Player, Recording
from console.client.sources import POLL_S, Changed
from console.client.witness import doubt_of
from screens.kit.screen_state import Mode, ScreenState
from state.base.clock import Clock, SystemClock
from state.base.json import EMPTY, JsonObject
from state.base.times import SECOND_US
from state.commands import COMMANDS, Confirmation, Reply
from state.events.event import Event
from state.fold import apply, line_of
from state.log.errors import LogError
from state.log.reader import LogReader
from state.view.enums import Danger
from state.view.launch import LaunchView
from state.view.preview import Preview


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
    """A log's file, read-only: followed while somebody writes it, or replayed.

    ``proof``: what was verified of it, in words.
    """

    def __init__(
        self,
        path: Path,
        *,
        replay: bool,
        speed: float = 1.0,
        at: str = "",
        proof: str = "",
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._replay = replay
        self._at = at
        self._proof = proof
        self._reader: LogReader | None = None
        self._recording = Recording(self._fetch)
        self.player = Player(self._recording, speed=speed)
        self._view = LaunchView()
        self._note = ""
        self._doubt = ""
        self._lost = ""
        self._reading = replay
        self._changed: Changed = _nothing
        self._task: asyncio.Task[None] | None = None
        self._search: asyncio.Task[None] | None = None
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
        for task in (self._task, self._search):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
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
        self._reading = False
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
            # A full chunk means there is more: catch up without pausing.
            more = len(events) == CHUNK
            self._note = f"catching up: read to event {self._view.seq}" if more else ""
            if events:
                self._changed()
            if not more:
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
            return ScreenState(
                self._view, now, Mode.FOLLOW, lost=self._lost, note=self._note, doubt=self._doubt
            )
        player = self.player
        told = replace(player.transport(), proof=self._proof, reading=self._reading)
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
                trouble = "" if player.marker(by) else "no moment there"
            case "next":
                trouble = player.next_of(value)
            case "same":
                trouble = player.same(by)
            case "speed":
                player.faster(by)
            case "home":
                player.go(1)
            case "end":
                player.go(self._recording.count)
            case _:
                trouble = player.goto(value)
                if trouble and is_text(value):
                    trouble = ""
                    self._look_for(value)
        self._changed()
        return trouble

    def _look_for(self, words: str) -> None:
        """Search every event after this one for words, beside what is shown."""
        if self._search is not None:
            self._search.cancel()
        self._note = f"looking for {words!r} …"
        self._search = asyncio.create_task(self._find(words), name="search")

    async def _find(self, words: str) -> None:
        start, wanted = self.player.seq, words.lower()
        found = await asyncio.to_thread(self._first_after, start, wanted)
        # From the beginning where none comes any more, as with moments.
        found = found or await asyncio.to_thread(self._first_after, 0, wanted)
        self._note = "" if found else f"nothing in this log says {words!r}: try {PLACES}"
        if found:
            self.player.playing = False
            self.player.go(found)
        self._changed()

    def _first_after(self, after: int, wanted: str) -> int:
        """Return the first event after a number whose line has the words; 0 where none has."""
        while after < self._recording.count:
            events = self._fetch(after, CHUNK)
            for event in events:
                said = line_of(event)
                if wanted in f"{said.kind} {said.actor} {said.words}".lower():
                    return event.seq
            if not events:
                break
            after = events[-1].seq
        return 0

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
