"""``launch-console runbook check | schema``: a runbook is judged before a launch depends on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from checks.looks import checks_of, promotion_gate
from console.cli.say import say
from console.engine.checks.validate import check_warnings, load_judgeable
from console.exit_codes import ExitCode
from state.base.numbers import plural
from state.view.enums import Look


def run_check(runbook: Path) -> ExitCode:
    """Check a runbook and say what it holds, and what of it judges another release than it seems.

    Raises RunbookError with every problem.
    """
    read = load_judgeable(runbook)
    loaded = read.runbook
    items = [item for gate in loaded.gates for item in gate.items]
    checks = sum(len(item.checks) for item in items)
    asked = sum(item.attest is not None for item in items)
    counts = [(len(loaded.gates), "gate"), (len(items), "item"), (checks, "check"), (asked, "attestation")]
    sys.stdout.write(f"{runbook}: {', '.join(plural(count, noun) for count, noun in counts)}\n")
    promotion = promotion_gate(loaded)
    names = [item.id for gate in loaded.gates for item in gate.items]
    twice = sum(check.look is Look.LIVE for check in checks_of(loaded, names))
    if twice:
        judging = f"{plural(twice, 'check judges', 'checks judge')} the candidate"
        sys.stdout.write(
            f"{judging}: in staging before gate {promotion} promotes it, and again live after that\n"
        )
    for problem in check_warnings(read):
        say(f"warning: {problem}")
    return ExitCode.GO


def run_schema() -> ExitCode:
    """Print the JSON Schema of a runbook, with the settings of every kind of check."""
    from console.cli.kinds.schema import runbook_schema

    sys.stdout.write(json.dumps(runbook_schema(), indent=2) + "\n")
    return ExitCode.GO
