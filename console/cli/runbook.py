"""``launch-console check`` and ``schema``: a runbook is judged before a launch depends on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from checks import registry
from state.runbook.load import LoadedRunbook, Problem, RunbookError, load_runbook
from state.runbook.models import Runbook


def load_checked(path: Path) -> LoadedRunbook:
    """Read a runbook and the settings of its checks.

    Raises RunbookError with every problem.
    """
    loaded = load_runbook(path)
    problems = [_problem(loaded, *found) for found in registry.validate(loaded.runbook)]
    if problems:
        raise RunbookError(problems)
    return loaded


def _problem(loaded: LoadedRunbook, item_id: str, kind: str, message: str) -> Problem:
    for g, gate in enumerate(loaded.runbook.gates):
        for i, item in enumerate(gate.items):
            if item.id == item_id:
                kinds = [c.kind for c in item.checks]
                at = kinds.index(kind) if kind in kinds else 0
                return loaded.problem(
                    ["gates", g, "items", i, "checks", at], f"item {item_id}, {kind}: {message}"
                )
    return loaded.problem(["gates"], f"item {item_id}, {kind}: {message}")


def say(error: RunbookError) -> int:
    """Print every problem of a runbook and return the exit code."""
    count = len(error.problems)
    for problem in error.problems:
        print(problem, file=sys.stderr)  # noqa: T201  the command line's answer
    told = "1 problem" if count == 1 else f"{count} problems"
    print(f"{told}: correct the runbook and try again", file=sys.stderr)  # noqa: T201  the same
    return 2


def run_check(path: Path) -> int:
    """Check a runbook: 0 where it can be used, 2 with every problem where it cannot."""
    try:
        runbook = load_checked(path).runbook
    except RunbookError as error:
        return say(error)
    items = [item for gate in runbook.gates for item in gate.items]
    checks = sum(len(item.checks) for item in items)
    asked = sum(item.attest is not None for item in items)
    print(f"{path}: 10 gates, {len(items)} items, {checks} checks, {asked} attestations")  # noqa: T201  the answer
    return 0


def run_schema() -> int:
    """Print the JSON Schema of a runbook."""
    print(json.dumps(Runbook.model_json_schema(by_alias=True), indent=2))  # noqa: T201  the answer
    return 0
