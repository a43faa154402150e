"""What a failed write means in words, and what a log that can't be written lets through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from state.events.event import Event
from state.events.log import LogWriteFailed
from state.events.operations import OperationIntended
from state.events.world import MetricBatch
from state.log.errors import LogError
from state.log.rows import Stamped

REFUSED_WHILE_FROZEN = frozenset({OperationIntended.KIND, MetricBatch.KIND})
"""An intent must be durable before its effect, and samples can be fetched again; everything else waits."""

_IN_WORDS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk gives I/O errors",
    "SQLITE_BUSY": "another program keeps the log locked",
    "SQLITE_READONLY": "the log or its directory became read-only",
    "SQLITE_CANTOPEN": "the log or its journal can't be opened",
    "SQLITE_CORRUPT": "SQLite finds the log malformed",
    "SQLITE_NOTADB": "the log is no SQLite file any more",
}


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether a log is being written at the moment."""

    frozen: bool = False
    reason: str = ""
    since_us: int = 0
    """When it froze, wall time in microseconds; 0 while it isn't frozen."""
    waiting: int = 0
    """Events that are kept in memory until the log can be written again."""
    dropped: int = 0
    """Samples that were not kept."""


@dataclass(slots=True)
class Unit:
    """Events that are written together or not at all, and who waits for them."""

    stamped: list[Stamped]
    done: Callable[[list[Event]], None] = field(default=lambda _events: None)
    failed: Callable[[Exception], None] = field(default=lambda _error: None)

    def refused_while_frozen(self) -> bool:
        """Return whether one of the events may not wait in memory."""
        return any(one.kind in REFUSED_WHILE_FROZEN for one in self.stamped)


def error_code(error: BaseException) -> str:
    """Return SQLite's own name of an error (``SQLITE_FULL``), or the name of its class."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    code = getattr(error, "sqlite_errorname", None)
    return code if isinstance(code, str) else type(error).__name__


def reason_of(error: BaseException) -> str:
    """Return in words why a write failed, in one line."""
    if isinstance(error, LogError):
        return str(error)
    code = error_code(error)
    for prefix, words in _IN_WORDS.items():
        if code.startswith(prefix):
            return f"{words} ({code})"
    strerror = getattr(error, "strerror", None)
    return f"the log can't be written ({strerror or code})"


def failure(error: BaseException) -> LogWriteFailed:
    """Return the body of the event that a failed write leaves behind once writing works again."""
    return LogWriteFailed(reason_of(error)[:500], error_code(error))
