"""Which engines run on this machine for this account: one small file for each, beside its socket.

Loads nothing but the standard library: a console uses it to find the engine of a log.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from console.exit_codes import FailedError
from state.base.codec import WIRE, read

_LONGEST_SOCKET_PATH = 100
"""Linux takes 107 bytes."""


class RuntimeDirectoryError(FailedError):
    """The folder of the sockets is not safe to use; the message says what to do."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """A running engine."""

    pid: int
    started: int
    """The kernel's start time of the process, which tells it from a later one with the same pid."""
    log: Path
    socket: Path
    runbook: Path
    session: str


def runtime_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of sockets, made with mode 0700: below XDG_RUNTIME_DIR, or in ``/tmp`` by user id.

    Raises RuntimeDirectoryError where it belongs to somebody else, or others may look into it.
    """
    base = (os.environ if environ is None else environ).get("XDG_RUNTIME_DIR", "")
    folder = Path(base) / "launch-console" if base and Path(base).is_dir() else Path("/tmp")  # noqa: S108  made 0700 and checked
    # 24: room for a slash, sixteen digits and the suffix.
    if folder.name != "launch-console" or len(str(folder)) > _LONGEST_SOCKET_PATH - 24:
        folder = Path(f"/tmp/launch-console-{os.getuid()}")  # noqa: S108  made 0700 and checked below
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise RuntimeDirectoryError(
            f"the folder of sockets {folder} can't be made: {error.strerror}"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RuntimeDirectoryError(
            f"{folder} is not a folder that only this account can use: remove it, or set XDG_RUNTIME_DIR"
        )
    return folder


def _key(log: Path) -> str:
    return sha256(str(log.resolve()).encode()).hexdigest()[:16]


def socket_path(log: Path) -> Path:
    """Return where the engine of a log listens."""
    return runtime_directory() / f"{_key(log)}.sock"


def shared_socket(log: Path) -> Path:
    """Return where the engine of a log listens for the accounts of a group: beside the log, where they find it."""
    return log.with_name(f"{log.name}.sock")


def reach(log: Path) -> Path | None:
    """Return the socket by which this account reaches the engine of a log; None where there is none."""
    found = find(log)
    shared = shared_socket(log.resolve())
    return found.socket if found is not None else shared if shared.is_socket() else None


def process_started(pid: int) -> int:
    """Return the kernel's start time of a process, or 0 where there is none (or only its remains)."""
    try:
        message = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    # The process name may contain spaces and brackets: count from the last closing one.
    fields = message.rpartition(")")[2].split()
    return 0 if fields[0] in {"Z", "X"} else int(fields[19])


def announce(info: EngineInfo) -> None:
    """Write that this engine runs, so that consoles find it."""
    path = runtime_directory() / f"{_key(info.log)}.json"
    unfinished = path.with_suffix(f".{info.pid}")
    unfinished.write_text(json.dumps(WIRE.dump(info)))
    unfinished.chmod(0o600)
    # Atomic, so that a console never reads half a file.
    unfinished.replace(path)


def withdraw(info: EngineInfo) -> None:
    """Remove what ``announce`` wrote, and the socket, unless another engine has taken the place."""
    path = runtime_directory() / f"{_key(info.log)}.json"
    if _read(path) == info:
        path.unlink(missing_ok=True)
        info.socket.unlink(missing_ok=True)


def find(log: Path) -> EngineInfo | None:
    """Return the engine that runs for a log, or None."""
    expected = log.resolve()
    return next((engine for engine in running_engines() if engine.log == expected), None)


def running_engines() -> list[EngineInfo]:
    """Return the engines that run; files of those that died are removed."""
    found = []
    for path in sorted(runtime_directory().glob("*.json")):
        info = _read(path)
        if info is not None and info.pid and process_started(info.pid) == info.started:
            found.append(info)
        else:
            path.unlink(missing_ok=True)
            path.with_suffix(".sock").unlink(missing_ok=True)
    return found


def _read(path: Path) -> EngineInfo | None:
    try:
        return read(EngineInfo, json.loads(path.read_text()))
    except (OSError, ValueError):
        return None
