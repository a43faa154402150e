"""Whether the checks of a runbook can run at all: known kinds, and settings that fit them."""

from __future__ import annotations

from pydantic import ValidationError

from checks.registry import kind, names
from state.runbook.load import LoadedRunbook, Problem
from state.runbook.models import CheckSpec
from state.text import line


def check_problems(loaded: LoadedRunbook) -> list[Problem]:
    """Return every check that no kind of ``checks/`` could run, at its place in the file."""
    found: list[Problem] = []
    for g, gate in enumerate(loaded.runbook.gates):
        for i, item in enumerate(gate.items):
            for c, spec in enumerate(item.checks):
                place: list[str | int] = ["gates", g, "items", i, "checks", c]
                found += [loaded.problem([*place, *keys], told) for keys, told in _problems(spec)]
    return found


def _problems(spec: CheckSpec) -> list[tuple[list[str | int], str]]:
    known = kind(spec.kind)
    if known is None:
        near = [name for name in names() if name.split(".")[0] == spec.kind.split(".")[0]]
        hint = f"; known are {', '.join(near or names())}"
        return [(["kind"], f"there is no kind of check {line(spec.kind, 60)!r}{hint}")]
    try:
        known.settings.model_validate(spec.settings)
    except ValidationError as error:
        return [(["with", *e["loc"]], line(e["msg"].removeprefix("Value error, "))) for e in error.errors()]
    return []
