"""``launch-console check``: runs checks without a screen, for a pipeline or a quick look."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from checks.looks import CheckRef, checks_of, checks_of_stages
from console.cli.check import tally
from console.cli.check.junit import write as write_junit
from console.cli.check.tally import Asked, Swept, Unasked
from console.cli.saved_log import saved_log
from console.cli.say import say
from console.engine.checks.validate import load_judgeable
from console.engine.checks.without_launch import Result, sweep
from console.engine.process.socket_server import account_of
from console.exit_codes import ExitCode, FailedError, signalled
from state.base.clock import clock_of
from state.base.text import line
from state.fold import fold
from state.view.enums import Look
from state.view.launch import LaunchView

if TYPE_CHECKING:
    from state.base.clock import Clock
    from state.runbook.load import LoadedRunbook
    from state.runbook.models import Runbook

PROBE = "it leaves traces in production: give --probes to run it"
HUMAN = "there is nothing to check: a person attests it"


def run(
    names: Sequence[str],
    runbook: Path,
    log: Path | None,
    clock: Path | None,
    junit: Path | None,
    probes: bool,
    live: bool,
    as_json: bool,
) -> int:
    """Run the checks of gates (``3``), items (``3.2``) and stages (``build``), and tell what they found.

    All are run where none is named. What judges the candidate looks at staging, where it must run; with ``live`` at
    whatever production runs. A fail outweighs what is unknown, and no check at all is no GO. Raises RunbookError,
    LogError, and FailedError for a gate, an item, a stage or a file that is not there.
    """
    loaded = load_judgeable(runbook)
    asked = ask(loaded.runbook, names, probes=probes, live=live)
    if junit is not None:
        _look_at(junit)
    ticking = _clock(clock)
    view = _view(log)
    if view.scope.runbook_digest not in {"", loaded.digest}:
        say(f"{log} was written with another {runbook.name}")
    lines = tally.Lines(asked, (lambda _: None) if as_json else _print)
    try:
        asyncio.run(_sweep(loaded, asked.checks, ticking, view, lines.take))
    except asyncio.CancelledError:
        say("ended before every check had a result")
        return signalled(signal.SIGTERM)
    swept = lines.swept(loaded)
    _print(tally.as_json(swept) if as_json else tally.closing(swept))
    if junit is not None:
        _write(junit, swept)
    return swept.code


def ask(runbook: Runbook, names: Sequence[str], *, probes: bool, live: bool = False) -> Asked:
    """Return which checks are run, and what is left out and why.

    Raises FailedError, which lists the gates, items and stages that there are.
    """
    known = {str(gate.number): {item.id for item in gate.items} for gate in runbook.gates}
    known |= {item.id: {item.id} for gate in runbook.gates for item in gate.items}
    known |= {stage.id: {stage.id} for stage in runbook.stages if stage.checks()}
    if missing := [name for name in names if name not in known]:
        raise FailedError(_missing(runbook, missing), ExitCode.BAD_CONFIG)
    items = {item for name in names or known for item in known[name]}
    other = Look.CANDIDATE if live else Look.LIVE
    # Outside a launch nothing was promoted: a look at production says how that is, not how the candidate is.
    found = [
        replace(check, look=Look.ONCE) if live else check
        for check in (*checks_of(runbook, items), *checks_of_stages(runbook, items))
        if check.look is not other
    ]
    probing = [] if probes else [check for check in found if check.leaves_traces]
    left = [Unasked(c.gate, c.item, PROBE, c) for c in probing]
    left += [
        Unasked(gate.number, item.id, HUMAN)
        for gate in runbook.gates
        for item in gate.items
        if item.id in items and not item.checks
    ]
    checks = tuple(check for check in found if check not in probing)
    return Asked(checks, tuple(left), runbook.gates, runbook.stages)


def _missing(runbook: Runbook, missing: Sequence[str]) -> str:
    named = ", ".join(line(name, 60) for name in missing)
    lines = [f"there is no gate, item or stage {named}; the runbook has"]
    lines += [
        f"  gate {g.number:<3} {line(g.title)}: {', '.join(item.id for item in g.items)}"
        for g in runbook.gates
    ]
    stages = [stage.id for stage in runbook.stages if stage.checks()]
    lines += [f"  stages with checks of their own: {', '.join(stages)}"] if stages else []
    if any(name.endswith((".yaml", ".yml")) for name in missing):
        lines.append(
            "a runbook is named by --runbook FILE, and checked by `launch-console runbook check FILE`"
        )
    return "\n".join(lines)


def _look_at(target: Path) -> None:
    """Look before the checks run whether a file could be written after them."""
    try:
        place = target if target.exists() else target.parent
        writable = place.exists() and not target.is_dir() and os.access(place, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        message = f"{target} cannot be written: name a file in a folder that is there and yours"
        raise FailedError(message, ExitCode.BAD_CONFIG)


def _clock(file: Path | None) -> Clock:
    try:
        return clock_of(file)
    except (OSError, ValueError) as error:
        raise FailedError(f"the clock file {file} can't be used: {error}", ExitCode.BAD_CONFIG) from None


def _view(log: Path | None) -> LaunchView:
    if log is None:
        return LaunchView()
    with saved_log(log) as (reader, _):
        return fold(reader.every())


async def _sweep(
    loaded: LoadedRunbook,
    checks: Sequence[CheckRef],
    clock: Clock,
    view: LaunchView,
    told: Callable[[Result], None],
) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await sweep(loaded, checks, clock, view, account_of(os.getuid()), told)


def _write(target: Path, swept: Swept) -> None:
    try:
        write_junit(target, swept)
    except OSError as error:
        raise FailedError(f"{target} cannot be written: {error.strerror}", ExitCode.BAD_CONFIG) from None


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
