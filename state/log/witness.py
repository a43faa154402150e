"""What this account last saw of each log, kept apart from the logs: a log that is shorter shows.

The rules are those of a C2SP witness: persist before answering, never go back, compare and replace as one step.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from state.base.canonical import Anchor, parse_anchor
from state.log.errors import LogError
from state.log.locks import make_directory, make_durable


def witness_directory(environment: Mapping[str, str]) -> Path:
    """Return where an account's witness files lie: ``~/.local/state/launch-console/witness``."""
    home = environment.get("HOME", "/nonexistent")
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path(home) / ".local" / "state"
    return base / "launch-console" / "witness"


class Witness:
    """The newest head that was seen of one log."""

    def __init__(self, directory: Path, log_id: str) -> None:
        self._path = directory / log_id
        self._log = log_id[:8]

    def seen(self) -> Anchor | None:
        """Return the newest head that was recorded, or None.

        Raises LogError where the file can't be read or holds something else.
        """
        try:
            anchor = parse_anchor(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogError(f"the witness {self._path} can't be read: {error.strerror}") from error
        except ValueError:
            raise LogError(f"the witness {self._path} holds no anchor") from None
        if anchor.log != self._log:
            raise LogError(f"the witness {self._path} belongs to another log")
        return anchor

    def record(self, head: str) -> bool:
        """Record a head durably where it is newer than the one that is there; return whether it was.

        Raises LogError where it contradicts the one that is there, or can't be written.
        """
        anchor = parse_anchor(head)
        if anchor.log != self._log:
            raise LogError(f"{head} is no head of the log {self._log}")
        make_directory(self._path.parent)
        with self._turn():
            before = self.seen()
            if before is not None and before.seq == anchor.seq and before.hash != anchor.hash:
                raise LogError(f"{head} contradicts {before}, which was witnessed before")
            if before is not None and before.seq >= anchor.seq:
                return False
            self._replace(f"{anchor}\n")
        return True

    def contradiction(self, hash_at: Callable[[int], str | None]) -> str | None:
        """Return how a log contradicts what was seen of it, as a sentence for a banner, or None.

        ``hash_at`` gives the hash (64 digits) of an event of the log, or None where there is no such event.
        """
        anchor = self.seen()
        if anchor is None:
            return None
        found = hash_at(anchor.seq)
        if found is None:
            return f"this log is shorter than when it was last seen here: event {anchor.seq} is missing ({anchor})"
        if found[:32] != anchor.hash:
            return f"this log was changed since it was last seen here: event {anchor.seq} was {anchor}"
        return None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LogError(f"the witness {self._path} can't be locked: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _replace(self, text: str) -> None:
        unfinished = self._path.with_suffix(".new")
        try:
            fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, text.encode("ascii"))
                os.fsync(fd)
            finally:
                os.close(fd)
            unfinished.rename(self._path)
            make_durable(self._path.parent)
        except OSError as error:
            raise LogError(f"the witness {self._path} can't be written: {error.strerror}") from error
