"""``launch-console replay LOG``: a saved launch on the same screens."""

from __future__ import annotations

from pathlib import Path

from console.cli.watching.event_lines import print_events
from console.cli.watching.follow import look_at
from console.exit_codes import ExitCode, FailedError
from console.ui.run import run_replay


def run(log: Path, speed: float, at: str, damaged: bool, plain: bool = False) -> int:
    """Replay a log and return the console's exit code; a damaged one only where ``damaged`` asks for it.

    ``plain``: one line an event, at once and without a screen; ``at`` is then the number of the first one. Raises
    LogError, and FailedError for another ``at``.
    """
    look_at(log, damaged=damaged)
    if plain:
        number = at.removeprefix("#")
        if at and not number.isdecimal():
            raise FailedError("with --plain, --at takes the number of an event", ExitCode.BAD_CONFIG)
        return print_events(log, on=False, at=int(number or 0))
    return run_replay(log, speed=speed, at=at)
