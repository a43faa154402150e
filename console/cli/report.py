"""``launch-console report LOG``: the launch as a page to keep, in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

from console.cli.saved_log import saved_log
from console.cli.verify import witnessed
from console.exit_codes import ExitCode, FailedError
from state.fold import fold
from state.log.verify import verify
from state.report.page import report


def run(log: Path, target: Path | None) -> ExitCode:
    """Write a launch's report to ``target``, or to the standard output.

    Raises LogError, and FailedError where the file can't be written or is there already.
    """
    with saved_log(log) as (reader, found):
        # With what this account saw of it, as `verify` does: else the two would say different things of one file.
        covered = verify(log, witnessed(log))
        page = report(fold(reader.every()), covered if covered.ok else found)
    if target is None:
        sys.stdout.write(page)
        return ExitCode.GO
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(page)
    except FileExistsError:
        raise FailedError(f"{target} is there already: name another file", ExitCode.BAD_CONFIG) from None
    except OSError as error:
        raise FailedError(f"{target} can't be written: {error.strerror}", ExitCode.BAD_CONFIG) from None
    sys.stdout.write(f"{target}\n")
    return ExitCode.GO
