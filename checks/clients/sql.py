"""A database, read-only by two means of its own besides the account's rights.

PostgreSQL through psycopg with default_transaction_read_only and statement_timeout; SQLite files opened
with mode=ro.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from checks.clients.errors import (
    ForbiddenError,
    MisconfiguredError,
    NotFoundError,
    RefusedConnectionError,
    RejectedError,
    TimedOutError,
    UnauthorizedError,
    UnreachableError,
    Where,
)
from checks.clients.workers import Workers
from checks.errors import CouldNotLookError
from state.base.text import line

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
Cell = str | int | bool | None
Row = Mapping[str, Cell]

_IDENTITY_TABLE = "instance_identity"
_POSTGRESQL_IDENTITY: Final = (
    "SELECT system_identifier::text || '/' || current_database() AS identity FROM pg_control_system()"
)
# Bounds memory: checks read counts and samples, never a whole table.
ROW_LIMIT: Final = 1000
# For each address of a host, as libpq counts it.
_CONNECT_S: Final = 5.0

_SQLSTATES: Final = {
    "57014": TimedOutError,
    "28P01": UnauthorizedError,
    "28000": UnauthorizedError,
    "42501": ForbiddenError,
    "42P01": NotFoundError,
    "42703": NotFoundError,
    "3D000": NotFoundError,
    "25006": RejectedError,
}


class SqlClient:
    """One database, in one thread, so that statements are made one after the other on one connection."""

    def __init__(
        self, url: str, environment: str, *, statement_timeout: float, connect_timeout: float = _CONNECT_S
    ) -> None:
        self.where = Where("Database", environment)
        self._url = url
        self._timeout = statement_timeout
        self._connect = connect_timeout
        self._workers = Workers("sql", 1)
        self._engine: Engine | None = None

    async def rows(self, sql: str, params: Mapping[str, Cell] | None = None) -> list[dict[str, Cell]]:
        """Return the rows of one SELECT, at most 1,000.

        Values that are no text, integer or truth value come as text.
        """

        def work(link: Connection) -> list[dict[str, Cell]]:
            from sqlalchemy import text

            found = link.execute(text(sql), dict(params or {})).fetchmany(ROW_LIMIT)
            return [{str(key): _cell(value) for key, value in row._mapping.items()} for row in found]  # noqa: SLF001  SQLAlchemy's public name of it

        return await self._run(work)

    async def scalar(self, sql: str, params: Mapping[str, Cell] | None = None) -> Cell:
        """Return the first value of the first row, or None where there is no row."""
        found = await self.rows(sql, params)
        return next(iter(found[0].values()), None) if found else None

    async def tables(self) -> frozenset[str]:
        """Return the names of all tables and views that the account sees in its default schema.

        The one that stands for a system's own identity isn't counted.
        """

        def work(link: Connection) -> frozenset[str]:
            from sqlalchemy import inspect

            seen = inspect(link)
            return frozenset([*seen.get_table_names(), *seen.get_view_names()]) - {_IDENTITY_TABLE}

        return await self._run(work)

    async def columns(self, table: str) -> frozenset[str]:
        """Return the names of a table's columns; empty where there is no such table."""

        def work(link: Connection) -> frozenset[str]:
            from sqlalchemy import inspect

            seen = inspect(link)
            if not (seen.has_table(table)):
                return frozenset()
            return frozenset(str(column["name"]) for column in seen.get_columns(table))

        return await self._run(work)

    async def identity(self) -> str:
        """Return what no copy of the address book can hide.

        PostgreSQL's system identifier and the database's name.

        A database of another kind tells it in a table ``instance_identity``.
        """
        if await self.dialect() == "postgresql":
            return str(await self.scalar(_POSTGRESQL_IDENTITY))
        found = await self.rows(f"SELECT * FROM {_IDENTITY_TABLE}")  # noqa: S608  a constant
        if not found:
            raise NotFoundError(
                f"{self.where} does not tell its identity; expected a row in instance_identity"
            )
        return "/".join(str(value) for value in found[0].values())

    async def dialect(self) -> str:
        """Return ``postgresql``, ``sqlite`` or what else the URL names."""
        return str(self._make().dialect.name)

    async def aclose(self) -> None:
        """Close the connection and let the thread end."""
        engine, self._engine = self._engine, None
        if engine is not None:
            # A thread stuck in a statement can't be waited for; it is a daemon and dies with the process.
            with suppress(TimeoutError):
                await self._workers.run(engine.dispose, 0.3)
        self._workers.close()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        # The sum, so that the server's own statement_timeout fires first: its error says more.
        limit = self._timeout + self._connect
        engine = self._make()

        def job() -> T:
            with engine.connect() as link, link.begin():
                _read_only(link, self._timeout)
                return work(link)

        try:
            return await self._workers.run(job, limit)
        except TimeoutError:
            raise TimedOutError(f"{self.where}: no answer in {limit:g}s; expected a query's result") from None
        except CouldNotLookError:
            raise
        except Exception as error:
            raise self._explain(error) from None

    def _make(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self._url, self.where, self._timeout)
        return self._engine

    def _explain(self, error: Exception) -> CouldNotLookError:
        cause: Any = getattr(error, "orig", None) or error
        reason = line(str(cause).partition("\n")[0], 200)
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str) and state in _SQLSTATES:
            return _SQLSTATES[state](f"{self.where}: {reason}")
        low = str(cause).lower()
        if "refused" in low:
            return RefusedConnectionError(
                f"{self.where} refused the connection; expected a database that listens"
            )
        if "timeout" in low or "timed out" in low or "interrupted" in low:
            return TimedOutError(f"{self.where}: no answer in {self._timeout:g}s; expected a query's result")
        if "authentication failed" in low or "no password" in low:
            return UnauthorizedError(f"{self.where}: the account or its password was refused")
        if "no such table" in low or "no such column" in low:
            return NotFoundError(f"{self.where}: {reason}")
        if "could not translate" in low or "resolve" in low or "unable to open" in low or "closed" in low:
            return UnreachableError(f"{self.where} cannot be reached ({_without_address(reason)})")
        return RejectedError(f"{self.where}: {reason}")


