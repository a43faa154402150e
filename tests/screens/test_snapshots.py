"""A handful of pictures for a reviewer's eye; everything else is asserted as text."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
from textual.pilot import Pilot

from console.client.destinations import pointer
from console.client.replay import Recording
from console.ui.app import LaunchApp
from screens.base import LaunchScreen
from screens.kit.screen_state import Mode, ScreenState, Transport
from tests.paths import ROOT
from tests.screens import story
from tests.screens.stage import SCREENS, StorySource, app_of, text_of


class ReplaySource(StorySource):
    """A story, shown as a replay that stands at its end."""

    def shown(self) -> ScreenState:
        live = super().shown()
        recorded = Recording(lambda after, limit: self.story.events[after : after + limit])
        while recorded.read():
            pass
        how = Transport(
            playing=False,
            speed=10,
            seq=285,
            last_seq=315,
            first_us=story.START_US,
            last_us=self.story.now_us + 600_000_000,
            moments=recorded.shown_moments,
            pointer=pointer(live.view.log_id, 285),
        )
        return ScreenState(live.view, live.now_us, Mode.REPLAY, transport=how)


class Snap(Protocol):
    """The fixture of pytest-textual-snapshot."""

    def __call__(
        self,
        app: LaunchApp,
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[int]], Awaitable[None]],
    ) -> bool: ...


def compare(app: LaunchApp, keys: list[str], size: tuple[int, int], snap: Snap) -> bool:
    async def before(pilot: Pilot[int]) -> None:
        await pilot.pause(0.1)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.15)

    return snap(app, terminal_size=size, run_before=before)


PICTURES: dict[str, tuple[str, list[str], tuple[int, int]]] = {
    "dashboard-80": ("tripped", [], (80, 24)),
    "dashboard-120": ("tripped", [], (120, 40)),
    "gate": ("ready", ["3", "down"], (80, 24)),
    "deploy": ("deploying", ["d"], (80, 24)),
    "pipeline": ("piped", ["s", "down", "down", "down"], (80, 24)),
    "bake": ("tripped", ["b"], (120, 40)),
    "log": ("deploying", ["l"], (80, 24)),
    "pods": ("deploying", ["p"], (120, 40)),
}
"""What is drawn: a moment of the story, the keys that lead to the screen, the terminal's size."""

ALL = {
    one.NAME
    for path in (ROOT / "screens").glob("*.py")
    for one in vars(importlib.import_module(f"screens.{path.stem}")).values()
    if isinstance(one, type) and issubclass(one, LaunchScreen) and one is not LaunchScreen
}
"""Every screen that has a module in screens/, installed or not."""


def test_every_screen_has_a_picture() -> None:
    """CONTRIBUTING asks for one, so that a screen is looked at when it changes."""
    assert ALL - {name.partition("-")[0] for name in PICTURES} == set()


async def test_every_screen_is_opened_in_the_stories() -> None:
    """Its key opens it, and with that key the stories of hostile text, glyphs and a lost engine look at it too."""
    assert set(SCREENS) == ALL, "console/ui/keys/keymap.py has no key for a screen"
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        assert set(app._screens) == ALL, "console/ui/app.py installs other screens"
        for name, key in SCREENS.items():
            await pilot.press(key)
            await pilot.pause(0.1)
            assert isinstance(app.screen, LaunchScreen)
            assert name == app.screen.NAME
            assert text_of(app).strip()


@pytest.mark.parametrize(("which", "keys", "size"), PICTURES.values(), ids=PICTURES)
def test_pictures(which: str, keys: list[str], size: tuple[int, int], snap_compare: Snap) -> None:
    app, _ = app_of(getattr(story, which)())
    assert compare(app, keys, size, snap_compare)


def test_picture_of_a_replay(snap_compare: Snap) -> None:
    app = LaunchApp(ReplaySource(story.tripped()), Mode.REPLAY)
    assert compare(app, [], (80, 24), snap_compare)
