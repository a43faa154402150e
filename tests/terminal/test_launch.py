"""A captain drives a whole rehearsal by keys, in a real terminal, to ten gates GO; then replays it."""

from __future__ import annotations

import re

import pytest

from tests.terminal.captain import Captain, gates
from tests.terminal.range import PATIENT_S, Range, new_range
from tests.terminal.tmux import Tmux

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]

RATE = 20
BAKE_S = 3600
"""How long a bake may take by the rehearsal's clock."""


def test_a_good_candidate_is_driven_by_keys_to_gate_ten_and_replayed() -> None:
    with new_range() as made:
        with made.rehearse("--rate", str(RATE)) as pane:
            captain = Captain(pane)
            captain.attached()
            before_the_release(captain)
            release(captain)
            for number in (9, 10):
                captain.gate(number)
            pane.keys("g")
            shown = pane.until(lambda s: len(gates(s)) == 10, within=PATIENT_S)
            assert set(gates(shown).values()) == {"GO"}, shown
            pane.keys("q")
            left = captain.wait("code 0")
            assert "The engine keeps running" in left
        saved(made)
        with made.console("replay", str(made.log)) as pane:
            replayed(pane, len(made.events()))


def before_the_release(captain: Captain) -> None:
    """Bring gates 1 to 8 to GO: the candidate goes to staging first, where it is judged."""
    captain.stages("Build", "Test", "Package")
    from_staging(captain)


def from_staging(captain: Captain) -> None:
    """Let the candidate be judged in staging, and bring gates 1 to 8 as far as they come."""
    captain.operate("staging.deploy", "Deploy the candidate to staging")
    captain.operate("staging.migrate", "Run the migrations in staging")
    for number in range(1, 7):
        captain.gate(number)
    captain.gate(8)
    captain.open_gate(7)
    captain.item("7.1")
    captain.operate("production.migrate", "Run the migrations in production")
    captain.gate(7)


def release(captain: Captain) -> None:
    """Promote the candidate, and watch the bake to its end."""
    asked = captain.start("production.deploy", "Promote the candidate to production")
    assert "REHEARSAL PRODUCTION" in asked
    assert "helm upgrade" in asked
    captain.ended("production.deploy", "SUCCEEDED")
    baked(captain)


def baked(captain: Captain, rate: int = 60) -> None:
    """Watch the bake to its end on a clock that a busy machine keeps up with."""
    captain.pane.keys("b")
    captain.wait(" healthy")
    if rate != RATE:
        captain.clock(rate)  # faster, and a busy machine looks too seldom for the bake to see enough
    captain.wait("DONE", within=BAKE_S * 2 / rate)


def saved(made: Range) -> None:
    """Look at what the launch left behind: an engine that can be stopped, and a log that verifies."""
    assert str(made.log) in made.run("engine", "list").stdout
    stopped = made.run("engine", "stop", str(made.log))
    assert stopped.returncode == 0, stopped.stderr
    assert "no engine" in made.run("engine", "list").stdout
    verified = made.run("verify", str(made.log))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert f"{len(made.events())} events verify" in verified.stdout


def place(shown: str) -> tuple[int, int]:
    """Return the event where a replay stands, and how many there are."""
    found = re.search(r" (\d+)/(\d+)\s*$", next(x for x in shown.splitlines() if "REPLAY" in x))
    assert found is not None
    return int(found[1]), int(found[2])


def replayed(pane: Tmux, count: int) -> None:
    """Play, step, jump and speed a replay by keys; its end shows ten gates GO."""
    pane.until(lambda s: "REPLAY ▶" in s and place(s)[1] == count, within=PATIENT_S)
    pane.keys("Space")
    here = place(pane.until("REPLAY ■", within=PATIENT_S))[0]
    for key, there in ((".", here + 1), (".", here + 2), (",", here + 1)):
        pane.keys(key)
        pane.until(lambda s, t=there: place(s)[0] == t, within=PATIENT_S)  # type: ignore[misc]  # bound now
    pane.keys("]")
    pane.until(lambda s: place(s)[0] > here + 1, within=PATIENT_S)
    for number in (2, 5, 10, 60):
        pane.keys(">")
        pane.until(f"■ ×{number} ", within=PATIENT_S)
    pane.keys("<")
    pane.until("■ ×10 ", within=PATIENT_S)
    pane.keys("g")
    pane.until("Go to", within=PATIENT_S)
    pane.run("send-keys", "-l", "gate 6")
    pane.keys("Enter")
    shown = pane.until(lambda s: gates(s).get(6) == "GO", within=PATIENT_S)
    assert gates(shown)[7] == "OPEN"
    pane.keys("Space")
    before = place(shown)[0]
    pane.until(lambda s: "REPLAY ▶" in s and place(s)[0] > before, within=PATIENT_S)
    pane.keys("a")
    pane.keys("End")
    shown = pane.until(lambda s: place(s) == (count, count), within=PATIENT_S)
    assert set(gates(shown).values()) == {"GO"}
    assert "read-only" in shown
    pane.keys("q")
    pane.until("code 0", within=PATIENT_S)
