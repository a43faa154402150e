"""``launch-console judge LOG --runbook OTHER.yaml``: what other stop conditions would have done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.saved_log import saved_log
from console.exit_codes import ExitCode
from state.base.times import SECOND_US, clock

if TYPE_CHECKING:
    from state.base.json import Json
    from state.conditions.what_if import Again, Course


def run(log: Path, runbook: Path, as_json: bool) -> ExitCode:
    """Judge a log again and say what would have been.

    Raises RunbookError and LogError.
    """
    from state.conditions.what_if import rejudge
    from state.runbook.load import load_runbook

    loaded = load_runbook(runbook).runbook
    with saved_log(log) as (reader, _):
        found = rejudge(reader.every(), loaded.conditions, max(1, round(loaded.bake.interval)))
    if as_json:
        sys.stdout.write(json.dumps([_dump(one) for one in found], ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(line for one in found for line in _lines(one)) + "\n")
    return ExitCode.GO


def _lines(one: Again) -> list[str]:
    condition = one.condition
    power = f"{condition.on_trip.value}{' (shadow)' if condition.shadow else ''}"
    side = "over" if condition.below is None else "below"
    rule = f"{side} {condition.limit:g} for {condition.for_:g} s, on trip: {power}"
    was = "not evaluated" if one.recorded is None else _course(one.recorded)
    lines = [f"{condition.id}: {condition.title}, {rule}", f"  was    {was}"]
    if one.problem:
        return [*lines, f"  again  can't be judged: {one.problem}"]
    word = "DIFFERENT" if one.differs else "the same trips"
    return [*lines, f"  again  {_course(one.judged)}", f"  {word}{_would(one)}"]


def _would(one: Again) -> str:
    trips = one.judged.trips()
    if not trips:
        return ""
    does = {"hold": "held the launch", "ask": "asked the captain", "rollback": "counted down to a rollback"}
    return f": it would have {does[one.condition.on_trip.value]} at {clock(trips[0].at_us)}"


def _course(course: Course) -> str:
    trips = course.trips()
    message = f"TRIPPED at {', '.join(clock(t.at_us) for t in trips)}" if trips else "no trip"
    highest = "" if course.highest is None else f"; highest {course.highest:.4g}"
    return f"{message}; longest breach {course.longest_s} s{highest}; blind {course.blind_us // SECOND_US} s"


def _dump(one: Again) -> dict[str, Json]:
    return {
        "id": one.condition.id,
        "recorded": None if one.recorded is None else _course_json(one.recorded),
        "judged": None if one.problem else _course_json(one.judged),
        "problem": one.problem,
        "differs": one.differs and not one.problem,
    }


def _course_json(course: Course) -> dict[str, Json]:
    return {
        "tripped_us": [turn.at_us for turn in course.trips()],
        "longest_breach_s": course.longest_s,
        "highest": None if course.highest is None else f"{course.highest:.9g}",
        "blind_s": course.blind_us // SECOND_US,
        "states": [{"at_us": t.at_us, "state": t.state.value, "reason": t.reason} for t in course.turns],
    }
