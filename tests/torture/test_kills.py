from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.mark.parametrize("writers", [1, 2])
def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path, writers: int) -> None:
    program = [
        sys.executable,
        "-m",
        "tests.torture.kills",
        str(tmp_path),
        "--kills",
        "12",
        "--writers",
        str(writers),
    ]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["lost"], outcome["broken_chains"], outcome["broken_files"]) == (0, 0, 0)
    assert outcome["kills"] >= 12
    assert outcome["acknowledged"] >= 12


def test_writers_and_readers_that_meet_all_the_time(tmp_path: Path) -> None:
    """G2, one short round."""
    program = [sys.executable, "-m", "tests.torture.stress", str(tmp_path), "--rounds", "1", "--seconds", "1"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["acknowledged"] > 0
