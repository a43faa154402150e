"""``launch-console serve RUNBOOK|LOG``: the screens in a browser of this machine, read-only unless asked to drive."""

from __future__ import annotations

import secrets
import shlex
import socket
import sys
from pathlib import Path

from console.cli.open import running_log
from console.cli.saved_log import is_sealed
from console.cli.say import out, tell
from console.cli.watching.follow import look_at
from console.engine.process.running import find
from console.exit_codes import ExitCode, FailedError

_LIBRARY = {"textual_serve", "aiohttp_jinja2", "jinja2"}
_SQLITE = b"SQLite format 3\x00"


def run(target: Path, port: int, drive: bool) -> int:
    """Serve a launch on loopback until it is interrupted, and print the address.

    ``drive``: whoever has the address acts as this account. ``port`` 0: any that is free. Raises LogError, and
    FailedError where there is no launch, no library or no port.
    """
    argv = command(target, drive=drive)
    try:
        from console.ui.web_page import HOST, LoopbackServer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARY:
            raise
        message = "serve needs textual-serve, which isn't installed: pip install 'launch-console[serve]'"
        raise FailedError(message, ExitCode.BAD_CONFIG) from None
    server = LoopbackServer(shlex.join(argv), target.name, _free(HOST, port), secrets.token_urlsafe(24))
    out(server.address)
    sys.stdout.flush()
    who = "whoever has this address DRIVES the launch as you" if drive else "read-only"
    tell(f"For a browser on this machine; {who}. Keep it to yourself. Ctrl-C ends it, and no engine.")
    server.answer()
    return ExitCode.GO


def command(target: Path, *, drive: bool) -> list[str]:
    """Return the command that each page runs: a watcher of the log, or a console on its launch.

    Raises LogError where the log can't be shown, and FailedError where there is nothing to serve.
    """
    program = [sys.executable, "-m", "console"]
    is_log = _is_log(target)
    log = target.resolve() if is_log else running_log(target)
    if drive:
        engine = find(log) if log is not None else None
        runbook = target if not is_log else engine.runbook if engine is not None else None
        if runbook is None:
            raise FailedError(f"no engine runs on {target}: name its runbook to drive", ExitCode.NO_ENGINE)
        return [*program, "open", str(runbook.resolve()), *(["--log", str(log)] if log is not None else [])]
    if log is None:
        message = f"no engine runs {target}: start one with `launch-console {target}`, or name a log"
        raise FailedError(message, ExitCode.NO_ENGINE)
    look_at(log, damaged=False)
    return [*program, "replay" if is_sealed(log) else "follow", str(log)]


def _is_log(target: Path) -> bool:
    """Return whether a path is a log rather than a runbook: by how it begins, or by its name where it isn't there."""
    try:
        with target.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return target.suffix == ".lclog"


def _free(host: str, port: int) -> int:
    """Return a port that nobody listens on. Raises FailedError where the one that was asked for is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"port {port} can't be used: {error.strerror}; --port takes another"
            raise FailedError(message, ExitCode.BAD_CONFIG) from None
        number: int = probe.getsockname()[1]
        return number
