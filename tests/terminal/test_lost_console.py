"""A console that is killed, or whose terminal is closed, leaves engine and deploy as they are."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from state.verdict import OperationState
from state.view import LaunchView
from tests.terminal.captain import OVERRIDE, Captain
from tests.terminal.range import Range, new_range, until
from tests.terminal.tmux import Tmux, children

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
DEPLOY = "production.deploy"


def runs(view: LaunchView) -> bool:
    """Return whether the deploy is under way, its program known by its process."""
    running = view.running()
    return running is not None and running.id == DEPLOY and running.pid > 0


def console_pid(pane: Tmux) -> int:
    """Return the console's own process: the child of the terminal's guardian that shares its session."""
    guardian = children(pane.pane_pid())[0]
    return next(pid for pid in children(guardian) if os.getsid(pid) == os.getsid(guardian))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def killed(made: Range, pane: Tmux) -> tuple[int, int]:
    """Start the deploy, kill the console while it runs; return the engine's and helm's process."""
    captain = Captain(pane)
    captain.attached()
    captain.start(DEPLOY, "Promote the candidate to production", override=OVERRIDE)
    running = made.until(runs, "the deploy's program").running()
    assert running is not None
    engine = made.engine_pid()
    os.kill(console_pid(pane), signal.SIGKILL)
    captain.wait(f"code {128 + signal.SIGKILL}")
    assert pane.modes() == "0 0 1"
    return engine, running.pid


def test_a_killed_console_and_a_closed_terminal_leave_the_deploy_alone() -> None:
    with new_range() as made:
        with made.rehearse() as pane:
            engine, helm = killed(made, pane)
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
            captain.attached()
            pane.keys("d")
            captain.ended(DEPLOY, "RUNNING")
            captain.clock(60)
            captain.ended(DEPLOY, "SUCCEEDED")
        assert made.engine_pid() == engine
        run = made.view().last_operation(DEPLOY)
        assert run is not None
        assert run.state is OperationState.SUCCEEDED
        assert run.pid == helm
