"""What is typed into a dialog of a real terminal ends in its field, letter for letter, and does nothing else."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.screens.dialogs.sentences import SENTENCES
from tests.terminal.range import PATIENT_S
from tests.terminal.tmux import Tmux

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.timeout(600),
    pytest.mark.needs("tmux"),
]

DIALOGS: dict[str, tuple[str, Sequence[str], str]] = {
    "attest": ("opened", ("1", "a"), "Attest item 1.1"),
    "note": ("opened", ("c",), "Add a note"),
    "deviation": ("tripped", ("1", "u", "Enter"), "Follow up deviation"),
    "hold": ("opened", ("h",), "Hold the launch"),
    "roll back": ("tripped", ("B",), "to confirm"),
    "deploy": ("ready", ("d", "Enter"), "to confirm"),
}
"""The moment, the keys that open the dialog, and what stands in it."""
PACES = (0.03, 0.15)
"""Seconds from one key to the next: somebody who types fast, and somebody who thinks."""
COUNT = 12
SIZE = (119, 40)
"""Wide enough for the longest sentence to stand in its field whole."""
FIELD = "▌"
"""What a field that has the keys begins with."""
_INSIDE = re.compile(r"[│┃║] ?(.*?) *[│┃║]")


def drawn(name: str, pace: float) -> list[str]:
    """Return the sentences that are typed, drawn by a seed; one is of every letter and sign of its kind."""
    return random.Random(f"{name} {pace}").sample(SENTENCES, COUNT)


def press(pane: Tmux, letters: Sequence[str], pace: float) -> None:
    """Type one letter after another, each at its time."""
    due = time.monotonic()
    for letter in letters:
        # To tmux a semicolon at the end of an argument ends its command.
        pane.run("send-keys", "-l", "--", "\\;" if letter == ";" else letter)
        due += pace
        time.sleep(max(0.0, due - time.monotonic()))


def lines(shown: str) -> list[str]:
    """Return what stands inside the frame of a dialog, line by line."""
    return [found[1].strip() for line in shown.splitlines() if (found := _INSIDE.search(line))]


def typed_at(name: str, pace: float, notes: Path) -> int:
    """Type sentences into a dialog, and return how many stood there as they were typed."""
    moment, keys, title = DIALOGS[name]
    good = 0
    with Tmux("-m", "tests.terminal.play", moment, str(notes), size=SIZE) as pane:
        pane.until(lambda s: "NEXT" in s or "\ncode " in s, within=PATIENT_S)
        # Opened and written in one breath: nothing waits for the dialog but the keys themselves.
        for key in keys:
            pane.keys(key)
        for sentence in drawn(name, pace):
            press(pane, sentence, pace)
            written = f"{FIELD}{sentence}"
            shown = pane.until(lambda s, w=written: w in lines(s), within=PATIENT_S)  # type: ignore[misc]  # bound now
            assert title in shown
            good += 1
            pane.keys("C-u")
            pane.until(lambda s: FIELD in lines(s), within=PATIENT_S)
        pane.keys("Escape")
        pane.until(lambda s: title not in s or not lines(s), within=PATIENT_S)
        # Last a command on purpose: what is given is noted.
        for key in ("c", "x", "Enter"):
            pane.keys(key)
        pane.until("note.add taken", within=PATIENT_S)
        pane.keys("q")
        pane.until("code 0", within=PATIENT_S)
    return good


@pytest.mark.parametrize("name", DIALOGS)
def test_twelve_sentences_at_two_paces_end_in_their_field(name: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(PACES)) as both:
        told = [both.submit(typed_at, name, pace, tmp_path / f"{pace}") for pace in PACES]
    assert [one.result() for one in told] == [COUNT, COUNT]
    assert [path.read_text() for path in tmp_path.iterdir()] == ["note.add\n"] * len(PACES)
