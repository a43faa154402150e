"""``launch-console replay LOG``: a saved launch on the same screens."""

from __future__ import annotations

from pathlib import Path

from console.cli.follow import look_at
from console.ui.run import run_replay


def run(log: Path, speed: float, at: str, damaged: bool) -> int:
    """Replay a log and return the console's exit code; a damaged one only where ``damaged`` asks for it.

    Raises LogError.
    """
    look_at(log, damaged=damaged)
    return run_replay(log, speed=speed, at=at)
