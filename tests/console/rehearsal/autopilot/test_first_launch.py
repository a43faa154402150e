"""``rehearse --first --headless``: a launch whose production has nothing yet drives itself to ten gates GO."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.base.json import JsonObject, integer, obj, text
from state.view.enums import GateStatus
from tests.console.rehearsal.autopilot.headless import Run, body, kind, rehearse, verifies

pytestmark = [pytest.mark.timeout(600), pytest.mark.alone]
GATES = {str(number): "GO" for number in range(1, 11)}
DEFERRED = {"1.4/0", "4.2/0", "5.3/0", "5.3/1", "6.1/0"}
"""What can only be judged on something that runs, of what is judged in production before a release."""


def test_a_first_launch_passes_its_own_gates(tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    run = rehearse(log, "--first")
    assert run.code == 0, (run.summary, run.stderr)
    assert run.summary["outcome"] == "go"
    assert run.summary["gates"] == GATES
    assert verifies(log)
    assert not [e for e in run.events if kind(e) == "operation.intended" and body(e, "override")]
    assert operations(run) == [
        "production.prepare",
        "staging.deploy",
        "staging.migrate",
        "production.migrate",
        "production.deploy",
    ]
    assert next(body(e, "presence") for e in run.events if kind(e) == "release.seen") == "absent"
    promoted = seq_of(run, "operation.intended", "id", "production.deploy")
    before = [e for e in run.events if integer(e, "seq") < promoted]
    deferred = checks(before, "deferred")
    assert {one for one in deferred if not one.endswith("/live")} == DEFERRED
    changed = {text(e, "gate"): text(obj(e["body"]), "to") for e in before if kind(e) == "gate.changed"}
    assert {gate for gate, status in changed.items() if status == GateStatus.DEFERRED} == {
        "g01",
        "g04",
        "g05",
        "g06",
    }
    _gate_nine_waited(run)


def operations(run: Run) -> list[str]:
    return [str(body(e, "id")) for e in run.events if kind(e) == "operation.intended"]


def checks(events: list[JsonObject], verdict: str) -> set[str]:
    finished = [e for e in events if kind(e) == "check.finished"]
    return {str(body(e, "check")) for e in finished if body(e, "verdict") == verdict}


def seq_of(run: Run, of: str, key: str, value: str) -> int:
    found = (e for e in run.events if kind(e) == of and body(e, key) == value)
    return integer(next(found), "seq")


def _gate_nine_waited(run: Run) -> None:
    """Gate 9 wasn't GO before each of them had passed."""
    changed = [e for e in run.events if kind(e) == "gate.changed" and text(e, "gate") == "g09"]
    go = next(integer(e, "seq") for e in changed if body(e, "to") == "GO")
    assert checks([e for e in run.events if integer(e, "seq") < go], "pass") >= DEFERRED
