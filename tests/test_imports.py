"""What each part loads, proven in fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = [
    "kubernetes",
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "httpx",
    "requests",
    "aiohttp",
    "prometheus_api_client",
]
SCREEN = ["textual", "rich"]


def loaded(statement: str, names: list[str]) -> list[str]:
    """Return which of ``names`` are in sys.modules after a statement in a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([n for n in {names!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "import state.events.event, state.fold, state.view.launch, state.log.reader, state.log.verify",
        "import console.client.engine_client, state.commands, console.engine.process.running",
        "import console.ui.app, console.client.sources, console.ui.run",
    ],
)
def test_a_console_loads_nothing_of_the_engine(statement: str) -> None:
    assert loaded(statement, HEAVY) == []


@pytest.mark.parametrize("statement", ["import checks.registry, checks.clients.clients", "import state.fold"])
def test_what_judges_knows_no_screen(statement: str) -> None:
    assert loaded(statement, SCREEN) == []


def test_the_engine_knows_no_screen() -> None:
    assert loaded("import console.engine.engine", SCREEN) == []
