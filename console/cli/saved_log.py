"""The one opening of a saved log: what is told, judged or replayed of a launch was verified before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.log.errors import Damage, LogDamagedError, NotALogError
from state.log.reader import LogReader
from state.log.verify import VerifyReport, verify


def verified(log: Path) -> VerifyReport:
    """Check a whole log and return what that found.

    Raises LogDamagedError, which names the first bad event, and LogError for what is no log.
    """
    report = verify(log)
    if report.damage is Damage.NOT_A_LOG:
        raise NotALogError(report.message)
    if not report.ok:
        message = report.message if str(log) in report.message else f"{log} is damaged at {report.message}"
        raise LogDamagedError(message, damage=report.damage, seq=report.bad_seq)
    return report


@contextmanager
def saved_log(log: Path) -> Iterator[tuple[LogReader, VerifyReport]]:
    """Open a log that verifies, for reading; raises as ``verified``."""
    report = verified(log)
    with LogReader(log) as reader:
        yield reader, report
