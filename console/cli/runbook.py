"""``launch-console runbook check | schema``: a runbook is judged before a launch depends on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console.engine.checks.validate import load_judgeable
from state.base.numbers import plural
from state.base.text import line
from state.runbook.load import RunbookError


def say(error: RunbookError) -> int:
    """Print every problem of a runbook and return the exit code."""
    count = len(error.problems)
    told = plural(count, "problem")
    rows = [
        *(line(str(problem), 2000) for problem in error.problems),
        f"{told}: correct the runbook and try again",
    ]
    sys.stderr.write("\n".join(rows) + "\n")
    return 2


def run_check(path: Path) -> int:
    """Check a runbook: 0 where it can be used, 2 with every problem where it cannot."""
    try:
        runbook = load_judgeable(path).runbook
    except RunbookError as error:
        return say(error)
    items = [item for gate in runbook.gates for item in gate.items]
    checks = sum(len(item.checks) for item in items)
    asked = sum(item.attest is not None for item in items)
    told = [(len(runbook.gates), "gate"), (len(items), "item"), (checks, "check"), (asked, "attestation")]
    sys.stdout.write(f"{path}: {', '.join(plural(count, noun) for count, noun in told)}\n")
    return 0


def run_schema() -> int:
    """Print the JSON Schema of a runbook, with the settings of every kind of check."""
    from console.cli.schema import runbook_schema

    sys.stdout.write(json.dumps(runbook_schema(), indent=2) + "\n")
    return 0
