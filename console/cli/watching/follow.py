"""``launch-console follow LOG``: a log that somebody else writes, on the same screens."""

from __future__ import annotations

from pathlib import Path

from console.cli.saved_log import verified
from console.cli.watching.event_lines import print_events
from console.ui.run import run_follow
from state.log.errors import LogDamagedError
from state.log.verify import VerifyReport


def run(log: Path, damaged: bool, plain: bool = False) -> int:
    """Follow a log and return the console's exit code; a damaged one only where ``damaged`` asks for it.

    ``plain``: one line an event, without a screen, until the launch has ended. Raises LogError.
    """
    look_at(log, damaged=damaged)
    return print_events(log, on=True) if plain else run_follow(log)


def look_at(log: Path, *, damaged: bool) -> VerifyReport | None:
    """Look whether a log verifies, before a screen hides what is said of it; with ``damaged`` it needs not.

    Returns what was found of one that verifies. Raises LogError.
    """
    try:
        return verified(log)
    except LogDamagedError as error:
        if not damaged:
            message = f"{error}. To look at it all the same, add --damaged"
            raise LogDamagedError(message, damage=error.damage, seq=error.seq) from None
        return None
