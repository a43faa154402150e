from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture import rehearsals


@pytest.fixture(autouse=True)
def _runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tempfile.mkdtemp(prefix="lc")  # a socket's path is short
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    yield
    shutil.rmtree(folder)


@pytest.mark.timeout(240)
def test_kills_in_a_running_rehearsal_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "_LONGEST_LIFE_S", 1.0)
    monkeypatch.setattr(rehearsals, "WHAT", ("engine", "both"))
    outcome = rehearsals.torture(tmp_path, 2, random.Random(4), 60.0)
    assert sum(outcome.kills.values()) == 2
    assert outcome.acknowledged > 0
    assert (outcome.lost, outcome.broken_chains, outcome.broken_files, outcome.trouble) == (0, 0, 0, [])
