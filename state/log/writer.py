"""The writer thread: one queue, group commit, and an answer only after COMMIT returned.

A COMMIT that raised may still be in the file, so after a failure the ids decide what is retried, and an event
that was found there is answered only together with a later commit that worked.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from sqlalchemy import Engine

from state.base import canonical
from state.events.event import Draft, Event
from state.events.log import LogRecovered
from state.events.world import MetricBatch, MetricGap
from state.log.errors import (
    Damage,
    LogClosedError,
    LogDamagedError,
    LogError,
    LogFrozenError,
    LogMissingError,
)
from state.log.layout import INSERT, SELECT_CHUNK
from state.log.locks import WriteLock
from state.log.rows import Cells, Row, Stamped, cells, event_of, seal
from state.log.stamp import Stamper
from state.log.table import raw_connection
from state.log.trouble import REFUSED_WHILE_FROZEN, StoreState, Unit, failure, reason_of

# A commit costs five syncs whatever it holds; in a larger group the first event waits for the last.
LARGEST_GROUP = 64
# Minutes of a busy launch while the disk is full; after that memory is at stake.
LARGEST_BACKLOG = 20_000
# A hiccup is over within 0.15 s; anything longer is a freeze that people must see.
ATTEMPTS = 3

_RETRY_S = 0.05
_News = TypeVar("_News")
_Answer: TypeAlias = "tuple[Unit, list[Event] | LogError]"
# SQLite takes a negative LIMIT for none.
_NO_LIMIT = -1
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a log."""

    seq: int
    hash: str
    """64 hexadecimal digits."""
    anchor: str


