from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.powerloss import torture

pytestmark = [
    pytest.mark.wire,
    pytest.mark.needs("strace"),
]


def test_nothing_acknowledged_is_lost_to_a_power_loss(tmp_path: Path) -> None:
    outcome = torture(tmp_path, 12, random.Random(5), rounds=2, weak=False)
    assert (outcome.states_that_lost, outcome.broken) == (0, 0), outcome.first_failure
    assert outcome.acknowledged >= 12
    assert outcome.states_a + outcome.states_b > 200
    assert outcome.opened > 60
    assert outcome.beside == 3 + 3 + 1 + 1, "redactions, attachments, an archive and the witness"


def test_the_simulation_catches_a_mode_that_loses(tmp_path: Path) -> None:
    outcome = torture(tmp_path, 5, random.Random(5), rounds=1, weak=True)
    assert outcome.states_that_lost > 5
