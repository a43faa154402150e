"""A private copy of chart and values files: what was looked at is what helm reads, whatever becomes of the originals.

Between a preview and helm lie a person, a lease, secrets: a ``git pull`` in that time would be deployed and judged by
nobody. So the preview copies, everything after it reads the copy, and its hash is in the intent. A copy holds
whatever the values files hold, secrets too: its folder is 0700, its files 0600, and it goes when its operation ends.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from checks.base import CouldNotLookError
from state.runbook.environment import Chart

MAX_FILES = 5_000
MAX_BYTES = 64 * 1024 * 1024
# Directories below each other: a link to a folder above it would lead on for ever.
_MAX_DEPTH = 32
# Copies of previews that nobody confirmed yet.
_IDLE = 2
_BLOCK = 1024 * 1024

Parts = tuple[tuple[str, str], ...]
Pull = Callable[[Path], Awaitable[None]]


class CopyError(CouldNotLookError):
    """A chart or a values file that can't be copied, or mustn't be. One line."""


@dataclass(frozen=True, slots=True)
class PrivateCopy:
    """A copy of a chart and its values files."""

    folder: Path
    sha: str
    """Stands for everything in it: 64 hexadecimal digits."""
    chart: Chart
    """The runbook's chart, with the paths of the copy."""
    parts: Parts
    """(what, fingerprint), named as the runbook names it; see ``approvals``."""

    def changed(self) -> bool:
        """Return whether it is no longer what it was when it was made."""
        try:
            return _sha(self.folder) != self.sha
        except (CopyError, OSError):
            return True


def input_parts(named: Chart, read: Chart) -> Parts:
    """Return (what, fingerprint) of a chart and its values files; what is not on this machine is ``remote``.

    The names are those of ``named``, the contents those of ``read``: the originals, or a copy of them.
    """
    chart = "remote" if _remote(named) else _chart_sha(Path(read.path))
    return (
        (f"chart {Path(named.path).name} {named.version}", chart),
        *(
            (f"values file {file.name}", _file_sha(content))
            for file, content in zip(named.values, read.values, strict=True)
        ),
    )


def _remote(chart: Chart) -> bool:
    return not Path(chart.path).exists()


