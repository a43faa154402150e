"""What can be wrong with a log, each as one line that says what, where and what to do."""

from __future__ import annotations

from enum import StrEnum


class Damage(StrEnum):
    """The kind of damage that a check found."""

    NOT_A_LOG = "not a log"
    SCHEMA = "schema"
    FILE = "file"
    """The file's pages can't be read: SQLite itself calls it malformed."""
    SEQ = "seq"
    BODY = "body"
    PREV = "prev"
    HASH = "hash"
    CANONICAL = "canonical"
    SIGNATURE = "signature"
    """A signed word isn't signed by the key, for the log, or in the words that it should be."""
    TRUNCATED = "truncated"
    """Events that an anchor proves are missing from the end."""
    ANCHOR = "anchor"
    """The chain holds, but not at an anchored place: it was forged anew, or is another log."""


class LogError(Exception):
    """A log can't be used as asked; the message is one line for a person."""


class LogMissingError(LogError):
    """There is no file at the path."""


class LogExistsError(LogError):
    """A new log was asked for where a file already is."""


class NotALogError(LogError):
    """The file is no SQLite file, or belongs to another program."""


class NewerFormatError(LogError):
    """The log was written by a newer version of this program."""


class LogDamagedError(LogError):
    """The log's content can't be trusted: names the first bad event and the kind of damage."""

    def __init__(self, message: str, *, damage: Damage | None, seq: int | None = None) -> None:
        super().__init__(message)
        self.damage = damage
        self.seq = seq


class LogSealedError(LogError):
    """The launch has ended: its log is looked at, and nothing is added to it."""

    def __init__(self, path: object, state: str) -> None:
        super().__init__(
            f"{path} is sealed: the launch is {state}. Look at it with `launch-console replay {path}`"
        )


class LogReadOnlyError(LogError):
    """The file or its directory can't be written."""


class UnsafePlaceError(LogError):
    """The file lies on a network filesystem, or others may write to it."""


class LogHeldError(LogError):
    """Another engine writes this log."""

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class LogFrozenError(LogError):
    """The log can't be written at the moment (disk full, I/O error); nothing that acts may go on."""


class LogClosedError(LogError):
    """The store was closed before this event could be written."""


class RedactionRefusedError(LogError):
    """The event can't be redacted: there is none, it is the first one, or it has no body any more."""
