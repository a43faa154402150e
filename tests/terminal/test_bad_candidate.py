"""A bad candidate: a stop condition trips, production is rolled back by keys and verified, and the log replays."""

from __future__ import annotations

import pytest

from state.view.enums import ConditionState, OperationState
from tests.terminal.captain import OVERRIDE, Captain
from tests.terminal.range import PATIENT_S, new_range

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]


def test_a_bad_candidate_trips_and_is_rolled_back_by_keys() -> None:
    with new_range() as made:
        with made.rehearse("--rate", "20", "--fault", "bad-candidate") as pane:
            captain = Captain(pane)
            captain.attached()
            asked = captain.start(
                "production.deploy", "Promote the candidate to production", override=OVERRIDE
            )
            assert "gate 1 is OPEN" in asked
            captain.ended("production.deploy", "SUCCEEDED")
            pane.keys("b")
            captain.wait(" healthy")
            captain.clock(60)
            captain.wait("B: roll back · A: acknowledge")
            captain.clock(10)
            pane.keys("B")
            captain.confirm()
            pane.keys("d")
            captain.ended("production.rollback", "SUCCEEDED")
            pane.keys("q")
            captain.wait("code 0")
        view = made.view()
        assert any(c.state is ConditionState.TRIPPED for c in view.conditions)
        last = view.last_operation("production.rollback")
        assert last is not None
        assert last.state is OperationState.SUCCEEDED
        with made.console("replay", str(made.log), "--at", "TRIPPED") as pane:
            pane.until("✖ TRIPPED", within=PATIENT_S)
            pane.keys("Home")
            pane.until(lambda s: "TRIPPED" not in s, within=PATIENT_S)
            pane.keys("End")
            pane.until("SUCCEEDED production.rollback", within=PATIENT_S)
