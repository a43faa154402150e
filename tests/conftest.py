from __future__ import annotations

import os
from pathlib import Path

import pytest

_MOSTLY_WAIT = (
    "tests/terminal/",
    "tests/wire/",
    "tests/console/rehearsal/autopilot/test_headless",
    "tests/console/rehearsal/dotmac/test_canaries",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests that mostly wait: the others fill the time beside them, and no tail is left."""
    items.sort(key=lambda item: not item.nodeid.startswith(_MOSTLY_WAIT))


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep witness files out of the home of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder
