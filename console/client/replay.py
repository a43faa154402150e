"""A recorded launch that can be played, stepped and jumped in: nothing of it is ever written.

The view at any event comes from a keyframe in memory, a few dozen events before it (in a very long log a few
hundred), and the same fold as everywhere. Time is the log's own; between two events more than two seconds are left
out.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

from screens.kit.screen_state import Transport
from state.base.times import SECOND_US
from state.events.event import Event
from state.fold import apply, fold
from state.view.launch import LaunchView, MarkView

CHUNK = 500
"""How many events are read at a time."""
# Close enough that a step back reads and folds in less than a frame (16 ms).
_FIRST_EVERY = 64
LARGEST = 4096
"""How many keyframes are kept; then every second one goes, since each holds the graphs' points anew."""
SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0)
IDLE_S = 2.0
"""Seconds at the screen after which a stretch without events is left out."""
_DECLARING_US = SECOND_US
"""How long after its opening a launch has been declared in full."""

Fetch: TypeAlias = Callable[[int, int], Sequence[Event]]
"""Returns up to a number of events after a sequence number."""


class Recording:
    """The events of a log by number and by time, with keyframes."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._walls = array("q")
        self._keyframes = (_FIRST_EVERY, [LaunchView()])
        """How many events lie between two, and the keyframes; replaced as one: a thread reads on meanwhile."""
        self._newest = LaunchView()
        self._chunk: tuple[int, Sequence[Event]] = (-1, ())

    def read(self) -> int:
        """Take in one more chunk of the log; return how many events it had, 0 at the end."""
        events = self._fetch(len(self._walls), CHUNK)
        for event in events:
            self._newest = apply(self._newest, event)
            self._walls.append(event.wall_us)
            self._keep()
        return len(events)

    def _keep(self) -> None:
        """Take a keyframe where one is due; in a long log let every second one go."""
        every, kept = self._keyframes
        if self._newest.seq % every == 0:
            kept.append(self._newest)
            if len(kept) > LARGEST:
                self._keyframes = (every * 2, kept[::2])

    @property
    def count(self) -> int:
        """How many events are known."""
        return len(self._walls)

    @property
    def newest(self) -> LaunchView:
        """The view after all events that are known."""
        return self._newest

    def wall(self, seq: int) -> int:
        """Return when an event was written, in microseconds; 0 where there is none."""
        return self._walls[seq - 1] if 1 <= seq <= self.count else 0

    def view(self, seq: int, near: LaunchView | None = None) -> LaunchView:
        """Return the view after ``seq`` events; ``near`` is a view to go on from if it is closer."""
        seq = max(0, min(seq, self.count))
        if seq == self.count:
            return self._newest
        every, kept = self._keyframes
        start = kept[seq // every]
        if near is not None and start.seq <= near.seq <= seq:
            start = near
        return fold(self._events(start.seq, seq, every), start)

    def _events(self, after: int, until: int, every: int) -> Sequence[Event]:
        """Return events between two keyframes; the last ones that were read are kept."""
        first = after // every * every
        if self._chunk[0] != first or len(self._chunk[1]) < until - first:
            events: list[Event] = []
            while len(events) < every:
                more = self._fetch(first + len(events), min(CHUNK, every - len(events)))
                if not more:
                    break
                events += more
            self._chunk = (first, events)
        return self._chunk[1][after - first : until - first]

    def at(self, wall_us: int) -> int:
        """Return the number of the last event at or before a moment."""
        return bisect_right(self._walls, wall_us)


class Player:
    """Where a replay stands, and how it moves."""

    def __init__(self, recording: Recording, *, speed: float = 1.0) -> None:
        self.recording = recording
        self.speed = speed
        self.playing = False
        self.seq = 0
        self.now_us = 0
        self.view = LaunchView()
        self._skipped_s = 0

    def transport(self) -> Transport:
        """Return how the replay stands, for the bar."""
        first, last = self.recording.wall(1), self.recording.wall(self.recording.count)
        start = self.recording.newest.scope.opened_us or first
        return Transport(
            self.playing and self.seq < self.recording.count,
            self.speed,
            self.seq,
            self.recording.count,
            start,
            max(start, last),
            self._skipped_s,
            self.recording.newest.marks,
        )

    def go(self, seq: int, now_us: int = 0) -> None:
        """Stand after an event; at its own time, or at a given later one."""
        self.seq = max(1, min(seq, self.recording.count)) if self.recording.count else 0
        self.view = self.recording.view(self.seq, self.view)
        self.now_us = max(now_us, self.recording.wall(self.seq))
        self._skipped_s = 0

    def begin(self) -> None:
        """Stand where the launch was just declared, and play from there."""
        opened_us = self.recording.newest.scope.opened_us
        self.go(max(1, self.recording.at(opened_us + _DECLARING_US)))
        self.playing = True

    def advance(self, real_s: float) -> bool:
        """Let time at the screen pass; return whether anything changed."""
        if not self.playing or self.seq >= self.recording.count:
            return False
        position = self.now_us + int(real_s * self.speed * SECOND_US)
        upcoming = self.recording.wall(self.seq + 1)
        idle_us = int(IDLE_S * self.speed * SECOND_US)
        if upcoming - position > idle_us and position - self.recording.wall(self.seq) >= idle_us:
            self._skipped_s = (upcoming - position) // SECOND_US
            position = upcoming
        seq = self.seq
        while seq < self.recording.count and self.recording.wall(seq + 1) <= position:
            seq += 1
        if seq != self.seq:
            if self.recording.wall(seq) - self.recording.wall(self.seq) < idle_us:
                self._skipped_s = 0
            self.view = self.recording.view(seq, self.view)
            self.seq = seq
        self.now_us = position
        return True

    def step(self, by: int) -> None:
        """Go some events on or back, and pause."""
        self.playing = False
        self.go(self.seq + by)

    def faster(self, by: int) -> None:
        """Take the next higher or lower speed."""
        nearest = min(range(len(SPEEDS)), key=lambda n: abs(SPEEDS[n] - self.speed))
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, nearest + by))]

    def marker(self, by: int) -> bool:
        """Go to the next or the previous marked moment; return whether there is one."""
        marks = [m for m in self.recording.newest.marks if (m.seq > self.seq if by > 0 else m.seq < self.seq)]
        if not marks:
            return False
        self.go(marks[0 if by > 0 else -1].seq)
        return True

    def goto(self, expected: str) -> str:
        """Go where the words say; return what could not be understood or found, or nothing."""
        words = expected.strip().lower()
        if not words:
            return ""
        if words.removeprefix("#").isdecimal():
            self.go(int(words.removeprefix("#")))
            return ""
        moment = _moment(words, self.recording)
        if moment is not None:
            self.go(self.recording.at(moment), moment)
            return ""
        mark = _mark(words, self.recording.newest.marks, self.seq)
        if mark is None:
            return f"nothing here is called {expected!r}: try T+12m, 20:14, gate 6, deploy, rollback or #123"
        self.go(mark.seq)
        return ""


def _moment(words: str, recording: Recording) -> int | None:
    """Return the time that ``t+1h2m3s`` or ``20:14`` means, in microseconds, or None."""
    start = recording.newest.scope.opened_us or recording.wall(1)
    if words.startswith("t+"):
        seconds = _length(words[2:])
        return None if seconds is None else start + seconds * SECOND_US
    parts = words.rstrip("z").split(":")
    if not 2 <= len(parts) <= 3 or not all(p.isdigit() and len(p) <= 2 for p in parts):
        return None
    expected = sum(int(p) * size for p, size in zip(parts, (3600, 60, 1), strict=False)) * SECOND_US
    day = 86_400 * SECOND_US
    moment = start - start % day + expected
    return moment if moment >= start - 60 * SECOND_US else moment + day


def _length(words: str) -> int | None:
    """Return ``1h2m3s``, ``12m``, ``90`` or ``1:02:03`` in seconds, or None."""
    if ":" in words:
        parts = words.split(":")
        if len(parts) > 3 or not all(p.isdigit() for p in parts):
            return None
        return sum(int(p) * size for p, size in zip(reversed(parts), (1, 60, 3600), strict=False))
    total, digits = 0, ""
    for char in words.replace(" ", ""):
        if char.isdigit():
            digits += char
        elif char in "hms" and digits:
            total += int(digits) * {"h": 3600, "m": 60, "s": 1}[char]
            digits = ""
        else:
            return None
    return total + int(digits or 0) if total or digits else None


def _mark(words: str, marks: Sequence[MarkView], seq: int) -> MarkView | None:
    """Return the next mark that has the words in its label, or the first one of the launch."""
    found = [m for m in marks if words in m.label.lower() and not _longer_gate(words, m.label.lower())]
    return next((m for m in found if m.seq > seq), found[0] if found else None)


def _longer_gate(words: str, label: str) -> bool:
    """Return whether ``gate 1`` would wrongly find ``gate 10``."""
    end = label.find(words) + len(words)
    return words[-1:].isdigit() and label[end : end + 1].isdigit()
