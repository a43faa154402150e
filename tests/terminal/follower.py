"""A captain who knows only what the screen says: reads NEXT and dialogs, and presses what they name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.terminal.captain import COMMENT, PHRASE, Captain
from tests.terminal.range import PATIENT_S

OVER = "LAUNCH COMPLETE"
ASKING = "asking the engine"
OWNER, FOLLOW_UP = "the platform team", "look into it before the next launch"
"""What a form is answered with, field by field."""
_NEXT = re.compile(r"(?m)^ ?NEXT (.+?)\s+(space|enter)\s*$")
_NOW = re.compile(r"(?m)^ ?NOW +(\S.*?)\s*$")
_TOP = re.compile(r"[╭╔┏][─═━]")
_INSIDE = re.compile(r"[│┃║] +(.*?) *[│┃║]")
_ENDED = "\ncode "
_MOVES_S = 30.0
"""Real seconds in which a step is taken, or a word that was given moves NEXT on; a busy machine takes some."""
_ANSWERS_S = 200.0
"""Real seconds after which no answer is waited for: the console itself gives up after 180."""
_TIMES = 4
"""How often one step is taken in a row before it is a failure: it does nothing."""


class Follower:
    """Follows the line NEXT to the end of a launch, and counts the keys it presses.

    The letters of phrases and comments aren't counted, nor is anything that passes by itself.
    """

    def __init__(self, captain: Captain, most: int) -> None:
        """``most``: key presses after which it gives up."""
        self.captain, self.pane = captain, captain.pane
        self.most = most
        self.presses = 0
        self.did: list[str] = []
        """What was answered, in order: steps as NEXT called them, dialogs by their titles."""
        self.repeats: list[str] = []
        """Steps that NEXT named again although they had just been taken."""
        self._last, self._same = "", 0

    def follow(self, within: float) -> str:
        """Follow until the launch is over and return the last screen; ``within``: real seconds that a step takes."""
        while True:
            shown = self._until(_asks, within, "something to do")
            if OVER in shown:
                return shown
            if whole(shown):
                self._answer(shown)
            else:
                self._take(shown)

    # -- one step ------------------------------------------------------------------------------------

    def _take(self, shown: str) -> None:
        """Press the key that NEXT names, and wait until a dialog asks or the line moves on."""
        step, key = next_step(shown)
        self._same = self._same + 1 if step == self._last else 0
        if self._same:
            self.repeats.append(step)
        assert self._same < _TIMES, f"{step} was taken {_TIMES} times: {self._told()}\n{shown}"
        self._last = step
        self.did.append(step)
        self._press(key.capitalize())
        self._moved(lambda s: OVER in s or whole(s) or waits(s) or (_asks(s) and next_step(s)[0] != step))

    def _answer(self, shown: str) -> None:
        """Give what a dialog asks for; leave one that asks for nothing."""
        title = asked(shown)
        self.did.append(f"[{title}]")
        phrase = PHRASE.search(shown)
        if phrase is not None:
            self._until(lambda s: "environment " in s and "$ " in s, PATIENT_S, "the facts of the dialog")
            self._type(phrase[1])
            self._press("Enter")
        elif "(ctrl+g)" in shown:
            self.captain.ready("(ctrl+g)")
            if "takes a comment" in shown:
                self._type(COMMENT)
            self._press("C-g")
        elif labels(shown):
            for words in (OWNER, FOLLOW_UP)[: len(labels(shown))]:
                self._type(words)
                self._press("Enter")
        else:  # it tells something and offers nothing
            self._press("Escape")
        self._until(lambda s: OVER in s or asked(s) != title, PATIENT_S, f"{title} closed")
        self._moved(lambda s: OVER in s or asked(s) != "" or next_step(s)[0] != self._last)

    def _moved(self, on: Callable[[str], bool]) -> None:
        """Wait a while until the launch has moved on; where it hasn't, the step is taken again, and counted."""
        begun = time.monotonic()
        end = begun + _MOVES_S
        while time.monotonic() < end:
            shown = self.pane.screen()
            if on(shown) or _ENDED in shown:
                return
            if ASKING in shown:
                end = min(time.monotonic() + _MOVES_S, begun + _ANSWERS_S)
            time.sleep(0.05)

    # -- keys and eyes -------------------------------------------------------------------------------

    def _press(self, key: str) -> None:
        self.presses += 1
        assert self.presses <= self.most, (
            f"{self.most} presses are over; {self._told()}\n{self.pane.screen()}"
        )
        self.pane.keys(key)

    def _type(self, words: str) -> None:
        self.pane.run("send-keys", "-l", words)
        self._until(lambda s: words in s, PATIENT_S, f"{words!r} typed")

    def _until(self, true: Callable[[str], bool], within: float, what: str) -> str:
        """Return the screen as soon as something holds of it; the failure shows the way here and the screen."""
        ended: list[str] = []

        def look(shown: str) -> bool:
            ended[:] = ["the console ended"] if _ENDED in shown else []
            return bool(ended) or true(shown)

        try:
            shown = self.pane.until(look, within=within)
        except AssertionError as error:
            raise AssertionError(f"{what}: {self._told()}\n{error}") from None
        assert not ended, f"the console ended before {what}: {self._told()}\n{shown}"
        return shown

    def _told(self) -> str:
        return f"{self.presses} presses: {self.did}"


def next_step(shown: str) -> tuple[str, str]:
    """Return the step that NEXT names, and its key; nothing where there is none."""
    found = _NEXT.search(shown)
    return (found[1], found[2]) if found else ("", "")


def waits(shown: str) -> bool:
    """Return whether there is nothing to do but to wait."""
    return _NOW.search(shown) is not None and asked(shown) == ""


def asked(shown: str) -> str:
    """Return the title of the dialog that is open: the first words below its frame's top; nothing: none is."""
    lines = iter(shown.splitlines())
    if next((line for line in lines if _TOP.search(line)), None) is None:
        return ""
    found = _INSIDE.search(next(lines, ""))
    return found[1] if found else ""


def whole(shown: str) -> bool:
    """Return whether a dialog is open with all that it has: its frame comes a moment before its buttons."""
    return asked(shown) != "" and "(esc)" in shown


def labels(shown: str) -> list[str]:
    """Return what a form asks for that has no key of its own for Yes, field by field."""
    inside = [found[1] for line in shown.splitlines() if (found := _INSIDE.search(line))]
    return [one for one in inside if one.lower().startswith(("owner", "follow", "who ", "what follows"))]


def _asks(shown: str) -> bool:
    """Return whether there is something to do: a dialog, a step with its key, or the end."""
    if OVER in shown or whole(shown):
        return True
    return asked(shown) == "" and ASKING not in shown and next_step(shown)[0] != ""
