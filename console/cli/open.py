"""``launch-console RUNBOOK``: find or start the launch's engine, and open a console on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from console.engine.process.running import RuntimeDirectoryError, find, running_engines
from console.engine.process.spawn import EngineFailedError, look_at_log, start_engine
from console.ui.run import no_terminal, run_live
from state.base.clock import SystemClock
from state.base.times import moment


def default_log(runbook: Path) -> Path:
    """Return where a new launch of a runbook is kept: ``launches/`` beside it."""
    stamp = f"{moment(SystemClock().wall_us()):%Y%m%dT%H%M%SZ}"
    return runbook.resolve().parent / "launches" / f"{stamp}-{runbook.stem}-{os.getpid()}.lclog"


def run_open(runbook: Path, log: Path | None, clock: Path | None) -> int:
    """Open the console on a runbook: on its running engine, or on a new one.

    Returns the console's exit code; 2 for a bad runbook, 3 for a log that cannot be used.
    """
    try:
        log = log or _running(runbook) or default_log(runbook)
        attached = find(log)
        if attached is None and not runbook.is_file():
            sys.stderr.write(
                f"launch-console: there is no runbook {runbook}: name one, or start with `launch-console rehearse`\n"
            )
            return 2
        if attached is None:
            look_at_log(log)
        problem = no_terminal()
        if problem is not None:
            return _unseen(runbook, problem)
        info = attached or start_engine(runbook, log, clock)
    except (EngineFailedError, RuntimeDirectoryError) as error:
        sys.stderr.write(f"{error}\n")
        return error.code if isinstance(error, EngineFailedError) else 1
    code = run_live(info.socket, restart=lambda: start_engine(runbook, log, clock).socket)
    sys.stderr.write(f"The engine goes on. Stop it with:  launch-console engine stop {log}\n")
    return code


def _unseen(runbook: Path, problem: str) -> int:
    """Say that no console can be shown, and before that what is wrong with the runbook."""
    from console.cli.runbook import say
    from console.engine.checks.validate import load_judgeable
    from state.runbook.load import RunbookError

    try:
        load_judgeable(runbook)
    except RunbookError as error:
        return say(error)
    sys.stderr.write(f"launch-console: {problem}\n")
    return 2


def _running(runbook: Path) -> Path | None:
    """Return the log of the engine that runs this runbook, where there is exactly one."""
    wanted = runbook.resolve()
    logs = [one.log for one in running_engines() if one.runbook == wanted]
    return logs[0] if len(logs) == 1 else None
