"""A recorded launch that can be played, stepped and jumped in: nothing of it is ever written.

The view at any event comes from a keyframe in memory, a few dozen events before it (in a very long log a few
hundred), and the same fold as everywhere. Time is the log's own; between two events more than two seconds are left
out.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

from console.client.destinations import PLACES, moment_of, place_of, pointer
from screens.kit.screen_state import Transport
from state.base.times import SECOND_US
from state.events.event import Event
from state.fold import apply, fold
from state.fold.moments import moment
from state.view.launch import LaunchView
from state.view.moments import WEIGHT, Moment, MomentKind

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

_SHOWN = 600
"""Into how many parts the timeline is cut; of each the weightiest moment is shown."""

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
        self._moments: list[Moment] = []
        self._shown: tuple[int, tuple[Moment, ...]] = (0, ())
        """Of how many moments, and the weightiest of each part of the time."""
        self._chunk: tuple[int, Sequence[Event]] = (-1, ())

    def read(self) -> int:
        """Take in one more chunk of the log; return how many events it had, 0 at the end."""
        events = self._fetch(len(self._walls), CHUNK)
        for event in events:
            found = moment(self._newest, event)
            if found is not None:
                self._moments.append(found)
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
    def moments(self) -> Sequence[Moment]:
        """All moments worth jumping to that are known, in the log's order."""
        return self._moments

    @property
    def shown_moments(self) -> tuple[Moment, ...]:
        """As many of them as a timeline can show: the weightiest of each part of the time."""
        count, known = self._shown
        if count != len(self._moments):
            moments = self._moments[:]  # a thread may read on meanwhile
            first = moments[0].at_us
            length = max(1, moments[-1].at_us - first)
            best: dict[int, Moment] = {}
            for one in moments:
                part = max(0, one.at_us - first) * _SHOWN // length
                if part not in best or WEIGHT[best[part].kind] <= WEIGHT[one.kind]:
                    best[part] = one
            known = tuple(sorted(best.values(), key=lambda one: WEIGHT[one.kind]))
            self._shown = (len(moments), known)
        return known

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
        self._kinds: tuple[str, ...] = (MomentKind.BREACH, MomentKind.TRIP)
        """Which moments were asked for last."""

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
            self.recording.shown_moments,
            self._here(),
            pointer(self.recording.newest.log_id, self.seq),
        )

    def _here(self) -> Moment | None:
        """Return the moment that it stands on, or None."""
        known = self.recording.moments
        at = bisect_left(known, self.seq, key=lambda one: one.seq)
        return known[at] if at < len(known) and known[at].seq == self.seq else None

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
        """Go to the next or the previous moment, and pause; return whether there is one."""
        return self._to(self._beyond(by, lambda _: True))

    def next_of(self, kinds: str) -> str:
        """Go to the next moment of some kinds, ``breach trip``, and pause; return that there is none, or nothing.

        ``failure``: anything that went wrong.
        """
        self._kinds = tuple(kinds.split())
        return self.same(1)

    def same(self, by: int) -> str:
        """Go to the next or the previous moment of the kinds that were asked for last; see ``next_of``."""
        kinds = self._kinds
        if self._to(self._beyond(by, lambda one: any(one.is_called(kind) for kind in kinds))):
            return ""
        there = self._beyond(-by, lambda one: any(one.is_called(kind) for kind in kinds)) is not None
        back = ("; { goes to the one before" if by > 0 else "; } goes to the one after") if there else ""
        return f"no {' or '.join(kinds)} {'after' if by > 0 else 'before'} this{back}"

    def _beyond(self, by: int, fits: Callable[[Moment], bool]) -> Moment | None:
        known = self.recording.moments
        if by > 0:
            start = bisect_right(known, self.seq, key=lambda one: one.seq)
            return next((one for one in known[start:] if fits(one)), None)
        end = bisect_left(known, self.seq, key=lambda one: one.seq)
        return next((one for one in reversed(known[:end]) if fits(one)), None)

    def _to(self, found: Moment | None) -> bool:
        if found is not None:
            self.playing = False
            self.go(found.seq)
        return found is not None

    def goto(self, expected: str) -> str:
        """Go where the words say; return what could not be understood or found, or nothing."""
        words = " ".join(expected.lower().split())
        if not words:
            return ""
        try:
            place = place_of(words, self.recording.newest.log_id)
        except ValueError as error:
            return str(error)
        if place is not None:
            self.go(place)
            return ""
        at = moment_of(words, self.recording.newest.scope.opened_us or self.recording.wall(1))
        if at is not None:
            self.go(self.recording.at(at), at)
            return ""
        if self._to(self._called(words)):
            return ""
        return f"nothing here is called {expected!r}: try {PLACES}"

    def _called(self, words: str) -> Moment | None:
        """Return the moment that words mean: the next such one, or from the beginning where none comes any more."""
        known = self.recording.moments
        order, _, rest = words.partition(" ")
        if order in {"first", "last", "next", "previous"} and rest:
            if order in {"next", "previous"}:
                return self._beyond(1 if order == "next" else -1, lambda one: one.is_called(rest))
            return next(
                (m for m in (known if order == "first" else reversed(known)) if m.is_called(rest)), None
            )
        found = [one for one in known if one.is_called(words)]
        return next((one for one in found if one.seq > self.seq), found[0] if found else None)
