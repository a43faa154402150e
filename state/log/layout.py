"""The table of a log as one SQL text, pinned by its hash; and whether a file has exactly that."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from state.log.errors import (
    Damage,
    LogDamagedError,
    LogError,
    LogMissingError,
    NewerFormatError,
    NotALogError,
)

SCHEMA_SHA256 = "6bb9592d2e97946aa31d2ec43badd33b180812c470d57e3dbd9a3201c6982479"
APPLICATION_ID = 0x4C4E4348
FORMAT_VERSION = 1
COLUMNS = "seq,eid,type,gate,ref,actor,session,boot,wall_us,mono_us,salt,body,body_sha,prev,hash"

SELECT_CHUNK = f"SELECT {COLUMNS} FROM event WHERE seq>? ORDER BY seq LIMIT ?"  # noqa: S608  our own columns
NEWEST = f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT ?"  # noqa: S608  our own columns
OF_KINDS = f"""SELECT {COLUMNS} FROM event
WHERE type IN (SELECT value FROM json_each(?)) AND seq>? ORDER BY seq LIMIT ?"""  # noqa: S608  our own columns
INSERT = f"INSERT INTO event VALUES({','.join(f':{name}' for name in COLUMNS.split(','))})"

_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def schema_sql() -> str:
    """Return the SQL that makes an empty log of this format."""
    return Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")


@cache
def _expected() -> tuple[tuple[object, ...], ...]:
    memory = sqlite3.connect(":memory:")
    try:
        memory.executescript(schema_sql())
        return tuple(memory.execute(_OBJECTS))
    finally:
        memory.close()


def open_read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that can't change the file or its journal, and waits up to 10 s for a writer.

    Raises sqlite3.OperationalError. Never ``immutable=1``: with a hot journal that reads a corrupt image.
    """
    con = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=10,
        isolation_level=None,
        check_same_thread=False,
    )
    con.execute("PRAGMA trusted_schema=OFF")
    con.execute("PRAGMA mmap_size=0")
    return con


def check_file(path: Path) -> None:
    """Check that there is a file at a path.

    Raises LogMissingError where there is none, LogError where this account can't look.
    """
    try:
        there = path.is_file()
    except OSError as error:  # a folder on the way is closed to us: that is not the same as "no log"
        raise LogError(f"{path} can't be read: {error.strerror}") from None
    if not there:
        raise LogMissingError(f"there is no log at {path}")
    for suffix in ("-journal", "-wal", "-shm"):
        beside = path.with_name(f"{path.name}{suffix}")
        with suppress(OSError):  # there is none
            if not stat.S_ISREG(beside.stat().st_mode):  # a FIFO would be waited for without end
                raise NotALogError(f"{beside} is not a regular file: a log's journal is; take it away first")


def is_hot(error: sqlite3.Error) -> bool:
    """Return whether reading failed because a writer died and left a journal that must be rolled back."""
    return _code(error) in {"SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY"}


def peek(path: Path) -> None:
    """Check that a file is a log before anything is made beside it; a hot journal is left to its writer.

    Raises NotALogError, NewerFormatError or LogDamagedError.
    """
    try:
        with closing(open_read_only(path)) as con:
            check_layout(con, str(path))
    except sqlite3.OperationalError as error:
        if not is_hot(error):
            raise LogError(f"{path} can't be read: {error}") from error


def check_layout(con: sqlite3.Connection, name: str) -> None:
    """Check that a file is a log of this format with its very schema text; ``name`` is for messages.

    Raises NotALogError, NewerFormatError or LogDamagedError; errors of the file system pass as
    sqlite3.OperationalError.
    """
    try:
        (application,) = con.execute("PRAGMA application_id").fetchone()
        (version,) = con.execute("PRAGMA user_version").fetchone()
        found = tuple(con.execute(_OBJECTS))
    except UnicodeDecodeError:  # SQLite's own message quotes a text of the schema that is not UTF-8
        raise _schema_damage(name) from None
    except sqlite3.OperationalError as error:
        if is_broken_text(error):
            raise _schema_damage(name) from None
        if _code(error) == "SQLITE_ERROR":  # a header that no SQLite writes
            raise _unreadable(name, error) from None
        raise
    except sqlite3.DatabaseError as error:
        if _code(error) == "SQLITE_NOTADB":
            raise NotALogError(f"{name} is not a launch log: it is no SQLite file") from None
        raise _unreadable(name, error) from None
    if application != APPLICATION_ID:
        raise NotALogError(_foreign(name, application, version, found))
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"{name} has format {version}, this program reads up to {FORMAT_VERSION}: "
            f"use a newer launch-console"
        )
    if version < 1 or found != _expected():
        raise _schema_damage(name)


def _code(error: sqlite3.Error) -> str:
    """Return SQLite's name of an error; errors of the driver itself have none."""
    return getattr(error, "sqlite_errorname", "")


def _foreign(name: str, application: object, version: object, found: tuple[tuple[object, ...], ...]) -> str:
    if application == 0 and version == 0 and not found:
        return f"{name} is not a launch log: it is empty"
    return (
        f"{name} is not a launch log: it is the SQLite file of another program (application id {application})"
    )


def _schema_damage(name: str) -> LogDamagedError:
    return LogDamagedError(
        f"{name} is damaged (schema): its table and triggers are not those of format {FORMAT_VERSION}",
        damage=Damage.SCHEMA,
    )


def _unreadable(name: str, error: sqlite3.Error) -> LogDamagedError:
    schema = "malformed database schema" in str(error)
    damage = Damage.SCHEMA if schema else Damage.FILE
    return LogDamagedError(f"{name} is damaged ({damage.value}): {error}", damage=damage)


def is_broken_text(error: sqlite3.Error) -> bool:
    """Return whether reading failed at a text that is not UTF-8."""
    return "Could not decode" in str(error)
