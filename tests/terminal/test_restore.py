"""Whatever ends the console, the terminal is left as it was found (in a real tmux)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.terminal.tmux import Tmux, children

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.needs("tmux"),
]
PLAY = ("-m", "tests.terminal.play")


def processes(pane: Tmux) -> tuple[int, int]:
    """Return the pids of the guardian and of the console."""
    shell = pane.pane_pid()
    guardian = children(shell)[0]
    return guardian, children(guardian)[0]


def sane(pane: Tmux) -> None:
    end = time.monotonic() + 3
    while pane.modes() != "0 0 1" and time.monotonic() < end:
        time.sleep(0.05)
    assert pane.modes() == "0 0 1"
    pane.keys("echoed", "Enter")
    pane.until("echoed", within=3)


def test_leaving_restores_the_terminal() -> None:
    with Tmux(*PLAY, "tripped") as pane:
        pane.until("GATES")
        assert pane.modes().startswith("1 1")
        pane.keys("q")
        pane.until("code 0")
        sane(pane)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL, signal.SIGSEGV]
)
def test_a_signal_to_the_console_restores_the_terminal(number: signal.Signals) -> None:
    with Tmux(*PLAY, "opened") as pane:
        pane.until("GATES")
        os.kill(processes(pane)[1], number)
        pane.until(f"code {128 + number}")
        sane(pane)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_guardian_ends_the_console_too(number: signal.Signals) -> None:
    with Tmux(*PLAY, "opened") as pane:
        pane.until("GATES")
        guardian, console = processes(pane)
        os.kill(guardian, number)
        pane.until(f"code {128 + number}")
        sane(pane)
        assert not Path(f"/proc/{console}").exists()


def test_a_lost_terminal_ends_the_console() -> None:
    with Tmux(*PLAY, "opened") as pane:
        pane.until("GATES")
        pids = processes(pane)
        pane.run("kill-pane")
        end = time.monotonic() + 5
        while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_bytes_that_are_no_utf8_and_old_mouse_reports_do_no_harm() -> None:
    with Tmux(*PLAY, "opened") as pane:
        pane.until("GATES")
        pane.run("send-keys", "-H", "1b", "5b", "4d", "20", "f1", "f1")
        pane.run("send-keys", "-H", "ff", "fe", "c3")
        pane.keys("3")
        pane.until("GATE 3")
        pane.keys("q")
        pane.until("code 0")


def test_the_smallest_tmux_pane_is_used_and_resized() -> None:
    with Tmux(*PLAY, "tripped", size=(80, 23)) as pane:
        shown = pane.until("STOP CONDITIONS")
        assert "ROLL" in shown.upper()
        pane.run("resize-window", "-x", "50", "-y", "10")
        pane.until("too small")
        pane.run("resize-window", "-x", "200", "-y", "55")
        pane.until("requests per second")


def test_a_dumb_terminal_is_told_what_to_do() -> None:
    with Tmux(*PLAY, "opened", env={"TERM": "dumb"}) as pane:
        shown = pane.until("code 2").replace("\n", "")
        assert "can't move its cursor" in shown


def test_no_terminal_is_told_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, *PLAY, "opened"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_no_color_is_plain_and_still_says_everything() -> None:
    with Tmux(*PLAY, "tripped", env={"NO_COLOR": "1"}) as pane:
        pane.until("TRIPPED")
        coloured = pane.run("capture-pane", "-p", "-e")
        assert "\x1b[38;2" not in coloured
        pane.keys("d")
        pane.until("production.rollback")
