"""The terminal is left as it was found, whatever ends the console.

Textual alone leaves it broken on SIGTERM, SIGHUP, SIGQUIT and SIGKILL. A small parent process, forked before
Textual is loaded, waits for the console, hands signals on, and restores the terminal where the console could
not. Nothing here loads Textual.
"""

from __future__ import annotations

import contextlib
import ctypes
import locale
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping, MutableMapping
from types import FrameType

from console.exit_codes import ExitCode, signalled

GRACE_S = 5.0
"""Real seconds between handing a signal on and ending the console by force."""
_RESET = (
    "\x1b[?1049l"  # leave the alternate screen
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # no mouse reports
    "\x1b[?2004l\x1b[?1004l\x1b[?2048l"  # no bracketed paste, focus or resize reports
    "\x1b[<u\x1b[?25h\x1b[?7h\x1b[0m"  # usual keys, a cursor, line wrap, no colours
)
_OF_A_PAGE = "textual.drivers.web_driver:WebDriver"
"""What textual-serve gives the programs that it runs."""
# From linux/prctl.h: the standard library has no name for it.
_PR_SET_PDEATHSIG = 1
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def trouble(environ: Mapping[str, str], *, tty: bool) -> str | None:
    """Return why this terminal can't show the console, in one line that says what to do; None where it can."""
    if not tty:
        return (
            "this console needs a terminal, and its input or output is none: "
            "run it in one, or add --plain: one line an event (`launch-console rehearse --headless` drives itself)"
        )
    if environ.get("TERM", "") in {"", "dumb", "unknown"}:
        return (
            f"the terminal {environ.get('TERM') or 'without a TERM'} can't move its cursor: "
            "use another one, or add --plain: one line an event (`launch-console rehearse --headless` drives itself)"
        )
    return None


def in_browser(environ: Mapping[str, str]) -> bool:
    """Return whether a page of ``serve`` shows the console: a pipe that speaks the protocol of its driver."""
    return environ.get("TEXTUAL_DRIVER", "") == _OF_A_PAGE


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads while it is imported: no animation, and plain colours under NO_COLOR."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if environ.get("NO_COLOR"):
        environ.setdefault("TEXTUAL_THEME", "ansi-dark")


def ascii_only(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal lacks braille: the kernel's own console, or a locale without UTF-8."""
    if environ.get("TERM") == "linux":
        return True
    answer = (
        environ.get("LC_ALL")
        or environ.get("LC_CTYPE")
        or environ.get("LANG")
        or locale.getpreferredencoding()
    )
    return "utf" not in answer.lower()


def guarded(run: Callable[[], int]) -> int:
    """Run the console in a child process and return its exit code, with the terminal as it was before.

    Call it before Textual is imported and before any thread is started. A child that a signal ended gives
    128 + its number.
    """
    fd = next((n for n in (0, 1, 2) if os.isatty(n)), None)
    saved = termios.tcgetattr(fd) if fd is not None else None
    # Otherwise parent and child would both write what is buffered.
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _run_child(run)
    code, ended_by = _wait(child)
    if ended_by and fd is not None and saved is not None:
        restore(fd, saved)
    return signalled(ended_by) if ended_by else code


def restore(fd: int, saved: list[int | list[bytes | int]]) -> None:
    """Put a terminal's modes back and turn off what a full-screen program turns on."""
    with contextlib.suppress(OSError):
        os.write(fd, _RESET.encode())
    # In the background, tcsetattr would stop this process instead of restoring the terminal.
    previous = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSANOW, saved)
    finally:
        signal.signal(signal.SIGTTOU, previous)


def _run_child(run: Callable[[], int]) -> None:
    """Be the console: never returns. It is told to end when its parent is gone."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    code: int = ExitCode.INTERNAL
    try:
        code = run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else ExitCode.INTERNAL
    except KeyboardInterrupt:
        code = signalled(signal.SIGINT)
    except BaseException as error:
        from console.ui import crash

        sys.stderr.write(crash.words(error) + "\n")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _wait(child: int) -> tuple[int, int]:
    """Wait for the child, handing signals on; return its exit code, and the signal that ended it or 0."""
    asked: list[float] = []

    def hand_on(number: int, _frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def force(_number: int, _frame: FrameType | None) -> None:
        if asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    before = {number: signal.signal(number, hand_on) for number in _PASSED_ON}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, force)
    try:
        while True:
            try:
                _, status = os.waitpid(child, 0)
            except InterruptedError:
                continue
            break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    return (code, 0) if code >= 0 else (0, -code)
