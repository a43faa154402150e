"""Reading a log that somebody else may be writing: read-only, in short chunks, standard library alone."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from state.base import canonical
from state.events.event import Event
from state.log.chain import log_id_of
from state.log.errors import Damage, LogDamagedError, LogError
from state.log.layout import (
    NEWEST,
    OF_KINDS,
    SELECT_CHUNK,
    check_file,
    check_layout,
    is_broken_text,
    is_hot,
    open_read_only,
)
from state.log.rows import Row, event_of
from state.log.snapshot import Snapshot, state_of

LARGEST_CHUNK = 500
"""How many events one read returns at most: a longer one would hold up the writer."""


class LogReader:
    """A log, open for reading. Bytes and times of the file are the same before and after.

    ``log_id`` is the id that event 1 gives it. Methods may be called from every thread and raise LogError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._con: sqlite3.Connection | None = None
        self._copy: Snapshot | None = None
        check_file(path)
        try:
            self.log_id = self._read_id()
        except BaseException:
            self.close()
            raise

    def events(self, after: int, limit: int = LARGEST_CHUNK) -> list[Event]:
        """Return up to ``limit`` (at most 500) events with a sequence number over ``after``."""
        expected = max(0, min(limit, LARGEST_CHUNK))
        return [event_of(row) for row in self._rows(SELECT_CHUNK, (after, expected))]

    def every(self, after: int = 0) -> Iterator[Event]:
        """Yield all events over ``after`` that there are, a chunk at a time."""
        while chunk := self.events(after):
            yield from chunk
            after = chunk[-1].seq

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all events as they are stored, a chunk at a time: with salts, digests and links."""
        after = 0
        while chunk := self._rows(SELECT_CHUNK, (after, LARGEST_CHUNK)):
            yield from chunk
            after += len(chunk)

    def of_kinds(self, kinds: Iterable[str]) -> Iterator[Event]:
        """Yield the events of some kinds, without decoding the others."""
        expected, after = json.dumps(sorted(kinds)), 0
        while rows := self._rows(OF_KINDS, (expected, after, LARGEST_CHUNK)):
            chunk = [event_of(row) for row in rows]
            yield from chunk
            after = chunk[-1].seq

    def count(self) -> int:
        """Return how many events there are: the newest sequence number."""
        rows = self._rows(NEWEST, (1,))
        return event_of(rows[0]).seq if rows else 0

    def first(self) -> Event:
        """Return event 1."""
        return self._only(self._rows(SELECT_CHUNK, (0, 1)))

    def last(self) -> Event:
        """Return the newest event."""
        return self._only(self._rows(NEWEST, (1,)))

    def event(self, seq: int) -> Event | None:
        """Return one event by its sequence number, or None where there is none."""
        rows = self._rows(SELECT_CHUNK, (seq - 1, 1))
        return event_of(rows[0]) if rows and rows[0][0] == seq else None

    def head(self) -> str:
        """Return the anchor of the newest event, ``lc1:…``."""
        newest = self.last()
        return canonical.anchor(self.log_id, newest.seq, newest.hash)

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _read_id(self) -> str:
        rows = self._rows(SELECT_CHUNK, (0, 1))
        body = rows[0][11] if rows else None
        log_id = log_id_of(body) if isinstance(body, str) else None
        if log_id is None:
            raise LogDamagedError(f"{self.path} is damaged: event 1 names no log", damage=Damage.BODY, seq=1)
        return log_id

    def _rows(self, sql: str, values: tuple[int | str, ...]) -> list[Row]:
        try:
            with self._guard:
                self._leave_old_copy()
                try:
                    return self._connected().execute(sql, values).fetchall()
                except sqlite3.OperationalError as error:
                    if not is_hot(error) or self._copy is not None:
                        raise
                    self._drop()
                    self._copy = Snapshot(self.path)
                    return self._connected().execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if is_broken_text(error):
                raise self._damaged(Damage.BODY, "a text is not UTF-8") from None
            raise LogError(f"{self.path} can't be read: {error}") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(Damage.FILE, str(error)) from None
        except OSError as error:
            raise LogError(f"{self.path} can't be read: {error.strerror}") from error

    def _connected(self) -> sqlite3.Connection:
        if self._con is None:
            con = open_read_only(self.path) if self._copy is None else self._copy.connect()
            try:
                check_layout(con, str(self.path))
            except BaseException:
                con.close()
                raise
            self._con = con
        return self._con

    def _leave_old_copy(self) -> None:
        """Go back to the log itself once its writer is back."""
        if self._copy is not None:
            with suppress(OSError):
                if state_of(self.path) == self._copy.state:
                    return
            self._drop()

    def _drop(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def _damaged(self, damage: Damage, what: str) -> LogDamagedError:
        hint = "launch-console verify names the first bad event"
        return LogDamagedError(f"{self.path} is damaged ({damage.value}): {what}; {hint}", damage=damage)

    def _only(self, rows: list[Row]) -> Event:
        if not rows:
            raise self._damaged(Damage.TRUNCATED, "it has no events")
        return event_of(rows[0])
