"""``launch-console archive LOG``: one clean file of a log that verifies to the same head."""

from __future__ import annotations

from pathlib import Path

from console.cli.saved_log import verified
from console.cli.say import out
from console.exit_codes import ExitCode
from state.log.archive import archive


def run(log: Path, target: Path | None) -> ExitCode:
    """Archive a log to ``target`` (by default ``<name>.archive.lclog`` beside it) and say what it holds.

    Raises LogError.
    """
    into = target or log.with_name(f"{log.stem}.archive.lclog")
    verified(log)
    report = archive(log, into)
    out(f"{into}\n  {report.events} events verify\n  head     {report.head}")
    return ExitCode.GO
