"""A console that is killed, or whose terminal is closed, leaves engine and real helm alone; another goes on."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from state.base.json import obj, text
from state.view.enums import OperationState
from state.view.launch import LaunchView
from tests.console.engine.operations.helms import both_helms, find
from tests.terminal.captain import OVERRIDE, Captain
from tests.terminal.range import PATIENT_S, Range, new_range, until
from tests.terminal.tmux import Tmux, children

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]
DEPLOY, BACK = "production.deploy", "production.rollback"
TITLES = {
    DEPLOY: "Promote the candidate to production",
    BACK: "Roll production back to the recorded good revision",
}


def runs(view: LaunchView, operation: str) -> bool:
    """Return whether an operation is under way, its program known by its process."""
    running = view.running()
    return running is not None and running.id == operation and running.pid > 0


def console_pid(pane: Tmux) -> int:
    """Return the console's own process: the child of the terminal's guardian that shares its session."""
    guardian = children(pane.pane_pid())[0]
    return next(pid for pid in children(guardian) if os.getsid(pid) == os.getsid(guardian))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def use(helm: str, made: Range) -> None:
    """Let the rehearsal use a real helm: its runbook names a script, which becomes one that starts it."""
    described = obj(json.loads((made.folder / "launch.lclog.world" / "serve.json").read_text()))
    Path(text(described, "helm")).write_text(f'#!/bin/sh\nexec "{helm}" "$@"\n')


def killed(made: Range, pane: Tmux, operation: str) -> tuple[int, int]:
    """Kill the console while an operation runs; return the engine's and helm's process."""
    running = made.until(lambda view: runs(view, operation), "the operation's program").running()
    assert running is not None
    engine = made.engine_pid()
    os.kill(console_pid(pane), signal.SIGKILL)
    Captain(pane).wait(f"code {128 + signal.SIGKILL}")
    assert pane.modes() == "0 0 1"
    return engine, running.pid


def ended(captain: Captain, operation: str, verdict: str) -> None:
    """Look at an operation that runs in a console that was opened again, until it has ended well."""
    captain.attached()
    captain.pane.keys("d")
    captain.ended(operation, "RUNNING")
    captain.clock(60)
    captain.ended(operation, "SUCCEEDED")
    captain.choose_operation(operation, TITLES[operation])
    captain.wait(verdict)


def slowly(captain: Captain) -> None:
    """Let the clock go as time does, which the headline shows by saying nothing of it."""
    captain.pane.keys("f")
    captain.wait("Change the clock")
    captain.pane.keys("1", "Enter")
    captain.pane.until(lambda shown: "×" not in shown.splitlines()[0], within=PATIENT_S)


@pytest.mark.wire
@both_helms
def test_a_killed_console_and_a_closed_terminal_leave_upgrade_and_rollback_alone(major: int) -> None:
    program = find(major)
    with new_range() as made:
        with made.rehearse() as pane:
            captain = Captain(pane)
            captain.attached()
            use(program, made)
            captain.start(DEPLOY, TITLES[DEPLOY], override=OVERRIDE)
            engine, helm = killed(made, pane, DEPLOY)
        assert made.engine_pid() == engine
        assert alive(helm)
        with made.rehearse() as pane:
            Captain(pane).wait(f"… {DEPLOY}")
            pids = [console_pid(pane), children(pane.pane_pid())[0]]
            pane.run("kill-session")
            until(
                lambda: True if not any(map(alive, pids)) else None, "the end of a console without terminal"
            )
        assert made.engine_pid() == engine
        assert alive(helm)
        with made.rehearse() as pane:
            captain = Captain(pane)
            ended(captain, DEPLOY, "revision 2 (deployed) runs: 5 pods, digests equal")
            slowly(captain)
            captain.start(BACK, TITLES[BACK])
            assert killed(made, pane, BACK)[0] == engine
        with made.rehearse() as pane:
            ended(Captain(pane), BACK, "revision 1 runs again (as revision 3), verified live")
        assert made.engine_pid() == engine
        run = made.view().last_operation(DEPLOY)
        assert run is not None
        assert run.state is OperationState.SUCCEEDED
        assert run.pid == helm
