"""What a terminal shows, as text that is read in a review: its letters, and the styles of each line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from console.ui.app import LaunchApp
from tests.screens import story
from tests.screens.stage import StorySource

SIZES = ((80, 24), (120, 40), (200, 55), (240, 60))
THEMES = ("launch-dark", "launch-light", "launch-contrast", "launch-dark-256")
"""Those that are looked at in colour; NO_COLOR is none of them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A canonical frame: its name, the keys that lead to it from the one before, and those that leave it."""

    name: str
    keys: Sequence[str]
    leave: Sequence[str] = ()


FRAMES: dict[str, tuple[Callable[[], story.Story], tuple[Frame, ...]]] = {
    "opened": (
        story.opened,
        (
            Frame("dashboard-first", ["g"]),
            Frame("palette", ["?"], ["escape"]),
            Frame("attest", ["1", "a"], ["escape"]),
        ),
    ),
    "ready": (
        story.ready,
        (Frame("gate", ["3"]), Frame("danger", ["d", "enter"], ["escape"])),
    ),
    "deploying": (
        story.deploying,
        (Frame("operations", ["d"]), Frame("pods", ["p"]), Frame("log", ["l"])),
    ),
    "piped": (story.piped, (Frame("pipeline", ["s"]),)),
    "tripped": (
        story.tripped,
        (Frame("dashboard-tripped", ["g"]), Frame("bake", ["b"]), Frame("acknowledge", ["A"], ["escape"])),
    ),
    "rolled back": (story.rolled_back, (Frame("dashboard-rolled-back", ["g"]),)),
}
"""A dozen frames by the moment of the story that they are of: one console shows all of a moment."""


async def shown(app: LaunchApp, pilot: Pilot[int], keys: Sequence[str]) -> list[Strip]:
    """Press keys, wait until everything they began is done and painted, and return the lines of the terminal."""
    for key in keys:
        await pilot.press(key)
        await settled(app, pilot)
    await settled(app, pilot)
    return list(app.screen._compositor.render_strips())[: app.size.height]


async def settled(app: LaunchApp, pilot: Pilot[int]) -> None:
    """Wait until no key, worker or painting is under way."""
    async with asyncio.timeout(100):
        for _ in range(2):
            await pilot.pause()
            while not app._ahead.idle or app._opening:  # noqa: ASYNC110  nobody tells of each key
                await asyncio.sleep(0.001)
            reads = [one for one in app.workers if one.group == "log" and not one.is_finished]
            if reads:
                await app.workers.wait_for_complete(reads)
            await pilot.pause()


def text_of(strips: Sequence[Strip]) -> str:
    """Return the lines as text, without the blanks at their ends."""
    return "\n".join(strip.text.rstrip() for strip in strips)


def styles_of(strips: Sequence[Strip]) -> str:
    """Return for each line its runs of one style: ``0-8 bold #5fd0e0 on #10141a``, a table of styles first."""
    names: dict[str, str] = {}
    lines = []
    for strip in strips:
        runs: list[tuple[str, int]] = []
        for segment in strip:
            words = _words(segment.style)
            key = names.setdefault(words, _short(len(names)))
            if runs and runs[-1][0] == key:
                runs[-1] = (key, runs[-1][1] + segment.cell_length)
            else:
                runs.append((key, segment.cell_length))
        lines.append(" ".join(f"{key}{length}" for key, length in runs))
    legend = [f"{key} = {words}" for words, key in names.items()]
    return "\n".join([*legend, *lines])


def _short(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[number] if number < 26 else letters[number // 26 - 1].upper() + letters[number % 26]


def _words(style: Style | None) -> str:
    if style is None:
        return "plain"
    how = [name for name in ("bold", "dim", "reverse", "underline", "italic") if getattr(style, name)]
    colour = style.color.name if style.color is not None else "default"
    ground = style.bgcolor.name if style.bgcolor is not None else "default"
    return " ".join([*how, colour, "on", ground])


def staged(source: StorySource) -> None:
    """Let the source answer as an engine of that moment would: a deploy is previewed, a pod described."""
    from tests.screens.test_commands import DEPLOY

    source.previews["operation.run"] = DEPLOY
