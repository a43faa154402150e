"""Two consoles on one engine: one drives, the other watches, and may take over."""

from __future__ import annotations

import pytest

from tests.terminal.captain import Captain
from tests.terminal.range import PATIENT_S, new_range

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]


def test_the_second_console_watches_and_is_refused_with_a_reason() -> None:
    with new_range() as made, made.rehearse("--rate", "20") as pane:
        captain = Captain(pane)
        captain.attached()
        engine = made.engine_pid()
        with made.rehearse(size=(80, 24)) as beside:
            watcher = Captain(beside)
            shown = watcher.wait("is driving +1")
            assert "(you)" not in shown
            assert made.engine_pid() == engine
            captain.wait("you are driving +1")
            captain.open_gate(4)
            captain.pane.keys("R")
            watcher.open_gate(4)
            # Of the pods of the candidate nothing is known yet: it isn't in staging.
            beside.until(lambda s: s.count("✔ 1/1") == 2 and "1/2" in s, within=PATIENT_S)
            beside.keys("R")
            watcher.wait("take over first")
            beside.keys("Escape")
            watcher.gone("take over first")
            beside.keys("d")
            watcher.wait("newest run")
            beside.keys("Enter")
            watcher.wait("take over first")
            beside.keys("Escape")
            watcher.gone("take over first")
            beside.keys("q")
            watcher.wait("code 0")
        pane.until(lambda s: "you are driving" in s and "+1" not in s, within=PATIENT_S)
        assert any(e.kind == "gate.declared" for e in made.events())
