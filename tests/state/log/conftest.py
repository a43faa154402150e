"""Every log that a test of this folder leaves is judged twice: by verify, and by the script of the page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.state.log.agreement import agree

MOST_BYTES = 2_000_000
"""Longer ones take the script too long for every test."""
_MOST_LOGS = 12


@pytest.fixture(autouse=True)
def _judged_twice(request: pytest.FixtureRequest) -> Iterator[None]:
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is None:
        return
    left = [path for path in sorted(folder.rglob("*.lclog")) if path.is_file() and not path.is_symlink()]
    small = [path for path in left if path.stat().st_size < MOST_BYTES]
    for path in random.Random(len(small)).sample(small, min(len(small), _MOST_LOGS)):
        agree(path)