def open_engine(url: str, where: Where, timeout: float) -> Engine:
    """Return an SQLAlchemy engine whose every session is read-only.

    Raises MisconfiguredError, without the URL, where it can't be used.
    """
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parsed = make_url(url)
        arguments: dict[str, Any] = {}
        if parsed.get_backend_name() == "postgresql":
            options = f"-c default_transaction_read_only=on -c statement_timeout={int(timeout * 1000)}"
            arguments = {"options": options, "connect_timeout": int(_CONNECT_S)}
        elif parsed.get_backend_name() == "sqlite":
            file = (parsed.database or "").removeprefix("file:")
            parsed = parsed.set(database=f"file:{file}", query={"mode": "ro", "uri": "true"})
        return create_engine(
            parsed, connect_args=arguments, hide_parameters=True, pool_size=1, max_overflow=0
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError, TypeError) as error:
        raise MisconfiguredError(
            f"{where}: its URL cannot be used ({type(error).__name__}); expected for example postgresql+psycopg://…"
        ) from None


def _read_only(link: Connection, timeout: float) -> None:
    if link.dialect.name != "sqlite":
        return
    raw: Any = link.connection.driver_connection
    raw.execute("PRAGMA query_only = ON")
    deadline = time.monotonic() + timeout
    # SQLite has no statement timeout: it calls this every 10,000 steps, and non-zero interrupts.
    raw.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _without_address(reason: str) -> str:
    return reason.partition(" at ")[0]


def first_column(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the first column of some rows as texts, without its NULLs."""
    return tuple(str(value) for row in rows for value in list(row.values())[:1] if value is not None)
