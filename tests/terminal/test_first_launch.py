"""A captain drives a first launch by keys to an install that fails, and is told what can be done."""

from __future__ import annotations

import pytest

from state.view.enums import OperationKind, OperationState
from tests.terminal.captain import Captain
from tests.terminal.range import new_range

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(900),
    pytest.mark.needs("tmux"),
]
DEPLOY = ("production.deploy", "Promote the candidate to production")


def test_a_first_install_that_fails_is_told_as_it_is_with_the_way_out() -> None:
    with new_range() as made:
        with made.rehearse("--first", "--fault", "first-install-fails", "--rate", "20") as pane:
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
        ran = [(o.kind, o.state) for o in made.view().operations if o.env == "production"]
        assert ran == [
            (OperationKind.PREPARE, OperationState.SUCCEEDED),
            (OperationKind.MIGRATE, OperationState.SUCCEEDED),
            (OperationKind.DEPLOY, OperationState.FAILED),
        ]


def before_the_release(captain: Captain) -> None:
    """Bring gates 1 to 8 as far as they come before anything is installed in production."""
    captain.stages("Build", "Test", "Package")
    captain.operate("production.prepare", "Create production's namespace and secrets")
    captain.operate("staging.deploy", "Deploy the candidate to staging")
    captain.operate("staging.migrate", "Run the migrations in staging")
    for number in range(1, 7):
        captain.gate(number)
    captain.gate(8)
    captain.open_gate(7)
    captain.item("7.1")
    captain.operate("production.migrate", "Run the migrations in production")
    captain.gate(7)
