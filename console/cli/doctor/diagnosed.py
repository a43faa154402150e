"""What the doctor found: one line for each thing that a launch needs, with what to do where it isn't there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.exit_codes import ExitCode


class Mark(StrEnum):
    """Whether a launch has what it needs. Unknown is not good."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


GLYPHS = {Mark.GOOD: "✔", Mark.BAD: "✖", Mark.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at. No field holds a secret."""

    place: str
    """``this machine``, or an environment."""
    subject: str
    mark: Mark
    said: str
    fix: str = ""
    """What to do; empty where it is good."""


def exit_code(found: Sequence[Diagnosis]) -> ExitCode:
    """Return NO-GO where something is missing, BLIND where something couldn't be told, else GO."""
    marks = {one.mark for one in found}
    return ExitCode.NO_GO if Mark.BAD in marks else ExitCode.BLIND if Mark.UNKNOWN in marks else ExitCode.GO


def rows(found: Sequence[Diagnosis]) -> list[str]:
    """Return the lines: a heading for each place, then what was looked at, then the sum."""
    wide = max((len(one.subject) for one in found), default=0)
    told: list[str] = []
    place = ""
    for one in found:
        if one.place != place:
            place = one.place
            told += ["", place] if told else [place]
        told.append(f"{GLYPHS[one.mark]} {one.subject:<{wide}}  {one.said}")
        if one.fix and one.mark is not Mark.GOOD:
            told.append(f"  {'':<{wide}}  fix: {one.fix}")
    counts = [(sum(one.mark is mark for one in found), mark) for mark in Mark]
    return [*told, "", ", ".join(f"{count} {mark}" for count, mark in counts)]
