from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import programs
from tests.long import is_long

# How long an example takes says how busy the machine is, and nothing of what is tested: with a deadline, or with
# the check of how fast inputs are made, the first draw of a text (it builds tables of all characters) fails a test.
# What CI drew it draws again: a commit that passed there passes.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("any machine")

_MOSTLY_WAIT = (
    "tests/terminal/",
    "tests/wire/",
    "tests/console/rehearsal/autopilot/test_headless",
    "tests/console/rehearsal/dotmac/test_canaries",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long, and begin with what mostly waits: the others fill the time beside it, without a tail."""
    for item in items:
        if is_long(item.nodeid):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: not item.nodeid.startswith(_MOSTLY_WAIT))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for a test's programs before any fixture opens something."""
    programs.look_for(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped for want of programs, and what to install."""
    told = programs.summary(terminalreporter.getreports("skipped"))
    if told:
        terminalreporter.write_line(told)


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep witness files out of the home of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder
