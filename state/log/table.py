"""The event table as sqlmodel sees it, and the connections that may write to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, Integer, LargeBinary, Text, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlmodel import Field, SQLModel

from state.log.errors import LogError
from state.log.layout import check_layout

_PRAGMAS = (
    # FULL is as safe in PERSIST mode; EXTRA would be in DELETE mode too (docs/decisions.md).
    "synchronous=EXTRA",
    # Otherwise INSERT OR REPLACE deletes rows past the trigger that forbids it.
    "recursive_triggers=ON",
    "foreign_keys=ON",
    # macOS only: a plain fsync may leave data in the drive's cache.
    "fullfsync=ON",
    "checkpoint_fullfsync=ON",
    # A redacted body must not survive in a free page.
    "secure_delete=ON",
    "trusted_schema=OFF",
    # Report a damaged page when it is read, not later.
    "cell_size_check=ON",
    # With a mapped file, an I/O error would be a SIGBUS instead of an error code.
    "mmap_size=0",
    "busy_timeout=10000",
)
_READABLE_PRAGMAS = frozenset(
    {"application_id", "user_version", "journal_mode", *(pragma.partition("=")[0] for pragma in _PRAGMAS)}
    | {"read_uncommitted"}
)
_ALWAYS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_TRANSACTION}
)


class EventRow(SQLModel, table=True):
    """One row of ``event``. The table itself is made by schema.sql alone, never from here."""

    __tablename__ = "event"

    seq: int = Field(sa_column=Column("seq", Integer, primary_key=True, autoincrement=False))
    eid: str = Field(sa_column=Column("eid", Text, nullable=False))
    type: str = Field(sa_column=Column("type", Text, nullable=False))
    gate: str | None = Field(sa_column=Column("gate", Text))
    ref: int | None = Field(sa_column=Column("ref", Integer))
    actor: str = Field(sa_column=Column("actor", Text, nullable=False))
    session: str = Field(sa_column=Column("session", Text, nullable=False))
    boot: str = Field(sa_column=Column("boot", Text, nullable=False))
    wall_us: int = Field(sa_column=Column("wall_us", Integer, nullable=False))
    mono_us: int = Field(sa_column=Column("mono_us", Integer, nullable=False))
    salt: bytes | None = Field(sa_column=Column("salt", LargeBinary))
    body: str | None = Field(sa_column=Column("body", Text))
    body_sha: bytes = Field(sa_column=Column("body_sha", LargeBinary, nullable=False))
    prev: bytes = Field(sa_column=Column("prev", LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column("hash", LargeBinary, nullable=False))


TABLE = SQLModel.metadata.tables["event"]


def open_engine(path: Path, connection_class: type[sqlite3.Connection] = sqlite3.Connection) -> Engine:
    """Return an engine with one connection to a log, with every pragma and the second fence in force.

    Raises sqlite3.Error at its first use where the file can't be opened.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
            factory=connection_class,
        )

    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        check_layout(connection, str(path))
        _prepare(connection)

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def raw_connection(engine: Engine) -> sqlite3.Connection:
    """Return the driver's own connection of an engine, for what SQLAlchemy has no words for."""
    held = engine.raw_connection()
    try:
        driver = held.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver
    finally:
        held.close()


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    (mode,) = connection.execute("PRAGMA journal_mode=PERSIST").fetchone()
    if mode != "persist":
        raise LogError(f"the log's journal mode is {mode}, and SQLite can't set it to persist")
    connection.set_authorizer(_fence)


def _fence(action: int, first: str | None, second: str | None, *_rest: Any) -> int:
    """Allow reading, appending to ``event`` and transactions; refuse every other statement."""
    if action in _ALWAYS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_INSERT and first == "event":
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _READABLE_PRAGMAS and second is None:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
