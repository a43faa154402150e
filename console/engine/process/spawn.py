"""Starting an engine as a process of its own, and ending one.

It runs in its own session without a terminal, so that nothing that happens to a console reaches it.
Loads nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from console.engine.process.running import EngineInfo, find, process_started
from console.exit_codes import ExitCode, FailedError
from state.base.json import integer, obj, text
from state.log.errors import LogError, LogMissingError
from state.log.reader import LogReader

START_S = 30.0
# Stopping means writing the end, anchoring the head and closing clients; it never waits for helm.
STOP_S = 30.0


class EngineFailedError(FailedError):
    """An engine did not come up, or did not end."""


def output_path(log: Path) -> Path:
    """Return the file that holds what an engine printed."""
    return log.with_name(f"{log.name}.engine.out")


def look_at_log(log: Path) -> None:
    """Look whether a log that is to go on is one.

    Raises LogError, before anything is started for it.
    """
    try:
        if not log.exists():
            return
        if not log.is_file():
            raise LogMissingError(f"{log} is no file: name another place for the log")
        LogReader(log).close()
    except OSError as error:
        raise LogError(f"{log} can't be used as a log: {error.strerror}") from None


def start_engine(
    runbook: Path,
    log: Path,
    clock_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout_s: float = START_S,
    *,
    module: str = "console.engine",
) -> EngineInfo:
    """Start the engine of a log, or find the one that runs, and return when its socket answers.

    ``module`` is what is run for it; it takes the arguments of ``console.engine``.

    Raises EngineFailedError with the engine's own message.
    """
    running = find(log)
    if running is not None:
        return running
    printed = output_path(log)
    first = not printed.exists()
    # Before it listens, an engine imports everything (3 s uncompiled) and folds its log (4 s per million).
    told = _spawn(_arguments(module, runbook, log, clock_file), log, environ, timeout_s)
    info = find(log)
    if info is not None:
        return info  # ours, or one that another console started in the same moment
    if not told:
        raise EngineFailedError(f"the engine did not start within {timeout_s:g} s: see {printed}")
    failure = _failure(told)
    if failure is not None and first:
        printed.unlink(missing_ok=True)  # it says what is told here, beside a log that was never made
    raise failure or EngineFailedError(f"the engine ended as it started: see {printed}")


def _arguments(module: str, runbook: Path, log: Path, clock_file: Path | None) -> list[str]:
    clock = ["--clock", str(clock_file)] if clock_file is not None else []
    return ["-m", module, "--runbook", str(runbook), "--log", str(log), "--detach", *clock]


def _spawn(arguments: list[str], log: Path, environ: Mapping[str, str] | None, timeout_s: float) -> bytes:
    """Return what the new engine says of its start: a line of JSON, or nothing within the time."""
    reading, writing = os.pipe()
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        out = os.open(output_path(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise EngineFailedError(f"no log can be kept at {log}: {error.strerror}", ExitCode.BAD_LOG) from None
    try:
        # The child forks and exits at once (--detach): leaving the block reaps it.
        with subprocess.Popen(
            [sys.executable, *arguments, "--ready-fd", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            pass_fds=(writing,),
            env=None if environ is None else dict(environ),
        ):
            os.close(writing)
            writing = -1
            return _read_line(reading, timeout_s)
    except OSError as error:
        raise EngineFailedError(f"the engine can't be started: {error.strerror}") from None
    finally:
        os.close(out)
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def _read_line(fd: int, timeout_s: float) -> bytes:
    until = time.monotonic() + timeout_s
    told = b""
    while (left := until - time.monotonic()) > 0 and not told.endswith(b"\n"):
        if not select.select([fd], [], [], left)[0]:
            break
        piece = os.read(fd, 65536)
        if not piece:
            return told or b"\n"  # the engine ended without a word
        told += piece
    return told


def _failure(told: bytes) -> EngineFailedError | None:
    with suppress(ValueError):
        body = obj(json.loads(told))
        if text(body, "error"):
            return EngineFailedError(text(body, "error"), ExitCode(integer(body, "code")))
    return None


def stop(info: EngineInfo, timeout_s: float = STOP_S) -> None:
    """End an engine with SIGTERM and wait for it; a helm that it started runs on.

    Raises EngineFailedError where it is still there after ``timeout_s`` real seconds.
    """
    try:
        # Open the pidfd before checking: a pid that was checked first could be reused before the signal.
        fd = os.pidfd_open(info.pid)
    except ProcessLookupError:
        return
    try:
        if process_started(info.pid) != info.started:
            return  # another process has the number by now
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        if not select.select([fd], [], [], timeout_s)[0]:
            raise EngineFailedError(f"engine {info.pid} has not ended after {timeout_s:g} s")
    except ProcessLookupError:
        return
    finally:
        os.close(fd)
