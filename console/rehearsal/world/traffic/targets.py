"""Scrape targets: when each is scraped, and the samples that come of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from console.rehearsal.sim.prometheus.series import Labels, Series
from console.rehearsal.world.traffic.exported import Exported

_CHUNK = 64
_MOST_CHUNKS = 16

Sums = Callable[[int], Sequence[float]]
"""The sums of requests at a time in milliseconds, by ``Flow``."""


@dataclass(slots=True)
class _Chunk:
    """Some consecutive scrapes; it grows while time goes on. A row of None is a staleness marker."""

    next_scrape: int
    times: list[int] = field(default_factory=list)
    rows: list[Sequence[float] | None] = field(default_factory=list)
    up_times: list[int] = field(default_factory=list)
    up: list[float | None] = field(default_factory=list)
    values: dict[Exported, list[float | None]] = field(default_factory=dict)

    def of(self, exported: Exported) -> list[float | None]:
        """Return a series' values at ``times``, made once each."""
        known = self.values.get(exported)
        if known is None:
            known = self.values[exported] = []
        elif len(known) == len(self.rows):
            return known
        missing = len(known)
        if missing < len(self.rows):
            rows = self.rows[missing:]
            there = [(at, row) for at, row in zip(self.times[missing:], rows, strict=True) if row is not None]
            made = iter(exported.values([at for at, _ in there], [row for _, row in there]))
            known.extend(None if row is None else next(made) for row in rows)
        return known


@dataclass(slots=True, eq=False)
class ScrapeTarget:
    """A program that is scraped every ``interval_ms``, at its own offset, while it lives.

    ``reached`` tells whether a scrape at a time succeeds; ``sums`` gives the sums its values follow from.
    Without ``up_labels`` it is part of another target, which has the ``up``. Where it is ``followed`` by
    the same target (its container was started again) its ``up`` goes on.
    """

    labels: Labels
    up_labels: Labels | None
    exported: list[Exported]
    start_ms: int
    end_ms: int | None
    interval_ms: int
    offset_ms: int
    reached: Callable[[int], bool]
    sums: Sums
    followed: bool = False
    _chunks: dict[int, _Chunk] = field(default_factory=dict)

    def last_scrape_ms(self, now_ms: int) -> int:
        """Return the time of the newest scrape."""
        return (now_ms - self.offset_ms) // self.interval_ms * self.interval_ms + self.offset_ms

    def lives(self, start_ms: int, end_ms: int) -> bool:
        """Return whether there can be samples in a span of time."""
        gone = self.end_ms is not None and self.end_ms + self.interval_ms < start_ms
        return self.start_ms <= end_ms and not gone

    def _spanned(self, start_ms: int, end_ms: int, now_ms: int) -> list[_Chunk]:
        """Return the chunks of a span, each grown up to ``now_ms``."""
        start_ms = max(start_ms, self.start_ms)
        if self.end_ms is not None:
            end_ms = min(end_ms, self.end_ms + self.interval_ms)
        newest = (min(end_ms, now_ms) - self.offset_ms) // self.interval_ms
        oldest = -((self.offset_ms - start_ms) // self.interval_ms)
        out: list[_Chunk] = []
        for number in range(oldest // _CHUNK, newest // _CHUNK + 1):
            chunk = self._chunks.get(number)
            if chunk is None:
                while len(self._chunks) >= _MOST_CHUNKS:
                    del self._chunks[next(iter(self._chunks))]
                chunk = self._chunks[number] = _Chunk(number * _CHUNK)
            self._grow(chunk, min((number + 1) * _CHUNK - 1, newest))
            out.append(chunk)
        return out

    def _grow(self, chunk: _Chunk, last: int) -> None:
        while chunk.next_scrape <= last:
            at = chunk.next_scrape * self.interval_ms + self.offset_ms
            chunk.next_scrape += 1
            if at < self.start_ms:
                continue
            before = at - self.interval_ms
            if self.end_ms is not None and at >= self.end_ms:
                if before < self.end_ms:
                    if not self.followed:
                        chunk.up_times.append(at)
                        chunk.up.append(None)
                    if before >= self.start_ms and self.reached(before):
                        chunk.times.append(at)
                        chunk.rows.append(None)
                continue
            reached = self.reached(at)
            chunk.up_times.append(at)
            chunk.up.append(1.0 if reached else 0.0)
            if reached:
                chunk.times.append(at)
                chunk.rows.append(self.sums(at))
            elif before >= self.start_ms and self.reached(before):
                chunk.times.append(at)
                chunk.rows.append(None)

    def series(self, chosen: Sequence[Exported], start_ms: int, end_ms: int, now_ms: int) -> list[Series]:
        """Return series with their samples from ``start_ms`` to ``end_ms``, but none after ``now_ms``."""
        end_ms = min(end_ms, now_ms)
        pieces: list[tuple[_Chunk, int, int]] = []
        times: list[int] = []
        for chunk in self._spanned(start_ms, end_ms, now_ms):
            low, high = bisect_left(chunk.times, start_ms), bisect_right(chunk.times, end_ms)
            if high > low:
                pieces.append((chunk, low, high))
                times.extend(chunk.times[low:high])
        out: list[Series] = []
        born: dict[Exported | None, int] = {None: 0}
        for exported in chosen if times else ():
            values = _joined(pieces, exported)
            gate = exported if exported.gated else exported.born_with
            if gate is not None and gate not in born:  # a histogram's series are born together
                born[gate] = _born(pieces, gate)
            first = born[gate]
            if first < len(times):
                out.append(Series(exported.labels, times[first:] if first else times, values[first:]))
        return out

    def up(self, start_ms: int, end_ms: int, now_ms: int) -> list[Series]:
        """Return the series ``up`` of this target."""
        if self.up_labels is None:
            return []
        end_ms = min(end_ms, now_ms)
        times: list[int] = []
        values: list[float | None] = []
        for chunk in self._spanned(start_ms, end_ms, now_ms):
            low, high = bisect_left(chunk.up_times, start_ms), bisect_right(chunk.up_times, end_ms)
            times.extend(chunk.up_times[low:high])
            values.extend(chunk.up[low:high])
        return [Series(self.up_labels, times, values)] if times else []


def _born(pieces: list[tuple[_Chunk, int, int]], gate: Exported) -> int:
    """Return from which sample on the series with this gate are exported."""
    place = 0
    for chunk, low, high in pieces:
        for value in chunk.of(gate)[low:high]:
            if value:
                return place
            place += 1
    return place


def _joined(pieces: list[tuple[_Chunk, int, int]], exported: Exported) -> list[float | None]:
    if len(pieces) == 1:
        chunk, low, high = pieces[0]
        return chunk.of(exported)[low:high]
    return [value for chunk, low, high in pieces for value in chunk.of(exported)[low:high]]


def merged(series: Sequence[Series]) -> list[Series]:
    """Return series with one for each label set: the lives of a restarted container follow each other.

    Where a life's staleness marker and the next life's first sample come of the same scrape, the sample counts.
    """
    out: dict[Labels, Series] = {}
    for one in series:
        first = out.get(one.labels)
        if first is None:
            out[one.labels] = one
        else:
            early, late = sorted((first, one), key=lambda part: part.times[0])
            kept = len(early.times) - (early.times[-1] == late.times[0])
            times, values = [*early.times[:kept], *late.times], [*early.values[:kept], *late.values]
            out[one.labels] = Series(one.labels, times, values)
    return list(out.values())
