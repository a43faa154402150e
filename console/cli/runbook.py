"""``launch-console runbook check | schema``: a runbook is judged before a launch depends on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console.engine.checks.validate import load_judgeable
from console.exit_codes import ExitCode
from state.base.numbers import plural


def run_check(runbook: Path) -> ExitCode:
    """Check a runbook and say what it holds.

    Raises RunbookError with every problem.
    """
    loaded = load_judgeable(runbook).runbook
    items = [item for gate in loaded.gates for item in gate.items]
    checks = sum(len(item.checks) for item in items)
    asked = sum(item.attest is not None for item in items)
    counts = [(len(loaded.gates), "gate"), (len(items), "item"), (checks, "check"), (asked, "attestation")]
    sys.stdout.write(f"{runbook}: {', '.join(plural(count, noun) for count, noun in counts)}\n")
    return ExitCode.GO


def run_schema() -> ExitCode:
    """Print the JSON Schema of a runbook, with the settings of every kind of check."""
    from console.cli.kinds.schema import runbook_schema

    sys.stdout.write(json.dumps(runbook_schema(), indent=2) + "\n")
    return ExitCode.GO
