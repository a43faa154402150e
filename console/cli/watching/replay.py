"""``launch-console replay LOG``: a saved launch on the same screens; or the moment that a pointer names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from console.cli.watching.event_lines import print_events
from console.cli.watching.follow import look_at
from console.client.destinations import parse_pointer
from console.exit_codes import ExitCode, FailedError
from console.ui.run import run_replay
from state.base.numbers import plural
from state.log.errors import LogError
from state.log.reader import LogReader
from state.log.verify import VerifyReport

_PLACES = (Path(), Path("launches"))
"""Where the log of a pointer is looked for, below the folder at hand."""


def run(log: Path, speed: float, at: str, damaged: bool, plain: bool = False) -> int:
    """Replay a log and return the console's exit code; a damaged one only where ``damaged`` asks for it.

    ``log``: a file, or a pointer ``lc1:<log>:<seq>`` to a moment of a log in this folder or in its ``launches/``.
    ``plain``: one line an event, at once and without a screen; ``at`` is then the number of the first one. Raises
    LogError, and FailedError for another ``at``.
    """
    named = parse_pointer(str(log))
    if named is not None:
        log, at = _log_of(named[0]), at or f"#{named[1]}"
    report = look_at(log, damaged=damaged)
    if plain:
        number = at.removeprefix("#")
        if at and not number.isdecimal():
            raise FailedError("with --plain, --at takes the number of an event", ExitCode.BAD_CONFIG)
        return print_events(log, on=False, at=int(number or 0))
    return run_replay(log, speed=speed, at=at, proof=proof_of(report))


def proof_of(report: VerifyReport | None) -> str:
    """Return what a check of a log proved, in a few words: ``verified to #4567, anchored to #4500``."""
    if report is None:
        return "not verified: damaged"
    spoken = report.events - report.unanchored
    anchored = f"anchored to #{spoken}" if spoken > 0 else "nothing but the file speaks for it"
    signed = f", {plural(report.signatures.signed, 'signature')}" if report.signatures.signed else ""
    return f"verified to #{report.events}, {anchored}{signed}"


def _log_of(log_id: str) -> Path:
    """Return the log that a pointer names. Raises FailedError where it isn't here."""
    found = [one for one in _logs() if _id_of(one).startswith(log_id)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(str, found))
        raise FailedError(
            f"more than one file is a copy of launch {log_id}: {names}; name one, with --at",
            ExitCode.BAD_CONFIG,
        )
    raise FailedError(
        f"no log of launch {log_id} is in this folder or in launches/: name its file, with --at #NUMBER",
        ExitCode.BAD_LOG,
    )


def _logs() -> Iterator[Path]:
    for place in _PLACES:
        yield from sorted(place.glob("*.lclog"))


def _id_of(log: Path) -> str:
    try:
        with LogReader(log) as reader:
            return reader.log_id
    except LogError:
        return ""  # what is no log isn't the one that is looked for
