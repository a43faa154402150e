"""``launch-console report LOG``: the launch as a page to keep, in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

from state.fold import fold
from state.log.errors import Damage, LogDamagedError, LogError
from state.log.reader import LogReader
from state.log.verify import verify
from state.report.page import report

WRITTEN, DAMAGED, UNUSABLE = 0, 1, 2


def run(log: Path, target: Path | None) -> int:
    """Write a launch's report to ``target``, or to the standard output.

    Returns 0 when it is written, 1 when the log is damaged, 2 when it can't be read or the file not written.
    """
    try:
        verified = verify(log)
        if not verified.ok:
            reason = (
                verified.message if verified.damage is Damage.NOT_A_LOG else f"damaged: {verified.message}"
            )
            return _refuse(reason, UNUSABLE if verified.damage is Damage.NOT_A_LOG else DAMAGED)
        with LogReader(log) as reader:
            page = report(fold(reader.every()), verified)
        if target is None:
            sys.stdout.write(page)
        elif target.exists():
            return _refuse(f"{target} is there already: name another file", UNUSABLE)
        else:
            target.write_text(page)
            sys.stdout.write(f"{target}\n")
    except (LogError, OSError) as error:
        return _refuse(str(error), DAMAGED if isinstance(error, LogDamagedError) else UNUSABLE)
    return WRITTEN


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"launch-console report: {message}\n")
    return code
