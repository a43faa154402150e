"""The console's entry points: on a running engine, on a log that is followed, on a log that is replayed.

Nothing heavy is imported here; Textual is imported in the child of the terminal's guardian.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from console.exit_codes import ExitCode
from console.ui import terminal

Restart = Callable[[], Path | Awaitable[Path]]


def run_live(
    socket_path: Path, *, restart: Restart | None = None, log: Path | None = None, tour: bool = False
) -> int:
    """Show the launch of the engine that listens at a socket; return the exit code.

    ``restart`` starts an engine for the same launch and returns its socket; it is called, in a thread of the
    console's process, when the captain asks for it after the engine was lost. ``log`` is the launch's, for its
    report at the end; ``tour`` leads through the screens first. It ends by a code of ``ExitCode``: GO left,
    INTERNAL a mistake in the program, BAD_CONFIG no usable terminal, NO_ENGINE none answered; or by 128 + n, ended
    by a signal.
    """

    def show() -> int:
        from console.client.sources import LiveSource
        from screens.kit.screen_state import Mode

        return _show(LiveSource(socket_path, tty=_tty()), Mode.LIVE, restart, log, tour=tour)

    return _guarded(show)


def run_replay(log_path: Path, *, speed: float = 1.0, at: str = "", proof: str = "") -> int:
    """Replay a log, read-only; return the exit code.

    ``at`` is a moment to stand at, paused: ``T+12m``, ``20:14``, ``gate 6``, ``first breach``, ``#123``; ``proof``
    what was verified of the log, in words.
    """

    def show() -> int:
        from console.client.file_source import FileSource
        from screens.kit.screen_state import Mode

        return _show(FileSource(log_path, replay=True, speed=speed, at=at, proof=proof), Mode.REPLAY, None)

    return _guarded(show)


def run_follow(log_path: Path) -> int:
    """Show a log that somebody else writes, read-only; return the exit code."""

    def show() -> int:
        from console.client.file_source import FileSource
        from screens.kit.screen_state import Mode

        return _show(FileSource(log_path, replay=False), Mode.FOLLOW, None, log_path)

    return _guarded(show)


def no_terminal() -> str | None:
    """Return why a console can't be shown here, or None.

    It is asked before anything is started for a console that nobody would see.
    """
    if terminal.in_browser(os.environ):
        return None
    tty = sys.stdin.isatty() and sys.stderr.isatty()  # Textual draws on the error stream
    return terminal.trouble(os.environ, tty=tty)


def _guarded(show: Callable[[], int]) -> int:
    problem = no_terminal()
    if problem is not None:
        sys.stderr.write(f"launch-console: {problem}\n")
        return ExitCode.BAD_CONFIG
    terminal.prepare(os.environ)
    if terminal.in_browser(os.environ):
        return show()  # there is no terminal that a guardian could restore
    return terminal.guarded(show)


def _show(
    source: object, mode: object, restart: Restart | None, log: Path | None = None, *, tour: bool = False
) -> int:
    from console.ui.app import LaunchApp
    from console.ui.driver import SafeDriver
    from console.ui.keys import key_file, keymap

    app = LaunchApp(
        source,  # type: ignore[arg-type]  # made above as an EventSource, which is imported only there
        mode,  # type: ignore[arg-type]  # the same
        restart=restart,
        log=log,
        ascii_only=terminal.ascii_only(os.environ),
        driver_class=None
        if terminal.in_browser(os.environ)
        else SafeDriver,  # None: the one of the environment
        tour=tour,
        keys=key_file.read(key_file.path_of(os.environ), keymap.usual_keys()),
    )
    app.run()
    return app.return_code or ExitCode.GO


def _tty() -> str:
    try:
        return os.ttyname(0)
    except OSError:
        return ""
