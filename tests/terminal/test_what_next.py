"""A whole launch at 80x24 by doing what the line NEXT says, in no more key presses than a captain should need."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from tests.terminal.captain import COMMENT, PHRASE, Captain
from tests.terminal.range import PATIENT_S, new_range

pytestmark = [
    pytest.mark.alone,
    pytest.mark.tmux,
    pytest.mark.timeout(900),
    pytest.mark.needs("tmux"),
]

MOST = 120
"""Key presses that a whole launch takes at most; the letters of phrases and comments aren't counted."""
BAKE_S = 3600
RATE = 20
_NEXT = re.compile(r"(?m)^ ?NEXT (.+?)\s*$")
_KEY = re.compile(r"\s(space|enter)$")
_BUTTON = re.compile(r"\(ctrl\+g\)")
_INSIDE = re.compile(r"[│┃║] +(.*?) *[│┃║]")
_FRAME = re.compile(r"[╭╔┏]")


class Follower:
    """A captain who reads the line NEXT and dialogs, and presses what they say."""

    def __init__(self, captain: Captain) -> None:
        self.captain, self.pane = captain, captain.pane
        self.presses = 0
        self.did: list[str] = []

    def drive(self) -> str:
        """Follow until the launch is over; return the last screen."""
        while True:
            shown = self.pane.until(_asks, within=BAKE_S / RATE * 3)
            if "LAUNCH COMPLETE" in shown:
                return shown
            if _FRAME.search(shown):
                self._answer(shown)
            else:
                self._next(shown)
            assert self.presses <= MOST, self.did

    def _press(self, *keys: str) -> None:
        self.presses += len(keys)
        self.pane.keys(*keys)

    def _next(self, shown: str) -> None:
        words = _next_words(shown)
        self.did.append(words)
        self._press("Space" if words.endswith("space") else "Enter")
        self.pane.until(lambda s: _FRAME.search(s) is not None or _next_words(s) != words, within=PATIENT_S)

    def _answer(self, shown: str) -> None:
        title = _title(shown)
        self.did.append(title)
        phrase = PHRASE.search(shown)
        if phrase is not None:
            self.pane.until(lambda s: "environment " in s and "$ " in s, within=PATIENT_S)
            self.pane.run("send-keys", "-l", phrase[1])
            self._press("Enter")
        else:
            self.captain.ready("(ctrl+g)")
            if "takes a comment" in shown:
                self.pane.run("send-keys", "-l", COMMENT)
                self.captain.wait(COMMENT)
            self._press("C-g")
        before = _next_words(shown)
        self.pane.until(lambda s: _title(s) != title, within=PATIENT_S)
        with suppress(AssertionError):  # the word is given: what comes next follows
            self.pane.until(lambda s: _FRAME.search(s) is not None or _next_words(s) != before, within=5)


def _asks(shown: str) -> bool:
    """Return whether there is something to do: a dialog, a step with its key, or the end."""
    if "LAUNCH COMPLETE" in shown:
        return True
    if _FRAME.search(shown):
        return _BUTTON.search(shown) is not None or "to confirm" in shown or "LAUNCH COMPLETE" in shown
    return _KEY.search(_next_words(shown)) is not None


def _next_words(shown: str) -> str:
    found = _NEXT.search(shown)
    return found[1] if found else ""


def _title(shown: str) -> str:
    """Return the title of the dialog that is shown: the first words below its frame's top."""
    lines = iter(shown.splitlines())
    next((line for line in lines if _FRAME.search(line)), None)
    found = _INSIDE.search(next(lines, ""))
    return found[1] if found else ""


def test_a_launch_by_what_the_screen_says_comes_next() -> None:
    with new_range() as made, made.rehearse("--rate", str(RATE), size=(80, 24)) as pane:
        captain = Captain(pane)
        captain.attached()
        follower = Follower(captain)
        shown = follower.drive()
        assert "10/10 GO" in shown
        assert follower.presses <= MOST, follower.did
