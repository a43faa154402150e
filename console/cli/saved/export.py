"""``launch-console export LOG --format …``: a saved launch in a format of another program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from console.cli.saved.written import write_pieces
from console.cli.saved_log import saved_log
from console.exit_codes import ExitCode, FailedError
from state.exports.icalendar import icalendar
from state.exports.in_toto import NoSubjectError, statements
from state.exports.json_lines import json_lines
from state.exports.judged import outcome_of
from state.exports.junit_xml import junit_xml
from state.exports.redaction import Level, Redaction
from state.exports.series_csv import series_csv
from state.log.reader import LogReader

_SIZE = re.compile(r"([1-9][0-9]{1,2})x([1-9][0-9]{1,2})")


def run(log: Path, style: str, redact: str, output: Path | None, size: str, speed: float) -> ExitCode:
    """Write a log in another format, redacted by a level, to a new file or to the standard output.

    Raises LogError, and FailedError where the file can't be written or the log can't be told in this format.
    """
    sized = _SIZE.fullmatch(size)
    if sized is None:
        raise FailedError(f"--size {size}: columns and rows were expected, as in 120x36", ExitCode.BAD_CONFIG)
    with saved_log(log) as (reader, _):
        level = Level(redact)
        redaction = Redaction(level, reader.every() if level is not Level.NONE else ())
        if style == "asciicast":
            from console.cli.saved.screen_cast import asciicast

            cast = asciicast(reader, redaction, (int(sized[1]), int(sized[2])), speed)
            write_pieces(cast, output)
        else:
            write_pieces(_pieces(reader, style, redaction, level), output)
    return ExitCode.GO


def _pieces(reader: LogReader, style: str, redaction: Redaction, level: Level) -> Iterable[str]:
    events = map(redaction, reader.every())
    if style == "jsonl":
        return json_lines(reader.rows(), redaction if level is not Level.NONE else None)
    if style == "csv":
        return series_csv(events)
    if style == "ical":
        return (icalendar(outcome_of(events).view),)
    if style == "junit":
        return (junit_xml(outcome_of(events)),)
    try:
        return list(statements(outcome_of(events)))
    except NoSubjectError as error:
        raise FailedError(f"{reader.path}: {error}", ExitCode.BAD_CONFIG) from None
