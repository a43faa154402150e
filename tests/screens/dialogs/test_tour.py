"""The tour: over the real screens, with keys that are real, changing nothing, left by Escape at any place."""

from __future__ import annotations

import asyncio

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

from console.ui.app import LaunchApp
from console.ui.keys import keymap
from screens.base import LaunchScreen
from screens.dialogs.tour import STOPS, TourDialog
from screens.kit.screen_state import Mode
from tests.screens import story
from tests.screens.stage import StorySource, picture


def toured() -> tuple[LaunchApp, StorySource]:
    source = StorySource(story.opened())
    return LaunchApp(source, Mode.LIVE, tour=True), source


async def until(app: LaunchApp, pilot: Pilot[int], screen: str, words: str) -> str:
    """Wait until a screen is seen, below the tour where ``words`` are its title; return what the terminal shows."""
    async with asyncio.timeout(60):
        while True:
            await pilot.pause()
            below = next(s for s in reversed(app.screen_stack) if isinstance(s, LaunchScreen))
            shown = "\n".join(picture(app))
            toured = isinstance(app.screen, TourDialog)
            if screen == below.NAME and toured is bool(words) and words in shown:
                return shown


def title(number: int) -> str:
    return f"{STOPS[number].title}  ({number + 1} of {len(STOPS)})"


async def test_it_leads_through_the_screens_and_ends_on_the_dashboard() -> None:
    app, source = toured()
    async with app.run_test(size=(80, 24)) as pilot:
        for number, stop in enumerate(STOPS):
            shown = await until(app, pilot, stop.screen, title(number))
            assert all(what in shown for _, what in stop.keys)
            assert "NEXT" in shown  # the screen that it is about stays in sight
            await pilot.press("space" if number % 2 else "enter")
        await until(app, pilot, "dashboard", "")
    assert source.given == []


@pytest.mark.parametrize("after", [0, 3])
async def test_escape_leaves_it_anywhere(after: int) -> None:
    app, source = toured()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(after):
            await until(app, pilot, STOPS[number].screen, title(number))
            await pilot.press("space")
        await until(app, pilot, STOPS[after].screen, title(after))
        await pilot.press("escape")
        await until(app, pilot, "dashboard", "")
        await pilot.press("l")
        await until(app, pilot, "log", "")
    assert source.given == []


async def test_no_other_key_acts_while_it_is_shown() -> None:
    app, source = toured()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(app, pilot, "dashboard", title(0))
        await pilot.press(*"dRraxBAhfctGv")
        await until(app, pilot, "dashboard", title(0))
    assert source.given == []


async def test_it_is_not_shown_unless_it_was_asked_for() -> None:
    app = LaunchApp(StorySource(story.opened()), Mode.LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(app, pilot, "dashboard", "")


def test_every_key_that_it_names_works_there() -> None:
    own = {
        (screen.NAME, keymap.SHOWN.get(one.key, one.key))
        for screen in keymap.SCREENS
        for one in screen.BINDINGS
        if isinstance(one, Binding)
    }
    everywhere = {keymap.SHOWN.get(key, key) for key, _, _ in (*keymap.EVERYWHERE, *keymap.LIVE)}
    named = [(stop.screen, key) for stop in STOPS for key, _ in stop.keys]
    assert [one for one in named if one not in own and one[1] not in everywhere] == []
