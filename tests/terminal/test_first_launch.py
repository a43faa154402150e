"""A captain drives a first launch by keys: an install that fails, its way out, and ten gates GO."""

from __future__ import annotations

import pytest

from state.view.enums import OperationKind, OperationState
from tests.terminal.captain import Captain, gates
from tests.terminal.range import PATIENT_S, new_range
from tests.terminal.test_launch import RATE, baked, from_staging

pytestmark = [
    pytest.mark.alone,
    pytest.mark.tmux,
    pytest.mark.timeout(900),
    pytest.mark.needs("tmux"),
]
DEPLOY = ("production.deploy", "Promote the candidate to production")


def test_a_first_launch_fails_is_taken_away_and_driven_by_keys_to_ten_gates_go() -> None:
    with new_range() as made:
        with made.rehearse("--first", "--fault", "first-install-fails", "--rate", str(RATE)) as pane:
            captain = Captain(pane)
            captain.attached()
            assert "FIRST LAUNCH" in captain.wait("FIRST LAUNCH").splitlines()[0]
            before_the_release(captain)
            asked = captain.start(*DEPLOY)
            assert "FIRST LAUNCH" in asked
            failed = captain.ended("production.deploy", "FAILED")
            assert "roll back to the previous" not in failed
            shown = captain.wait("o: retry · uninstall")
            assert "there is no revision to go back to" in " ".join(shown.split())
            take_away(captain)
            captain.start(*DEPLOY)
            captain.ended("production.deploy", "SUCCEEDED")
            baked(captain, RATE)
            captain.gate(9)
            captain.open_gate(10)
            pane.keys("R")
            captain.press("(ctrl+g)")
            captain.gone("Run all checks of gate")
            # What went wrong before is asked about: who sees to it, and what follows.
            captain.choose("10.3")
            shown = pane.until(lambda s: "lacks an owner" in " ".join(s.split()), within=PATIENT_S)
            assert "FIRST LAUNCH" not in shown
            captain.follow_up("the platform team", "look at the image pull before the next launch")
            captain.gate(10)
            pane.keys("g")
            shown = pane.until(lambda s: len(gates(s)) == 10, within=PATIENT_S)
            assert set(gates(shown).values()) == {"GO"}, shown
        view = made.view()
        ran = [(o.kind, o.state) for o in view.operations if o.env == "production"]
        assert ran == [
            (OperationKind.PREPARE, OperationState.SUCCEEDED),
            (OperationKind.MIGRATE, OperationState.SUCCEEDED),
            (OperationKind.DEPLOY, OperationState.FAILED),
            (OperationKind.UNINSTALL, OperationState.SUCCEEDED),
            (OperationKind.DEPLOY, OperationState.SUCCEEDED),
        ]
        told = [one.what for one in view.deviations if " deferred: " in one.what]
        assert {one.split()[0] for one in told} == {"1.4", "4.2", "5.3", "6.1"}
        assert len(told) == len(set(told))


def before_the_release(captain: Captain) -> None:
    """Bring gates 1 to 8 as far as they come before anything is installed in production."""
    captain.stages("Build", "Test", "Package")
    captain.operate("production.prepare", "Create production's namespace and secrets")
    from_staging(captain)


def take_away(captain: Captain) -> None:
    """Take the failed install away by the key of the way back."""
    captain.pane.keys("B")
    asked = captain.confirm()
    assert "helm uninstall" in asked.replace("\n", " ") or "uninstall dotmac" in asked
    captain.pane.keys("d")
    captain.ended("production.uninstall", "SUCCEEDED")
