"""``--plain``: one line an event, on a pipe, of a launch that is over and of one that goes on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from console.__main__ import main
from console.cli.watching.event_lines import print_events
from console.engine.engine import open_store
from state.events.event import Draft
from state.events.launch import LaunchClosed
from state.events.log import NoteAdded
from tests.clocks import ManualClock
from tests.paths import ROOT


def test_a_replay_is_a_line_for_each_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "launch.lclog"
    log.write_bytes(gzip.decompress((ROOT / "tests/logs/held-and-scrubbed.lclog.gz").read_bytes()))
    assert main(["replay", str(log), "--plain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    numbers = [int(one.split()[0]) for one in lines[:-1]]
    assert numbers == list(range(1, len(lines)))
    assert lines[-1] == f"-- {len(numbers)} events; the launch is scrubbed"
    assert main(["replay", str(log), "--plain", "--at", "#5"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[0] == "5"
    assert main(["replay", str(log), "--plain", "--at", "deploy"]) == 2


def test_a_follower_prints_what_comes_until_the_launch_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "launch.lclog"
    store = open_store(log, ManualClock(), "session")
    store.append(Draft(NoteAdded("one\x1b[31m\ntwo"), actor="ann")).result(10)
    waited = 0

    def wait() -> bool:
        nonlocal waited
        waited += 1
        note = Draft(NoteAdded(f"later {waited}"), actor="ann")
        store.append(note if waited < 3 else Draft(LaunchClosed(), actor="ann")).result(10)
        return True

    try:
        assert print_events(log, on=True, wait=wait) == 0
    finally:
        store.close()
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert [word in said for word in ("one two", "later 1", "later 2")] == [True] * 3
    assert waited == 3
    assert said.splitlines()[-1].endswith("the launch is closed")
