"""``launch-console RUNBOOK``: find or start the launch's engine, and open a console on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from console.cli.saved_log import is_sealed, show_sealed, words_of_leaving
from console.cli.say import refuse, tell
from console.cli.watching.event_lines import print_events, watch
from console.engine.process.running import find, running_engines, shared_socket
from console.engine.process.spawn import look_at_log, start_engine
from console.exit_codes import ExitCode, FailedError
from console.ui.run import no_terminal, run_live
from state.base.clock import SystemClock
from state.base.times import moment


def default_log(runbook: Path) -> Path:
    """Return where a new launch of a runbook is kept: ``launches/`` beside it."""
    stamp = f"{moment(SystemClock().wall_us()):%Y%m%dT%H%M%SZ}"
    return runbook.resolve().parent / "launches" / f"{stamp}-{runbook.stem}-{os.getpid()}.lclog"


def run(runbook: Path, log: Path | None, clock: Path | None, plain: bool = False) -> int:
    """Open the console on a runbook, on its running engine or on a new one, and return the console's exit code.

    ``plain``: one line an event, without a screen, until the launch or its engine has ended.
    Raises LogError, RunbookError and FailedError before a console is seen.
    """
    log = log or running_log(runbook) or default_log(runbook)
    attached = find(log)
    shared = shared_socket(log.resolve()) if attached is None else None
    if shared is not None and _there(
        shared.is_socket
    ):  # the engine of another account, which lets a group in
        if plain:
            return print_events(log, on=True)
        problem = no_terminal()
        return refuse(problem, ExitCode.BAD_CONFIG) if problem is not None else run_live(shared)
    if attached is None and _there(log.is_file) and is_sealed(log):
        return print_events(log, on=False) if plain else show_sealed(log)
    if attached is None and not runbook.is_file():
        message = (
            f"there is no runbook {runbook}: name one, write one with `launch-console init`, "
            "or start with `launch-console rehearse`"
        )
        raise FailedError(message, ExitCode.BAD_CONFIG)
    if attached is None:
        look_at_log(log)
    back = f"launch-console {runbook} --log {log}"
    problem = None if plain else no_terminal()
    if problem is not None:
        _judge(
            runbook
        )  # in a pipeline, what is wrong with the runbook is worth more than the missing terminal
        return refuse(problem, ExitCode.BAD_CONFIG)
    info = attached or start_engine(runbook, log, clock)
    if plain:
        return watch(log, back)
    code = run_live(info.socket, restart=lambda: start_engine(runbook, log, clock).socket, log=log)
    tell(words_of_leaving(log, back, running=find(log) is not None))
    return code


def _there(look: Callable[[], bool]) -> bool:
    """Return what a look at a path says; no where this account may not look: whoever opens it says so."""
    try:
        return look()
    except OSError:
        return False


def _judge(runbook: Path) -> None:
    from console.engine.checks.validate import load_judgeable

    load_judgeable(runbook)


def running_log(runbook: Path) -> Path | None:
    """Return the log of the engine that runs this runbook, where there is exactly one."""
    expected = runbook.resolve()
    logs = [engine.log for engine in running_engines() if engine.runbook == expected]
    return logs[0] if len(logs) == 1 else None
