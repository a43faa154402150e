"""A log whose launch is over: it opens read-only, no engine is started on it, and its end says what can be done."""

from __future__ import annotations

from pathlib import Path

from console.cli.say import tell
from state.events.log import LogClosed
from state.log.errors import LogError
from state.log.reader import LogReader


def is_sealed(log: Path) -> bool:
    """Return whether a log holds a launch that was closed or scrubbed, and whose engine ended in good order."""
    try:
        with LogReader(log) as reader:
            return reader.last().kind == LogClosed.KIND
    except LogError:
        return False  # whoever opens it says what is wrong with it


def show_sealed(log: Path) -> int:
    """Show the end of a launch that is over, read-only; return the console's exit code."""
    from console.ui.run import run_follow

    tell(f"This launch is over and its log sealed: it opens read-only. {words_of_end(log)}")
    return run_follow(log)


def words_of_leaving(log: Path, back: str) -> str:
    """Return what to say once a console was left; ``back`` is the command that opens another on a running engine."""
    if is_sealed(log):
        return f"The launch is over, its log is sealed. {words_of_end(log)}"
    return f"The engine keeps running. Back to it:  {back}\nStop it:  launch-console engine stop {log}"


def words_of_end(log: Path) -> str:
    """Return what can be done with a log that is sealed."""
    return (
        f"\nReport:  launch-console report {log}\nVerify:  launch-console verify {log}"
        f"\nReplay:  launch-console replay {log}"
    )
