"""A crash, written where only its owner can read it, without the values of any variable."""

from __future__ import annotations

import os
import tempfile
import traceback
from pathlib import Path

from state.base.text import line


def write(error: BaseException) -> Path | None:
    """Write an error's traceback to a file with mode 0600 and return its path; None where that fails."""
    message = "".join(traceback.format_exception(error))
    base = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(base) if base else Path.home() / ".local" / "state"
    try:
        folder = folder / "launch-console"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="crash-", suffix=".txt", dir=folder)
    except OSError:
        try:
            handle, name = tempfile.mkstemp(prefix="launch-console-crash-", suffix=".txt")
        except OSError:
            return None
    with os.fdopen(handle, "w", errors="replace") as file:
        file.write(message)
    return Path(name)


def place(error: BaseException) -> str:
    """Return where an error was raised and what it is: the same for one that comes again and again."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{at} {type(error).__name__}"


def words(error: BaseException) -> str:
    """Write the crash and return the one message for the terminal that the console leaves behind."""
    path = write(error)
    where = f"The traceback is in {path}." if path else "The traceback could not be written anywhere."
    what = f"{type(error).__name__}: {line(str(error), 200)}"
    return (
        f"launch-console: the screen ended by a mistake in the program ({what}). {where} "
        "The engine keeps running: start the console again."
    )