class Writer:
    """Owns the one connection that writes, and the thread that uses it."""

    def __init__(
        self,
        path: Path,
        engine: Engine,
        lock: WriteLock,
        stamper: Stamper,
        *,
        log_id: str,
        head: Head,
        probe_every_s: float,
    ) -> None:
        self.path = path
        self.log_id = log_id
        self.head = head
        self.state = StoreState()
        self.engine = engine
        self.database = threading.Lock()
        """Held while the connection is in use."""
        self.on_events: list[Callable[[Sequence[Event]], None]] = []
        self.on_state: list[Callable[[StoreState], None]] = []
        self._lock = lock
        self._stamper = stamper
        self._probe_every_s = probe_every_s
        self._inode = path.stat().st_ino
        self._queue: deque[Unit] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failure: Unit | None = None
        self._dropped = self._dropped_told = 0
        self._last_reason = ""
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(
        self,
        drafts: Sequence[Draft],
        done: Callable[[list[Event]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Stamp drafts now and queue them as one unit.

        Raises CanonicalError, LogClosedError, or LogFrozenError where these may not wait for a frozen log.
        """
        with self._changed:
            if self._closing:
                raise LogClosedError(f"{self.path} is closed")
            if self.state.frozen and any(draft.kind in REFUSED_WHILE_FROZEN for draft in drafts):
                self._dropped += sum(draft.kind == MetricBatch.KIND for draft in drafts)
                raise LogFrozenError(self.state.reason)
            if len(self._queue) >= LARGEST_BACKLOG:
                raise LogFrozenError(f"{len(self._queue)} events wait for {self.path}: no more are taken")
            # Stamped under the lock, so that times rise in the order of the queue.
            self._queue.append(Unit(self._stamper.stamp(drafts), done, failed))
            self._changed.notify()

    def close(self) -> None:
        """Write what is queued, then end. What can't be written is answered with LogFrozenError."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (units := self._take()) is not None:
            if self._write(units):
                continue
            self._freeze(units)
            if self._closing:
                self._give_up()
                return

    def _take(self) -> list[Unit] | None:
        """Wait for units and return at most a group of them; None ends the thread."""
        with self._changed:
            if self.state.frozen and not self._closing:
                self._changed.wait_for(lambda: self._closing, self._probe_every_s)
            while not (self._queue or self._closing or self.state.frozen):
                self._changed.wait()
            if not self._queue and not self.state.frozen:
                return None
            units: list[Unit] = []
            size = 0
            while self._queue and (not units or size + len(self._queue[0].stamped) <= LARGEST_GROUP):
                units.append(self._queue.popleft())
                size += len(units[-1].stamped)
            return units

    def _write(self, units: list[Unit]) -> bool:
        # While frozen every probe is a single attempt: the next one follows anyway.
        for attempt in range(1 if self.state.frozen else ATTEMPTS):
            if attempt:
                # Real time, whatever clock the launch has: this waits for a disk.
                threading.Event().wait(_RETRY_S * attempt)
            try:
                first = [self._failure] if self._failure is not None else []
                answers, events = self._transaction([*first, *units, *self._recovery()])
            except Exception as error:
                self._failed(error)
            else:
                self._succeeded(answers, events)
                return True
        return False

    def _transaction(self, units: list[Unit]) -> tuple[list[_Answer], list[Event]]:
        """Commit units; return what each is answered, and every event that is new in the file.

        What need not happen in the turn to write is done before it or after: another writer may wait for it.
        """
        # SQLite would go on writing into an unlinked file without any error.
        self._check_same_file()
        places: list[tuple[Unit, list[str] | LogError]] = []
        rows: list[Cells] = []
        with self.database:
            connection = raw_connection(self.engine)
            # flock first: a process waiting for its turn must not hold a lock of SQLite's.
            with self._lock.held(), _immediate(connection):
                there = self._after_head(connection)
                present = {row[1] for row in there}
                seq, prev = _place(there[-1]) if there else (self.head.seq, bytes.fromhex(self.head.hash))
                for unit in units:
                    if any(one.ref is not None and one.ref > seq + n for n, one in enumerate(unit.stamped)):
                        places.append((unit, LogError("an event refers to one that isn't in the log yet")))
                        continue
                    for one in unit.stamped:
                        if one.eid not in present:
                            rows.append(seal(self.log_id, seq + 1, prev, one))
                            seq, prev = rows[-1]["seq"], rows[-1]["hash"]
                    places.append((unit, [one.eid for one in unit.stamped]))
                connection.executemany(INSERT, rows)
        new = [event_of(row) for row in (*there, *map(cells, rows))]
        self.head = Head(seq, prev.hex(), canonical.anchor(self.log_id, seq, prev.hex()))
        found = {event.eid: event for event in new}
        answers: list[_Answer] = [
            (unit, eids if isinstance(eids, LogError) else [found[eid] for eid in eids])
            for unit, eids in places
        ]
        return answers, new

    def _after_head(self, connection: sqlite3.Connection) -> list[Row]:
        """Return what came after the last commit that returned: ghosts, and other writers' events."""
        rows: list[Row] = connection.execute(SELECT_CHUNK, (self.head.seq - 1, _NO_LIMIT)).fetchall()
        if not rows or _place(rows[0]) != (self.head.seq, bytes.fromhex(self.head.hash)):
            (seq,) = connection.execute("SELECT coalesce(max(seq),0) FROM event").fetchone()
            raise LogDamagedError(
                f"{self.path} lost events: it ends at {seq}, {self.head.seq} were acknowledged",
                damage=Damage.TRUNCATED,
                seq=seq + 1,
            )
        return rows[1:]

    def _check_same_file(self) -> None:
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            raise LogMissingError(f"{self.path} was moved away while it is being written") from None
        if inode != self._inode:
            raise LogMissingError(f"{self.path} was replaced by another file while it is being written")

    def _succeeded(self, answers: list[_Answer], events: list[Event]) -> None:
        self._failure = None
        thawed = self.state.frozen
        if thawed:
            with self._changed:
                self.state = StoreState()
                if missed := self._dropped - self._dropped_told:
                    self._queue.append(Unit(self._stamp(self._gap(missed))))
                self._dropped = self._dropped_told = 0
        if events:
            _tell(tuple(self.on_events), events)
        for unit, got in answers:
            if isinstance(got, list):
                unit.done(got)
            else:
                unit.failed(got)
        if thawed:
            self._tell_state()

    def _failed(self, error: BaseException) -> None:
        self._last_reason = reason_of(error)
        if self._failure is None:
            self._failure = Unit(self._stamp(Draft(failure(error))))
        with self.database:
            # Whatever state SQLite is in: the next attempt opens a new connection and reads the head again.
            self.engine.dispose()

    def _freeze(self, units: list[Unit]) -> None:
        """Stop acting on the log: refuse what may not wait, keep the rest, and say so once."""
        with self._changed:
            refused = [unit for unit in units if unit.refused_while_frozen()]
            kept = [unit for unit in units if not unit.refused_while_frozen()]
            if not self.state.frozen:
                refused += [unit for unit in self._queue if unit.refused_while_frozen()]
                held = [unit for unit in self._queue if not unit.refused_while_frozen()]
                self._queue = deque(held)
            self._queue.extendleft(reversed(kept))
            self._dropped += sum(s.kind == MetricBatch.KIND for unit in refused for s in unit.stamped)
            news = not self.state.frozen or self.state.reason != self._last_reason
            since = self.state.since_us or self._since_us()
            self.state = StoreState(True, self._last_reason, since, len(self._queue), self._dropped)
        for unit in refused:
            unit.failed(LogFrozenError(self._last_reason))
        if news:
            self._tell_state()

    def _recovery(self) -> list[Unit]:
        """Return what is written, after all that waited, by the commit that ends a freeze."""
        if not self.state.frozen:
            return []
        with self._changed:
            self._dropped_told = self._dropped
        recovered = Draft(LogRecovered(self.state.reason, self.state.since_us))
        gap = [self._gap(self._dropped_told)] if self._dropped_told else []
        return [Unit(self._stamp(*gap, recovered))]

    def _gap(self, dropped: int) -> Draft:
        return Draft(MetricGap(self.state.reason or "the log was frozen", dropped=dropped))

    def _give_up(self) -> None:
        with self._changed:
            units = list(self._queue)
            self._queue.clear()
        for unit in units:
            unit.failed(LogFrozenError(f"closed before it could be written: {self.state.reason}"))

    def _stamp(self, *drafts: Draft) -> list[Stamped]:
        with self._changed:
            return self._stamper.stamp(drafts)

    def _since_us(self) -> int:
        return self._failure.stamped[-1].wall_us if self._failure is not None else 0

    def _tell_state(self) -> None:
        _tell(tuple(self.on_state), self.state)


def _tell(listeners: Sequence[Callable[[_News], None]], news: _News) -> None:
    for listener in listeners:
        try:
            listener(news)
        except Exception:
            _logger.exception("a listener of the log failed")


def _place(row: Row) -> tuple[int, bytes]:
    """Return an event's number and hash."""
    seq, digest = row[0], row[-1]
    if not isinstance(seq, int) or not isinstance(digest, bytes):
        raise LogDamagedError(f"event {seq!r} is damaged (schema): its hash is none", damage=Damage.SCHEMA)
    return seq, digest


@contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for the turn to write at SQLite's door too; commit at the end of the block."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise
