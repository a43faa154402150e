"""A whole launch at 80x24 by doing what the line NEXT says, in no more key presses than a captain should need."""

from __future__ import annotations

import pytest

from state.view.enums import GateStatus, LaunchState
from tests.terminal.captain import Captain
from tests.terminal.follower import Follower
from tests.terminal.range import new_range

pytestmark = [
    pytest.mark.alone,
    pytest.mark.tmux,
    pytest.mark.timeout(900),
    pytest.mark.needs("tmux"),
]
MOST = 120
"""Key presses that a whole launch takes at most; the letters of phrases and comments aren't counted."""
BAKE_S = 3600
RATE = 20


def test_a_launch_by_what_the_screen_says_comes_next() -> None:
    with new_range() as made:
        with made.rehearse("--rate", str(RATE), size=(80, 24)) as pane:
            captain = Captain(pane)
            captain.attached()
            follower = Follower(captain, MOST)
            shown = follower.follow(within=BAKE_S / RATE * 2)
        print(f"{follower.presses} presses; taken again: {follower.repeats}")  # noqa: T201  the figure that is asked for
        assert "10/10 GO" in shown
        assert follower.presses <= MOST, follower.did
        view = made.view()
        assert view.state is LaunchState.CLOSED
        assert {gate.status(view.wall_us) for gate in view.gates} == {GateStatus.GO}
