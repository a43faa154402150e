"""``launch-console follow LOG``: a log that somebody else writes, on the same screens."""

from __future__ import annotations

from pathlib import Path

from console.cli.saved_log import verified
from console.ui.run import run_follow
from state.log.errors import LogDamagedError


def run(log: Path, damaged: bool) -> int:
    """Follow a log and return the console's exit code; a damaged one only where ``damaged`` asks for it.

    Raises LogError.
    """
    look_at(log, damaged=damaged)
    return run_follow(log)


def look_at(log: Path, *, damaged: bool) -> None:
    """Look whether a log verifies, before a screen hides what is said of it; with ``damaged`` it needs not.

    Raises LogError.
    """
    try:
        verified(log)
    except LogDamagedError as error:
        if not damaged:
            message = f"{error}. To look at it all the same, add --damaged"
            raise LogDamagedError(message, damage=error.damage, seq=error.seq) from None
