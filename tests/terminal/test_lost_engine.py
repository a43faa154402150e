"""An engine that is killed in the middle of a bake: the console says so, starts another, and nothing is missing."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.terminal.captain import OVERRIDE, Captain
from tests.terminal.range import PATIENT_S, new_range

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]
SOON_S = 5.0
"""Real seconds within which a lost engine is told: three missed beats, and a busy machine."""


def test_a_killed_engine_is_told_and_started_again_and_the_bake_goes_on() -> None:
    with new_range() as made, made.rehearse("--rate", "20") as pane:
        captain = Captain(pane)
        captain.attached()
        captain.start("production.deploy", "Promote the candidate to production", override=OVERRIDE)
        captain.ended("production.deploy", "SUCCEEDED")
        pane.keys("b")
        pane.until(lambda s: (good_s(s) or 0) > 0, within=PATIENT_S)
        acknowledged = note(captain, "before the engine was killed")
        engine = made.engine_pid()
        os.kill(engine, signal.SIGKILL)
        began = time.monotonic()
        captain.wait("ENGINE LOST")
        assert time.monotonic() - began < SOON_S
        captain.wait("S: start an engine")
        before = made.events()
        assert before[acknowledged - 1].body["text"] == "before the engine was killed"
        pane.keys("S")
        pane.until(lambda s: "ENGINE LOST" not in s and "you are driving" in s, within=PATIENT_S)
        assert made.engine_pid() != engine
        assert made.events()[: len(before)] == before
        captain.clock(60)
        captain.wait("DONE")
        note(captain, "after it was started again")
        pane.keys("q")
        captain.wait("code 0")
        assert made.run("verify", str(made.log)).returncode == 0


def note(captain: Captain, text: str) -> int:
    """Add a note; return the event that the engine acknowledged."""
    captain.pane.keys("c")
    captain.wait("Add a note")
    captain.pane.run("send-keys", "-l", text)
    captain.wait(text)
    captain.pane.keys("Enter")
    told = re.search(r"noted, event (\d+)", captain.wait("noted, event "))
    assert told is not None
    return int(told[1])


def good_s(shown: str) -> int | None:
    """Return the seconds that the bake screen says were seen good."""
    found = re.search(r" (\d+):(\d\d) of \d+:\d\d healthy", shown)
    return int(found[1]) * 60 + int(found[2]) if found else None
