"""``launch-console replay LOG``: a saved launch on the same screens."""

from __future__ import annotations

import sys
from pathlib import Path

from console.engine.process.spawn import EXIT_LOG
from console.ui.run import no_terminal, run_replay
from state.log.errors import Damage, LogError
from state.log.verify import verify


def run(log: Path, speed: float, at: str, *, damaged: bool) -> int:
    """Replay a log and return the console's exit code; 3 for a damaged one, unless ``damaged`` asks for it."""
    told = "" if damaged or no_terminal() is not None else _damage(log)
    if told:
        sys.stderr.write(
            f"launch-console: {log} is damaged at {told}. To look at it all the same, add --damaged\n"
        )
        return EXIT_LOG
    return run_replay(log, speed=speed, at=at)


def _damage(log: Path) -> str:
    """Return what is wrong with a log, or nothing; of a file that is none the replay itself tells."""
    try:
        report = verify(log)
    except (LogError, OSError):
        return ""
    return "" if report.ok or report.damage is Damage.NOT_A_LOG else report.message
