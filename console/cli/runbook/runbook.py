"""``launch-console runbook check | schema``: a runbook is judged before a launch depends on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from checks.looks import checks_of, promotion_gate
from console.cli.say import say
from console.engine.checks.validate import check_warnings, load_judgeable
from console.exit_codes import ExitCode
from state.base.numbers import plural
from state.runbook.load import RunbookError
from state.runbook.models import Runbook
from state.view.enums import Look


def run_check(runbook: Path, offline: bool = False) -> ExitCode:
    """Check a runbook and say what it holds, and what of it judges another release than it seems.

    Not ``offline``: also what it names on this machine. Raises RunbookError with every problem.
    """
    read = load_judgeable(runbook)
    loaded = read.runbook
    items = [item for gate in loaded.gates for item in gate.items]
    checks = sum(len(item.checks) for item in items) + sum(len(stage.checks()) for stage in loaded.stages)
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
    for shared in _shared(loaded):
        say(shared)
    if not offline:
        from console.cli.runbook.this_machine import look

        looked = look(read)
        for problem in looked.warnings:
            say(f"warning: {problem}")
        if looked.errors:
            raise RunbookError(looked.errors)
    return ExitCode.GO


def _shared(runbook: Runbook) -> Iterator[str]:
    """Yield what several stages of the pipeline stand on: none of them has evidence of its own then."""
    stages: dict[str, list[str]] = {}
    for stage in runbook.stages:
        for part in stage.parts:
            name = f"item {part.item}" if part.item is not None else part.operation
            if name is not None:
                stages.setdefault(name, []).append(stage.id)
    for name, several in stages.items():
        if len(several) > 1:
            yield (
                f"stages {' and '.join(several)} all stand on {name}: one turns good with the other. "
                "Give each checks of its own, as parts: [{ check: { kind: … } }]"
            )


def run_schema() -> ExitCode:
    """Print the JSON Schema of a runbook, with the settings of every kind of check."""
    from console.cli.kinds.schema import runbook_schema

    sys.stdout.write(json.dumps(runbook_schema(), indent=2) + "\n")
    return ExitCode.GO
