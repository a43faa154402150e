"""The one way to the standard error: why a command can't go on, and what it tells beside its answer."""

from __future__ import annotations

import sys
from contextlib import suppress

from console.exit_codes import ExitCode
from state.base.text import plain

_LIMIT = 2000


def say(message: str) -> None:
    """Say what is wrong, as ``launch-console: …``; a message of several lines stays so."""
    tell(f"launch-console: {message}")


def out(message: str) -> None:
    """Write a command's answer, line by line without anything that a terminal obeys or that deceives a reader."""
    sys.stdout.write("\n".join(plain(row, _LIMIT) for row in message.split("\n")) + "\n")


def tell(message: str) -> None:
    """Tell a person something beside the command's answer, line by line without anything a terminal obeys."""
    rows = [plain(row, _LIMIT) for row in message.split("\n")]
    with suppress(OSError):  # there may be nobody who listens: the exit code tells it too
        sys.stderr.write("\n".join(rows) + "\n")


def refuse(message: str, code: ExitCode) -> ExitCode:
    """Say why a command ends and return the exit code that it ends by."""
    say(message)
    return code
