"""``launch-console stats LOGS…``: figures of delivery over saved launches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from console.cli.saved.good_part import good_part
from console.cli.saved.written import write_text
from console.cli.say import say
from console.exit_codes import ExitCode, FailedError, of_log
from state.figures.one_launch import LaunchFigures, figures_of
from state.figures.presentation import as_html, as_json, as_table
from state.figures.totals import Totals, Unused, total
from state.log.errors import LogError

_FORMATS = {"table": as_table, "json": as_json, "html": as_html}
SUFFIX = ".lclog"


def run(logs: list[Path], style: str, output: Path | None) -> ExitCode:
    """Write the figures of the launches in ``logs``, files or folders, and return how it ends.

    Every log that can be used is counted, a damaged one up to its damage; each other one is told in a line, and
    the worst of them decides the exit code. Raises FailedError where no log is found, or the file can't be written.
    """
    found: list[LaunchFigures] = []
    unused: list[Unused] = []
    worst = ExitCode.GO
    for path in _files(logs):
        try:
            with good_part(path) as part:
                found.append(figures_of(str(path), part.events()))
                if part.damage:
                    worst = max(worst, ExitCode.DAMAGED_LOG)
                    unused.append(Unused(str(path), part.damage, part.used))
        except LogError as error:
            worst = max(worst, of_log(error))
            unused.append(Unused(str(path), str(error)))
    totals = total(found, unused)
    write_text(_FORMATS[style](totals), output)
    _tell(totals)
    return worst


def _tell(totals: Totals) -> None:
    """Say on the standard error what wasn't used, whatever the format: a figure without it would deceive."""
    for one in totals.unused:
        say(one.why if one.log in one.why else f"{one.log}: {one.why}")


def _files(places: list[Path]) -> Iterator[Path]:
    """Yield the logs that were named, and those below the folders that were.

    Raises FailedError where a folder holds none, or can't be read.
    """
    for place in places:
        if not place.is_dir():
            yield place
            continue
        try:
            inside = sorted(p for p in place.rglob(f"*{SUFFIX}") if not p.is_dir())
        except OSError as error:
            raise FailedError(f"{place} can't be read: {error.strerror}", ExitCode.BAD_LOG) from None
        if not inside:
            say(f"{place} holds no log (*{SUFFIX})")
        yield from inside
