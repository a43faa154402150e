"""Where an answer goes: the standard output, or a file that wasn't there."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from console.cli.say import out
from console.exit_codes import ExitCode, FailedError
from state.log.errors import LogError


def write_text(text: str, target: Path | None) -> None:
    """Write a text, see ``write_pieces``; it ends with a new line."""
    write_pieces((text if text.endswith("\n") else text + "\n",), target)


def write_pieces(pieces: Iterable[str], target: Path | None) -> None:
    """Write pieces of a text as they are to a new file, whose name is told, or to the standard output.

    Raises FailedError where the file can't be written or is there already.
    """
    if target is None:
        for piece in pieces:
            sys.stdout.write(piece)
        return
    try:
        # newline="": what a format says of its line ends is kept on every machine.
        with target.open("x", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except FileExistsError:
        raise FailedError(f"{target} is there already: name another file", ExitCode.BAD_CONFIG) from None
    except LogError:
        target.unlink(missing_ok=True)  # half an answer looks like a whole one
        raise
    except OSError as error:
        raise FailedError(f"{target} can't be written: {error.strerror}", ExitCode.BAD_CONFIG) from None
    out(str(target))
