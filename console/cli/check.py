"""``launch-console check``: runs checks without a screen, for a pipeline or a quick look."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli import junit, tally
from console.cli.runbook import say
from console.cli.tally import Asked, Swept, Unasked
from console.engine.checks.runner import CheckRef, checks_of
from console.engine.checks.validate import load_judgeable
from console.engine.checks.without_launch import Result, sweep
from console.engine.process.socket_server import account_of
from state.base.clock import clock_of
from state.base.text import line
from state.fold import fold
from state.log.errors import LogError
from state.log.reader import LogReader
from state.runbook.load import RunbookError
from state.view.launch import LaunchView

if TYPE_CHECKING:
    from state.base.clock import Clock
    from state.runbook.load import LoadedRunbook
    from state.runbook.models import Gate, Runbook

BAD_CONFIG, BAD_LOG, ENDED = 2, 3, 143
PROBE = "it leaves traces in production: give --probes to run it"
HUMAN = "there is nothing to check: a person attests it"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be checked, and how it is told."""

    names: tuple[str, ...]
    """Gates (``3``) and items (``3.2``); all where it is empty."""
    runbook: Path
    log: Path | None = None
    clock: Path | None = None
    junit: Path | None = None
    probes: bool = False
    as_json: bool = False


class NotThereError(Exception):
    """What is to be checked, or a place to write, is not there; the message tells what is."""


def run(wanted: Wanted) -> int:
    """Run checks, tell what they found, and return 0 all pass, 11 a fail, 13 something unknown.

    2 stands for what can't be used: a runbook, a gate or item that isn't there, a file; 3 for a log.
    """
    try:
        loaded = load_judgeable(wanted.runbook)
        asked = ask(loaded.runbook, wanted.names, probes=wanted.probes)
        if wanted.junit is not None:
            _look_at(wanted.junit)
        clock = _clock(wanted.clock)
        view = _view(wanted.log)
    except RunbookError as error:
        return say(error)
    except (LogError, OSError) as error:
        return _refuse(str(error), BAD_LOG)
    except NotThereError as error:
        return _refuse(str(error), BAD_CONFIG)
    if view.scope.runbook_digest not in {"", loaded.digest}:
        sys.stderr.write(
            f"launch-console check: {wanted.log} was written with another {wanted.runbook.name}\n"
        )
    quiet = wanted.as_json
    lines = tally.Lines(asked, (lambda _: None) if quiet else _print)
    try:
        asyncio.run(_sweep(loaded, asked.checks, clock, view, lines.take))
    except asyncio.CancelledError:
        return _refuse("ended before every check had a result", ENDED)
    return _tell(wanted, lines.swept(loaded))


def ask(runbook: Runbook, names: Sequence[str], *, probes: bool) -> Asked:
    """Return which checks are run, and what is left out and why.

    Raises NotThereError, which lists the gates and items that there are.
    """
    known = {str(gate.number): {item.id for item in gate.items} for gate in runbook.gates}
    known |= {item.id: {item.id} for gate in runbook.gates for item in gate.items}
    if missing := [name for name in names if name not in known]:
        raise NotThereError(_missing(runbook.gates, missing))
    items = {item for name in names or known for item in known[name]}
    found = checks_of(runbook, items)
    probing = [] if probes else [check for check in found if check.leaves_traces]
    left = [Unasked(c.gate, c.item, PROBE, c) for c in probing]
    left += [
        Unasked(gate.number, item.id, HUMAN)
        for gate in runbook.gates
        for item in gate.items
        if item.id in items and not item.checks
    ]
    return Asked(tuple(check for check in found if check not in probing), tuple(left), runbook.gates)


def _missing(gates: Sequence[Gate], missing: Sequence[str]) -> str:
    told = [f"there is no gate or item {', '.join(line(name, 60) for name in missing)}; the runbook has"]
    told += [f"  gate {g.number:<3} {line(g.title)}: {', '.join(item.id for item in g.items)}" for g in gates]
    if any(name.endswith((".yaml", ".yml")) for name in missing):
        told.append(
            "a runbook is named by --runbook FILE, and checked by `launch-console runbook check FILE`"
        )
    return "\n".join(told)


def _look_at(target: Path) -> None:
    """Look before the checks run whether a file could be written after them."""
    try:
        place = target if target.exists() else target.parent
        writable = place.exists() and not target.is_dir() and os.access(place, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise NotThereError(f"{target} cannot be written: name a file in a folder that is there and yours")


def _clock(file: Path | None) -> Clock:
    try:
        return clock_of(file)
    except (OSError, ValueError) as error:
        raise NotThereError(f"the clock file {file} can't be used: {error}") from None


def _view(log: Path | None) -> LaunchView:
    if log is None:
        return LaunchView()
    with LogReader(log) as reader:
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


def _tell(wanted: Wanted, swept: Swept) -> int:
    if wanted.as_json:
        _print(tally.as_json(swept))
    else:
        _print(tally.closing(swept))
    if wanted.junit is not None:
        try:
            junit.write(wanted.junit, swept)
        except OSError as error:
            return _refuse(f"{wanted.junit} cannot be written: {error.strerror}", BAD_CONFIG)
    return swept.code


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"launch-console check: {message}\n")
    return code
