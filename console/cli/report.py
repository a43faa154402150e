"""``launch-console report LOG``: the launch as a page to keep, in Markdown, HTML or JSON."""

from __future__ import annotations

import sys
from pathlib import Path

from console.cli.saved_log import saved_log
from console.cli.say import out
from console.exit_codes import ExitCode, FailedError
from state.report.page import ReportFormat, report


def run(log: Path, target: Path | None, form: str | None) -> ExitCode:
    """Write a launch's report to ``target``, or to the standard output.

    ``form`` is ``md``, ``html`` or ``json``; without it, what the name of ``target`` ends in, and else Markdown.
    Raises LogError, and FailedError where the file can't be written or is there already.
    """
    with saved_log(log) as (reader, found):
        page = report(reader.every(), found, _format(target, form))
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
    out(str(target))
    return ExitCode.GO


def _format(target: Path | None, form: str | None) -> ReportFormat:
    named = form or (target.suffix.lower().removeprefix(".") if target is not None else "")
    return next((one for one in ReportFormat if one.value == named), ReportFormat.MD)
