from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.torture.syscalls import torture


def traces() -> bool:
    """Return whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not traces(), reason="strace is not installed, or may not trace here")
def test_no_error_of_a_system_call_loses_anything(tmp_path: Path) -> None:
    outcome = torture(tmp_path, (14,), (("pwrite64", "ENOSPC"), ("fdatasync", "EIO")))
    assert (outcome.runs, outcome.lost, outcome.broken, outcome.twice) == (4, 0, 0, 0)
    assert outcome.acknowledged == 4 * 12