class PrivateCopies:
    """The copies of one engine. One that is in use stays; of the others only the newest few."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "inputs"
        self._users: Counter[str] = Counter()
        self._known: dict[str, PrivateCopy] = {}
        self._making = asyncio.Lock()

    async def make(self, chart: Chart, pull: Pull) -> PrivateCopy:
        """Copy a chart and its values files, and use the copy.

        ``pull`` fetches a chart that is elsewhere to a folder.

        Raises CopyError, and what ``pull`` raises.
        """
        async with self._making:
            new = await asyncio.to_thread(self._begun)
            try:
                if _remote(chart):
                    await pull(new / "chart")
                return self._used(await asyncio.to_thread(self._copied, chart, new))
            finally:
                shutil.rmtree(new, ignore_errors=True)

    def find(self, sha: str) -> PrivateCopy | None:
        """Use the copy of a hash, if it is still there."""
        copy = self._known.get(sha)
        return self._used(copy) if copy is not None and copy.folder.is_dir() else None

    def adopt(self, sha: str, chart: Chart) -> PrivateCopy | None:
        """Use a copy that an engine before this one made, if it is still there."""
        folder = self._folder / sha[:16]
        if not sha or not folder.is_dir():
            return None
        read = _chart_in(folder, chart)
        return self._used(PrivateCopy(folder, sha, read, input_parts(chart, read)))

    def let_go(self, copy: PrivateCopy | None, *, ended: bool = False) -> None:
        """Use a copy no more. After an operation that ``ended`` it is removed, else it may be confirmed yet."""
        if copy is None:
            return
        self._users[copy.sha] -= 1
        idle = [sha for sha in self._known if self._users[sha] <= 0]
        gone = [copy.sha] if ended and copy.sha in idle else []
        for sha in (*gone, *idle[: max(0, len(idle) - _IDLE)]):
            self._remove(sha)

    def clear(self) -> None:
        """Remove every copy that nobody uses, those of earlier engines too."""
        kept = {sha[:16] for sha, users in self._users.items() if users > 0}
        for sha in [sha for sha in self._known if self._users[sha] <= 0]:
            self._remove(sha)
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _used(self, copy: PrivateCopy) -> PrivateCopy:
        self._known.pop(copy.sha, None)
        self._known[copy.sha] = copy  # the newest stands last
        self._users[copy.sha] += 1
        return copy

    def _remove(self, sha: str) -> None:
        copy = self._known.pop(sha, None)
        if copy is not None:
            shutil.rmtree(copy.folder, ignore_errors=True)

    def _begun(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))  # 0700
        (new / "chart").mkdir(mode=0o700)
        (new / "values").mkdir(mode=0o700)
        return new

    def _copied(self, chart: Chart, new: Path) -> PrivateCopy:
        room = _Room()
        try:
            source = Path(chart.path)
            if not _remote(chart):
                _copy(source, new / "chart" / source.resolve().name, room)
            for number, file in enumerate(chart.values):
                _copy_file(file.resolve(strict=True), new / "values" / f"{number}-{file.name}", room)
            sha = _sha(new)
        except OSError as error:
            where = error.filename or chart.path
            raise CopyError(f"chart and values can't be copied: {where}: {error.strerror}") from None
        folder = self._folder / sha[:16]
        if not self._users[sha]:
            shutil.rmtree(folder, ignore_errors=True)  # somebody else's leavings
            new.rename(folder)
        read = _chart_in(folder, chart)
        return PrivateCopy(folder, sha, read, input_parts(chart, read))


def _chart_in(folder: Path, chart: Chart) -> Chart:
    """Return a chart with the paths that it has in a copy."""
    (path,) = (folder / "chart").iterdir()
    values = tuple(folder / "values" / f"{number}-{file.name}" for number, file in enumerate(chart.values))
    return chart.model_copy(update={"path": str(path), "values": values})


class _Room:
    """How much a copy may still hold."""

    def __init__(self) -> None:
        self.files, self.bytes = MAX_FILES, MAX_BYTES

    def take(self, size: int, *, files: int = 0) -> None:
        self.files, self.bytes = self.files - files, self.bytes - size
        if self.files < 0 or self.bytes < 0:
            limit = f"{MAX_FILES} files" if self.files < 0 else f"{MAX_BYTES // 1024 // 1024} MiB"
            raise CopyError(
                f"chart and values files are more than {limit}: is chart.path the chart's own folder?"
            )


def _copy(source: Path, target: Path, room: _Room) -> None:
    if not source.is_dir():
        _copy_file(source.resolve(strict=True), target, room)
        return
    target.mkdir(mode=0o700)
    for name, file in tree(source):
        copy = target / name
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy_file(file, copy, room)


def _copy_file(source: Path, target: Path, room: _Room) -> None:
    # Not blocking: a pipe in the chart's folder would never open otherwise.
    reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(reader, "rb") as read:
        if not stat.S_ISREG(os.fstat(reader).st_mode):
            raise CopyError(f"{source} is no file: a chart is made of files and folders")
        room.take(0, files=1)
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(writer, "wb") as write:
            while block := read.read(_BLOCK):
                room.take(len(block))
                write.write(block)


def tree(root: Path) -> list[tuple[Path, Path]]:
    """Return (relative path, real path) of every file below a folder, in the order of their paths.

    helm follows links, so they are followed here; one that leads out of the folder is refused, because a hash of the
    folder would say nothing of it. Raises CopyError, OSError.
    """
    return sorted(_files(root, Path(), root.resolve(strict=True)))


def _files(folder: Path, below: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    if len(below.parts) > _MAX_DEPTH:
        raise CopyError(
            f"{folder} is more than {_MAX_DEPTH} folders deep: does a link lead back to one above it?"
        )
    with os.scandir(folder) as entries:
        for entry in entries:
            real, name = Path(entry.path), below / entry.name
            if entry.is_symlink():
                real = real.resolve(strict=True)
                if not real.is_relative_to(root):
                    raise CopyError(
                        f"{entry.path} is a link to {real}, which is not in the chart: put a copy there "
                        "(helm dependency build does so for charts)"
                    )
            if real.is_dir():
                yield from _files(real, name, root)
            else:
                yield name, real


def _chart_sha(path: Path) -> str:
    """Return a folder's or an archive's hash."""
    if path.is_file():
        return _file_sha(path)
    digest = sha256()
    try:
        for name, file in tree(path):
            digest.update(f"{name}\0{_file_sha(file)}\n".encode())
    except (CopyError, OSError):
        return "unreadable"
    return digest.hexdigest()


def _sha(folder: Path) -> str:
    digest = sha256()
    for name, file in tree(folder):
        digest.update(f"{name}\0{_file_sha(file)}\n".encode())
    return digest.hexdigest()


def _file_sha(path: Path) -> str:
    if not path.is_file():
        return "missing"  # a pipe would never open
    try:
        with path.open("rb") as file:
            digest = sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            return digest.hexdigest()
    except OSError:
        return "missing"
