"""The one opening of a saved log: what is told, judged or replayed of a launch was verified before.

One whose launch is over opens read-only: no engine is started on it, and its end says what can be done.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.cli.say import tell
from state.events.launch import LaunchClosed, LaunchScrubbed
from state.log.errors import Damage, LogDamagedError, LogError, NotALogError
from state.log.reader import LogReader
from state.log.verify import VerifyReport, verify
from state.log.witness import Witness, witness_directory

_ENDS = {LaunchClosed.KIND: "closed", LaunchScrubbed.KIND: "scrubbed"}


def verified(log: Path) -> VerifyReport:
    """Check a whole log and return what that found.

    Raises LogDamagedError, which names the first bad event, and LogError for what is no log.
    """
    report = verify(log, seen_of(log))
    if report.damage is Damage.NOT_A_LOG:
        raise NotALogError(report.message)
    if not report.ok:
        message = report.message if str(log) in report.message else f"{log} is damaged at {report.message}"
        raise LogDamagedError(message, damage=report.damage, seq=report.bad_seq)
    return report


def seen_of(log: Path) -> list[str]:
    """Return the newest head of a log that this account saw, as an anchor that it has to agree with."""
    try:
        with LogReader(log) as reader:
            seen = Witness(witness_directory(os.environ), reader.log_id).seen()
    except LogError:
        return []  # the check itself says what is wrong with the file
    return [str(seen)] if seen is not None else []


@contextmanager
def saved_log(log: Path) -> Iterator[tuple[LogReader, VerifyReport]]:
    """Open a log that verifies, for reading; raises as ``verified``."""
    report = verified(log)
    with LogReader(log) as reader:
        yield reader, report


def sealed(log: Path) -> str:
    """Return how the launch of a log has ended, in a word; nothing where it goes on, or where that can't be read."""
    try:
        with LogReader(log) as reader:
            kinds = [event.kind for event in reader.of_kinds(_ENDS)]
    except LogError:
        return ""  # whoever opens it next says what is wrong
    return _ENDS[kinds[-1]] if kinds else ""


def is_sealed(log: Path) -> bool:
    """Return whether a log holds a launch that is over: nothing is appended to it any more."""
    return bool(sealed(log))


def show_sealed(log: Path) -> int:
    """Show the end of a launch that is over, read-only; return the console's exit code."""
    from console.ui.run import run_follow

    tell(f"The launch is {sealed(log)} and its log sealed: it opens read-only. {words_of_end(log)}")
    return run_follow(log)


def words_of_leaving(log: Path, back: str, *, running: bool = True) -> str:
    """Return what to say once a console was left; ``back`` is the command that opens another on a running engine."""
    if is_sealed(log):
        return f"The launch is over, its log is sealed. {words_of_end(log)}"
    if not running:
        return f"No engine runs on {log}. Start one:  {back}"
    return f"The engine keeps running. Back to it:  {back}\nStop it:  launch-console engine stop {log}"


def words_of_end(log: Path) -> str:
    """Return what can be done with a log that is sealed."""
    return (
        f"\nReport:  launch-console report {log}\nVerify:  launch-console verify {log}"
        f"\nReplay:  launch-console replay {log}"
    )
