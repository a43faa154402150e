"""``launch-console report LOG``: the launch as a page to keep, in Markdown, HTML or JSON."""

from __future__ import annotations

from pathlib import Path

from console.cli.saved.written import write_pieces
from console.cli.saved_log import saved_log
from console.exit_codes import ExitCode
from state.report.page import ReportFormat, report


def run(log: Path, target: Path | None, form: str | None) -> ExitCode:
    """Write a launch's report to ``target``, or to the standard output.

    ``form`` is ``md``, ``html`` or ``json``; without it, what the name of ``target`` ends in, and else Markdown.
    Raises LogError, and FailedError where the file can't be written or is there already.
    """
    with saved_log(log) as (reader, found):
        page = report(reader.every(), found, _format(target, form))
    write_pieces((page,), target)
    return ExitCode.GO


def _format(target: Path | None, form: str | None) -> ReportFormat:
    named = form or (target.suffix.lower().removeprefix(".") if target is not None else "")
    return next((one for one in ReportFormat if one.value == named), ReportFormat.MD)
