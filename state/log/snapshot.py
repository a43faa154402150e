"""A copy of a log whose writer died during a commit: the only way to read it without changing it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from tempfile import mkdtemp

from state.log.locks import writers_kept_out


class Snapshot:
    """A log and its journal, copied together into a directory of their own."""

    def __init__(self, path: Path) -> None:
        self.directory = Path(mkdtemp(prefix="launch-console-"))
        self.path = self.directory / "copy.lclog"
        try:
            with writers_kept_out(path):
                self.state = state_of(path)
                shutil.copyfile(path, self.path)
                shutil.copyfile(journal_of(path), journal_of(self.path))
        except BaseException:
            self.close()
            raise

    def connect(self) -> sqlite3.Connection:
        """Return a connection to the copy; reading rolls its journal back, in the copy alone."""
        return sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.directory, ignore_errors=True)


def journal_of(path: Path) -> Path:
    """Return the path of a database's rollback journal."""
    return path.with_name(f"{path.name}-journal")


def state_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a log or its journal is written: sizes and times of change."""
    both = (path.stat(), journal_of(path).stat())
    return tuple(number for found in both for number in (found.st_ino, found.st_size, found.st_mtime_ns))
