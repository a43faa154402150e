"""A shared tmux: the line that lets others watch, and who limits its size."""

from __future__ import annotations

import os
import shlex

import pytest

from console.cli.doctor.diagnosed import Mark
from console.cli.doctor.shared_tmux import TmuxClient, shared_terminal, told_of
from tests.terminal.tmux import Tmux

INVITE = "tmux -S /tmp/s attach -r -t launch"
WIDE = TmuxClient("/dev/pts/1", 200, 55, watches=False)
SMALL = TmuxClient("/dev/pts/2", 80, 24, watches=True)


def test_who_limits_the_size_is_named_with_what_to_set() -> None:
    invite, size = told_of(INVITE, "smallest", [WIDE, SMALL])
    assert invite.said == f"others watch with: {INVITE}"
    assert size.mark is Mark.UNKNOWN
    assert size.said == "2 terminals share it, and /dev/pts/2 (80x24) limits all to 80x24"
    assert size.fix.startswith("tmux set -w window-size latest")


def test_one_that_is_narrow_and_one_that_is_low_both_limit_it() -> None:
    low = TmuxClient("/dev/pts/3", 120, 20, watches=True)
    _, size = told_of(INVITE, "smallest", [SMALL, low])
    assert size.said.endswith("/dev/pts/2 (80x24) and /dev/pts/3 (120x20) limit all to 80x20")


@pytest.mark.parametrize(
    ("policy", "clients", "lines"),
    [
        ("latest", [WIDE, SMALL], 2),
        ("smallest", [SMALL, SMALL], 2),
        ("smallest", [WIDE], 1),
        ("", [], 1),
    ],
)
def test_where_nobody_is_limited_nothing_is_to_be_done(
    policy: str, clients: list[TmuxClient], lines: int
) -> None:
    told = told_of(INVITE, policy, clients)
    assert len(told) == lines
    assert {one.mark for one in told} == {Mark.GOOD}


def test_outside_tmux_there_is_nothing_to_say() -> None:
    assert shared_terminal({"PATH": os.environ["PATH"]}) == []
    assert shared_terminal({"PATH": os.environ["PATH"], "TMUX": "/nowhere/socket,1,0"}) == []


@pytest.mark.tmux
@pytest.mark.needs("tmux")
def test_a_real_tmux_tells_its_socket_and_session() -> None:
    with Tmux("-c", "import time; time.sleep(100)") as pane:
        inside = pane.run("display-message", "-p", "#{socket_path},#{pid},0").strip()
        told = shared_terminal({"PATH": os.environ["PATH"], "TMUX": inside})
    socket = inside.partition(",")[0]
    assert [one.said for one in told] == [f"others watch with: tmux -S {shlex.quote(socket)} attach -r -t 0"]
