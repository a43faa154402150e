"""``launch-console archive LOG``: one clean file of a log that verifies to the same head."""

from __future__ import annotations

import sys
from pathlib import Path

from state.log.archive import archive
from state.log.errors import LogDamagedError, LogError

WRITTEN, DAMAGED, UNUSABLE = 0, 1, 2


def run(log: Path, target: Path | None) -> int:
    """Archive a log to ``target`` (by default ``<name>.archive.lclog`` beside it) and say what it holds.

    Returns 0 when it is written, 1 when the log is damaged, 2 when it can't be read or the file not written.
    """
    into = target or log.with_name(f"{log.stem}.archive.lclog")
    try:
        report = archive(log, into)
    except (LogError, OSError) as error:
        sys.stderr.write(f"launch-console archive: {error}\n")
        return DAMAGED if isinstance(error, LogDamagedError) else UNUSABLE
    sys.stdout.write(f"{into}\n  {report.events} events verify\n  head     {report.head}\n")
    return WRITTEN
