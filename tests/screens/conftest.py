"""What every test of the screens needs: a source over a story, an app on it, no waiting, no blinking."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from screens.dialogs import dialogs
from state.view.enums import Danger


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take answers at once, keep cursors from blinking, and the environment from colouring."""
    monkeypatch.setattr(dialogs, "ARM_S", dict.fromkeys(Danger, 0.0))
    monkeypatch.setattr(Input, "cursor_blink", False)
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
