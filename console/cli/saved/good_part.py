"""The part of a log that can be used: all of it, or what stands before its first damage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.cli.saved_log import seen_of
from state.base.numbers import plural
from state.events.event import Event
from state.log.errors import Damage, LogDamagedError, LogError, NotALogError
from state.log.reader import LARGEST_CHUNK, LogReader
from state.log.verify import VerifyReport, verify


class GoodPart:
    """The events of a log that verify, read a chunk at a time."""

    def __init__(self, reader: LogReader, report: VerifyReport) -> None:
        self._reader = reader
        self._report = report
        self.used = 0
        """How many events were given so far."""

    def events(self) -> Iterator[Event]:
        """Yield them; near a page that can't be read in ever smaller pieces."""
        # A launch that is under way grows meanwhile: what was checked is what is used.
        last, size = self._report.events, LARGEST_CHUNK
        while self.used < last:
            try:
                events = self._reader.events(self.used, min(size, last - self.used))
            except LogError:
                if size == 1:
                    return
                size = max(1, size // 8)
                continue
            if not events:
                return
            for event in events:
                self.used = event.seq
                yield event

    @property
    def damage(self) -> str:
        """What is wrong behind the events that were given, in words; nothing where the log is whole."""
        report = self._report
        if report.ok and self.used == report.events:
            return ""
        message = report.message if not report.ok else f"event {self.used + 1}: it can't be read"
        return f"damaged at {message}; only {plural(self.used, 'event')} before that counted"


@contextmanager
def good_part(log: Path) -> Iterator[GoodPart]:
    """Open the part of a log that verifies.

    Raises LogError where that is nothing.
    """
    report = verify(log, seen_of(log))
    if report.damage is Damage.NOT_A_LOG:
        raise NotALogError(report.message)
    if not report.ok and not report.events:
        message = report.message if str(log) in report.message else f"{log} is damaged at {report.message}"
        raise LogDamagedError(message, damage=report.damage, seq=report.bad_seq)
    with LogReader(log) as reader:
        yield GoodPart(reader, report)
