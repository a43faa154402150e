"""The one opening of a saved log: what is told, judged or replayed of a launch was verified before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.log.errors import Damage, LogDamagedError, LogError, NotALogError
from state.log.reader import LogReader
from state.log.verify import VerifyReport, verify
from state.log.witness import Witness, witness_directory


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
