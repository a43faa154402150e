"""Every key that a page names does what the page says: a word of its sentence is one of what the key is bound to."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from textual.binding import Binding

from console.ui.keys.keymap import EVERYWHERE, LIVE, REPLAY, SCREENS, SHOWN
from screens.dialogs.forms import AttestDialog
from screens.dialogs.question import AskDialog
from state.commands import COMMANDS
from tests.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SAID = re.compile(r"`([A-Za-z]|ctrl\+[a-z]|f\d+)`([^`;:]{0,80})")
_NO_KEY = {"charts.md": {"v"}, "keys.md": {"f5", "f6", "ctrl+r"}}
"""Letters in backticks that are no keys: a prefix of versions, an example's keys of somebody's own."""
_ALSO = {
    "B": "uninstall list operation",  # of a first install, where there is nothing to go back to
    "ctrl+g": "go press button",
    "ctrl+n": "no-go",
    "j": "move list",
    "k": "move list",
    "d": "shows operation",
    "g": "takes words",  # of where to go, in a replay
}


def _told() -> dict[str, str]:
    found: defaultdict[str, str] = defaultdict(str)
    for key, action, what in (*EVERYWHERE, *LIVE, *REPLAY):
        for one in key.split(","):
            found[SHOWN.get(one, one)] += f" {action} {what}"
    for screen in (*SCREENS, AskDialog, AttestDialog):
        for own in (one for one in screen.BINDINGS if isinstance(one, Binding)):
            for key in own.key.split(","):
                found[SHOWN.get(key, key)] += f" {own.action} {own.description}"
    for command in COMMANDS:
        found[command.key] += f" {command.title}"
    for key, more in _ALSO.items():
        found[key] += f" {more}"
    return {key: words.lower() for key, words in found.items()}


TOLD = _told()


def wrong(page: Path) -> list[str]:
    """Return the keys of a page that do nothing of what its sentences say."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
    text = "\n".join(line for line in text.split("\n") if not line.startswith(("|", "    ")))
    bad = []
    for key, rest in _SAID.findall(text.replace("\n", " ")):
        if key in _NO_KEY.get(page.name, ()):
            continue
        stems = [word.lower().rstrip("s")[:6] for word in re.findall(r"(?!and\b|or\b)\b[\w-]{2,}", rest)]
        if not any(stem in TOLD.get(key, "") for stem in stems) and (stems or key not in TOLD):
            bad.append(f"`{key}`{rest}")
    return bad


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_that_a_page_names_does_what_it_says(page: Path) -> None:
    assert wrong(page) == []


def test_a_wrong_key_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "captain.md"
    page.write_text("`B` opens the rollback, `k` acknowledges the trip. `Y` does nothing; `A` acknowledges.")
    assert [one.partition(" ")[0] for one in wrong(page)] == ["`k`", "`Y`"]
