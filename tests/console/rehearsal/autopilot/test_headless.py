"""``launch-console rehearse --headless --json``: a launch that drives itself, to GO or back."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.base.json import integer, obj, text
from tests.console.rehearsal.autopilot.headless import body, hashes, kept, kind, numbers, rehearse, verifies

pytestmark = pytest.mark.timeout(300)
GATES = {str(number): "GO" for number in range(1, 11)}
LONGEST_S = 60.0
"""Real seconds that a whole launch may take on two cores."""


@pytest.mark.alone
def test_a_good_candidate_ends_with_ten_gates_go_in_a_minute(tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    run = rehearse(log)
    assert run.code == 0, (run.summary, run.stderr)
    assert run.took_s < LONGEST_S
    assert list(run.summary) == ["outcome", "state", "gates", "items", "events", "head", "log"]
    assert run.summary["outcome"] == "go"
    assert run.summary["state"] == "closed"
    assert run.summary["gates"] == GATES
    items = obj(run.summary["items"])
    assert len(items) == 42
    assert set(items.values()) == {"pass"}
    assert numbers(run.events) == list(range(1, integer(run.summary, "events") + 1))
    assert hashes(run.events) == kept(log)
    head = text(run.summary, "head")
    assert head.startswith("lc1:")
    assert f":{len(run.events)}:{text(run.events[-1], 'hash')[:32]}" in head
    assert run.summary["log"] == str(log)
    signed = [e for e in run.events if kind(e) == "attest.signed"]
    assert signed
    assert all("rehearsal" in str(body(e, "comment")) for e in signed)
    assert verifies(log)


def test_a_bad_candidate_trips_rolls_back_verifies_and_is_no_go(tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    run = rehearse(log, "--fault", "bad-candidate")
    assert run.code == 14, (run.summary, run.stderr)
    assert run.summary["outcome"] == "rolled-back"
    tripped = next(e for e in run.events if kind(e) == "condition.changed" and body(e, "state") == "TRIPPED")
    back = [
        e for e in run.events if kind(e) == "operation.finished" and body(e, "id") == "production.rollback"
    ]
    assert [body(e, "state") for e in back] == ["succeeded"]
    assert integer(tripped, "seq") < integer(back[0], "seq")
    assert obj(run.summary["gates"])["9"] != "GO"
    assert verifies(log)
    again = rehearse(log)
    assert again.code == 14, (again.summary, again.stderr)
    intended = [body(e, "id") for e in again.events if kind(e) == "operation.intended"]
    assert intended.count("production.deploy") == 1  # what was rolled back is not promoted again by itself
