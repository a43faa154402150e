from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.syscalls import torture


@pytest.mark.needs("strace")
def test_no_error_of_a_system_call_loses_anything(tmp_path: Path) -> None:
    outcome = torture(tmp_path, (14,), (("pwrite64", "ENOSPC"), ("fdatasync", "EIO")))
    assert (outcome.runs, outcome.lost, outcome.broken, outcome.twice) == (4, 0, 0, 0)
    assert outcome.acknowledged == 4 * 12
