from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.engine.door import Door

Door.strict = True


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep witness files out of the home of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder
