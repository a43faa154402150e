"""Locks on files beside a log, and whether its place can be trusted.

Never a lock on the log itself: closing any descriptor of it in this process would cancel SQLite's own locks.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from state.base.json import integer, obj
from state.log.errors import LogHeldError, LogMissingError, LogReadOnlyError, UnsafePlaceError

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs"}
)


def sidecar(path: Path, suffix: str) -> Path:
    """Return the path of a file beside a log: ``<log>.lock``, ``<log>.engine``."""
    return path.with_name(f"{path.name}.{suffix}")


class WriteLock:
    """The turn to write: held around BEGIN … COMMIT. Waiting for it is fair; SQLite's own polling is not."""

    def __init__(self, path: Path) -> None:
        self._fd = _open_sidecar(sidecar(path, "lock"))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn and keep it inside the block."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock's file back."""
        os.close(self._fd)


class EngineLock:
    """Who writes a log, for the whole life of a store.

    Raises LogHeldError, which names the holder, where another engine has it.
    """

    def __init__(self, path: Path, *, session: str) -> None:
        self._path = Path(sidecar(path, "engine"))
        self._fd = _open_sidecar(sidecar(path, "engine"))
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid, other = _holder(self._fd)
            os.close(self._fd)
            who = f"process {pid}, session {other}" if pid else "its process is unknown"
            raise LogHeldError(
                f"{path} is held by another engine ({who}): attach to it, or stop it first", pid=pid
            ) from None
        with suppress(OSError):  # the lock holds without a name in it; a full disk tells of itself
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, json.dumps({"pid": os.getpid(), "session": session}).encode(), 0)

    def ours(self) -> bool:
        """Return whether the lock's file is still the one that is locked here.

        Where it was removed, or another was put in its place, another engine may have the log too.
        """
        try:
            there, mine = self._path.stat(), os.fstat(self._fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def close(self) -> None:
        """Let another engine have the log."""
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
        os.close(self._fd)


@contextmanager
def writers_kept_out(path: Path) -> Iterator[None]:
    """Keep every writer out inside the block, without needing to write there oneself."""
    try:
        # Read-only is enough for flock: an archive may lie where this account can't write.
        fd = os.open(sidecar(path, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # a log that was copied without its sidecar has no writer
        yield
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def check_place(path: Path) -> None:
    """Check that an existing log may be written where it is.

    Raises LogMissingError, LogReadOnlyError or UnsafePlaceError.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise LogMissingError(f"there is no log at {path}") from None
    except OSError as error:
        raise LogReadOnlyError(f"{path} can't be reached: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePlaceError(f"{path} is not a regular file")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafePlaceError(
            f"{path} may be written by others (mode {found.st_mode & 0o777:o}): chmod 600 it first"
        )
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        raise LogReadOnlyError(
            f"{path} can't be written: the file or its directory is read-only for this account"
        )
    check_filesystem(path)


def check_filesystem(path: Path) -> None:
    """Check that a path doesn't lie on a network filesystem, whose locks and syncs can't be relied on.

    Raises UnsafePlaceError.
    """
    kind = filesystem_of(path.parent)
    if kind in _NETWORK:
        raise UnsafePlaceError(f"{path} lies on a network filesystem ({kind}): keep the log on a local disk")


def filesystem_of(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the filesystem that a directory lies on, or ``unknown``."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
        place = directory.resolve()
    except OSError:
        return "unknown"
    best, kind = -1, "unknown"
    for line in lines:
        words = line.split()
        if len(words) < 3:
            continue
        mount = Path(words[1].replace("\\040", " "))
        if place.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), words[2]
    return kind


def make_directory(directory: Path) -> None:
    """Make a directory with its parents, each readable by this account alone.

    Raises LogReadOnlyError.
    """
    missing = [one for one in (directory, *directory.parents) if not one.exists()]
    try:
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            make_durable(one.parent)
    except OSError as error:
        raise LogReadOnlyError(f"the directory {directory} can't be made: {error.strerror}") from None


def make_durable(path: Path) -> None:
    """Make a file's content, or the names in a directory, durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _open_sidecar(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        raise LogMissingError(f"there is no directory {path.parent}") from None
    except OSError as error:
        raise LogReadOnlyError(f"{path} can't be opened for locking: {error.strerror}") from None


def _holder(fd: int) -> tuple[int | None, str]:
    try:
        body = obj(json.loads(os.pread(fd, 4096, 0) or b"{}"))
    except ValueError:
        return None, "unknown"
    session = body.get("session")
    return integer(body, "pid") or None, session if isinstance(session, str) else "unknown"
