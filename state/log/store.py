"""The store: the only code that opens a live log for writing.

It loads SQLAlchemy, so a console never imports it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from state.base import canonical
from state.base.clock import Clock
from state.base.codec import LOG, Notes
from state.base.json import JsonObject
from state.events.event import REDACTED_BODY, Draft, Event
from state.events.log import LogOpened, LogRedacted
from state.log.chain import Chain, log_id_of
from state.log.errors import Damage, LogDamagedError, LogError, LogExistsError
from state.log.layout import INSERT, NEWEST, SCHEMA_SHA256, peek, schema_sql
from state.log.locks import (
    EngineLock,
    WriteLock,
    check_filesystem,
    check_place,
    make_directory,
    make_durable,
)
from state.log.redact import blank, check_target
from state.log.rows import LOG_ID, Row, event_of, seal
from state.log.stamp import Stamper
from state.log.table import TABLE, open_engine, raw_connection
from state.log.trouble import StoreState, reason_of
from state.log.writer import Head, Writer

LARGEST_CHUNK = 500
"""How many events one read returns at most: a longer one would hold up the writer."""

# Checked before anything else, in some 4 ms; the rest is checked while the launch goes on.
_TAIL = 1000
# What consoles and the engine usually re-read: served without waiting for a commit under way.
_KEPT = 2000


class LogStore:
    """One log, open for appending by this process.

    Every method may be called from every thread. Readers in other processes use ``state.log.reader``.
    """

    connection_class: ClassVar[type[sqlite3.Connection]] = sqlite3.Connection

    def __init__(self, path: Path, clock: Clock, session: str, probe_every_s: float, alone: bool) -> None:
        self.path = path
        self._engine_lock = EngineLock(path, session=session) if alone else None
        self._write_lock: WriteLock | None = None
        self._engine = open_engine(path, self.connection_class)
        try:
            self._write_lock = WriteLock(path)
            stamper = Stamper(clock, session)
            with self._write_lock.held():
                self.log_id, tail = _examine(self._engine, path)
        except BaseException:
            self._release()
            raise
        newest = tail[-1]
        head = Head(newest.seq, newest.hash, canonical.anchor(self.log_id, newest.seq, newest.hash))
        self._recent = deque(tail, maxlen=_KEPT)
        self._redacted: set[int] = set()
        self._writer = Writer(
            *(path, self._engine, self._write_lock, stamper),
            log_id=self.log_id,
            head=head,
            probe_every_s=probe_every_s,
        )
        self._writer.on_events.append(self._recent.extend)
        self._closed = False

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        clock: Clock,
        session: str,
        log_id: str | None = None,
        version: str = "",
        probe_every_s: float = 0.25,
    ) -> Self:
        """Make a new log with its first event, ``log.opened``; ``version`` is the program's.

        The file exists under its name only when it is complete. Raises LogError, CanonicalError.
        """
        make_directory(path.parent)
        check_filesystem(path)
        held = EngineLock(path, session=session)
        try:
            if path.exists():
                raise LogExistsError(f"{path} exists already: open it, or name another file for a new log")
            _build(path, Stamper(clock, session), log_id or str(uuid.uuid4()), version)
        finally:
            # Another engine may get in between: then `open` names it.
            held.close()
        return cls.open(path, clock=clock, session=session, probe_every_s=probe_every_s)

    @classmethod
    def open(
        cls, path: Path, *, clock: Clock, session: str, probe_every_s: float = 0.25, alone: bool = True
    ) -> Self:
        """Open an existing log after checking its format, schema text and last 1000 events.

        With ``alone`` false a second writer is let in beside an engine, as a repair tool needs it.
        Raises LogError.
        """
        check_place(path)
        peek(path)
        return cls(path, clock, session, probe_every_s, alone)

    @property
    def alone(self) -> bool:
        """Whether nobody else can have the log as an engine: see ``EngineLock.ours``."""
        return self._engine_lock is None or self._engine_lock.ours()

    @property
    def head(self) -> Head:
        """The last event that was committed."""
        return self._writer.head

    @property
    def state(self) -> StoreState:
        """Whether the log is being written at the moment, and if not, why."""
        return self._writer.state

    def append(self, draft: Draft) -> Future[Event]:
        """Queue one event; the future resolves when it is durable.

        Raises CanonicalError, LogClosedError, LogFrozenError; the future fails with LogError.
        """
        answer: Future[Event] = Future()
        answer.set_running_or_notify_cancel()  # a waiter that gives up can't take the event back
        self._writer.put((draft,), lambda events: answer.set_result(events[-1]), answer.set_exception)
        return answer

    def append_many(self, drafts: Sequence[Draft]) -> Future[list[Event]]:
        """Queue events that are written together or not at all, in this order; else as ``append``."""
        answer: Future[list[Event]] = Future()
        answer.set_running_or_notify_cancel()
        if not drafts:
            answer.set_result([])
            return answer
        own = len(drafts)
        self._writer.put(tuple(drafts), lambda events: answer.set_result(events[-own:]), answer.set_exception)
        return answer

    async def write(self, draft: Draft) -> Event:
        """Append one event and wait until it is durable; raises as ``append`` does."""
        return await asyncio.wrap_future(self.append(draft))

    async def write_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """Append events as one and wait until they are durable; raises as ``append`` does."""
        return await asyncio.wrap_future(self.append_many(drafts))

    def read(self, after: int, limit: int = LARGEST_CHUNK) -> list[Event]:
        """Return up to ``limit`` (at most 500) committed events with a sequence number over ``after``.

        The newest 2000 come from memory; older ones may wait for a commit under way. Raises LogError.
        """
        limit = max(0, min(limit, LARGEST_CHUNK))
        recent = list(self._recent) if self._engine_lock is not None else []
        if recent and recent[0].seq <= after + 1:
            return [self._shown(event) for event in recent if event.seq > after][:limit]
        chunk = select(TABLE).where(TABLE.c.seq > after).order_by(TABLE.c.seq).limit(limit)
        try:
            with self._writer.database, self._engine.connect() as connection:
                rows = [tuple(row) for row in connection.execute(chunk)]
        except (sqlite3.Error, DBAPIError) as error:
            raise LogError(f"{self.path} can't be read: {reason_of(error)}") from error
        return [event_of(row) for row in rows]

    def _shown(self, event: Event) -> Event:
        return replace(event, body=REDACTED_BODY) if event.seq in self._redacted else event

    def redact(self, seq: int, *, reason: str, actor: str, signed: JsonObject | None = None) -> Event:
        """Take the body of an event out for good and return the ``log.redacted`` event that says so.

        ``signed`` goes into that event's body. Waits for the rebuild of the file. Raises LogError,
        CanonicalError.
        """
        found = self.read(seq - 1, 1) if seq > 0 else []
        check_target(found[0] if found and found[0].seq == seq else None, seq)
        body = LOG.load(LogRedacted, {**(signed or {}), "seq": seq, "reason": reason}, Notes())
        said = self.append(Draft(body, ref=seq, actor=actor)).result()
        assert self._write_lock is not None
        with self._writer.database, self._write_lock.held():
            blank(self.path, seq)
        self._redacted.add(seq)
        return said

    def subscribe(self, listener: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Call ``listener`` with every group of committed events, in order, before their futures resolve.

        It runs in the writer's thread and must be quick. Returns what ends the subscription.
        """
        self._writer.on_events.append(listener)
        return lambda: self._writer.on_events.remove(listener)

    def watch(self, listener: Callable[[StoreState], None]) -> Callable[[], None]:
        """Call ``listener`` when the log freezes, when the reason changes, and when it can be written again.

        It runs in the writer's thread. Returns what ends the watch.
        """
        self._writer.on_state.append(listener)
        return lambda: self._writer.on_state.remove(listener)

    def close(self) -> None:
        """Write what is queued and give the log free. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._release()

    def _release(self) -> None:
        self._engine.dispose()
        if self._write_lock is not None:
            self._write_lock.close()
        if self._engine_lock is not None:
            self._engine_lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _examine(engine: Engine, path: Path) -> tuple[str, list[Event]]:
    """Return the log's id and its last events, after checking all that can be checked at once."""
    try:
        connection = raw_connection(engine)
        first = connection.execute("SELECT body FROM event WHERE seq=1").fetchone()
        newest = connection.execute(NEWEST, (_TAIL,)).fetchall()
    except sqlite3.OperationalError as error:
        raise LogError(f"{path} can't be opened: {reason_of(error)}") from error
    except sqlite3.DatabaseError as error:
        raise LogDamagedError(f"{path} is damaged (file): {reason_of(error)}", damage=Damage.FILE) from error
    log_id = log_id_of(first[0]) if first is not None else None
    if log_id is None:
        raise LogDamagedError(f"{path} is damaged (body): event 1 names no log", damage=Damage.BODY, seq=1)
    rows: list[Row] = newest[::-1]
    start = rows[0][0]
    assert isinstance(start, int)
    fault = Chain(log_id, after=start - 1).feed(rows)
    if fault is not None:
        raise LogDamagedError(
            f"{path} is damaged ({fault.damage.value}) at event {fault.seq}: {fault.message}",
            damage=fault.damage,
            seq=fault.seq,
        )
    return log_id, [event_of(row) for row in rows]


def _build(path: Path, stamper: Stamper, log_id: str, version: str) -> None:
    """Make a complete log beside its name, and give it the name last."""
    if LOG_ID.fullmatch(log_id) is None:
        raise canonical.CanonicalError("log_id: a uuid in lower case is expected")
    opened = LogOpened(
        app="launch-console",
        log_id=log_id,
        schema_sha256=SCHEMA_SHA256,
        sqlite=sqlite3.sqlite_version,
        version=version,
    )
    (stamped,) = stamper.stamp((Draft(opened),))
    row = seal(log_id, 1, canonical.genesis(log_id), stamped)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=EXTRA")
            connection.execute("PRAGMA fullfsync=ON")
            connection.executescript(f"BEGIN;{schema_sql()}")
            connection.execute(INSERT, row)
            connection.execute("COMMIT")
        unfinished.rename(path)
        make_durable(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise LogError(f"{path} can't be made: {reason_of(error)}") from error
