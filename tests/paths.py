"""Where things are in the checkout, however deep a test lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of ``pyproject.toml``."""
SOP_RUNBOOK = ROOT / "runbook.yaml"
"""The SOP's own runbook."""
