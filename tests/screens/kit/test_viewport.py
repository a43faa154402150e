"""Zoom and pan of the large graphs: what part of time they show, that they say it, and the way back to now."""

from __future__ import annotations

import pytest

from screens.bake import BakeScreen
from screens.kit.plot import Window
from screens.kit.screen_state import Mode
from screens.kit.viewport import SPANS_S, Viewport
from tests.screens import story
from tests.screens.stage import app_of, picture, text_of

NOW = story.START_US
MINUTE = 60 * story.SECOND_US


def test_a_look_that_follows_is_zoomed_and_goes_on_following() -> None:
    closer = Viewport().zoomed(-1, 3600, NOW)
    assert closer == Viewport(1800)
    assert closer.follows(NOW)
    assert Viewport(300).zoomed(-1, 3600, NOW) == Viewport(300)
    assert Viewport(28_800).zoomed(1, 3600, NOW) == Viewport(28_800)
    assert Viewport().zoomed(1, 1000, NOW) == Viewport(1800)


@pytest.mark.parametrize("columns", [50, 73, 113, 193, 240])
def test_each_step_of_zooming_changes_what_is_shown(columns: int) -> None:
    cells = [Window.ending(NOW, span, columns).cell_us for span in SPANS_S]
    assert cells == sorted(set(cells))


def test_a_look_aside_keeps_its_middle_when_zoomed() -> None:
    aside = Viewport(3600).panned(-2, 900, NOW, 0)
    assert aside == Viewport(3600, NOW - 30 * MINUTE)
    assert not aside.follows(NOW)
    assert aside.zoomed(-1, 900, NOW) == Viewport(1800, NOW - 45 * MINUTE)
    assert aside.zoomed(1, 900, NOW) == Viewport(7200)  # its end would be now: it follows


def test_nobody_pans_into_the_future_or_before_the_first_sample() -> None:
    assert Viewport(3600).panned(1, 900, NOW, 0) == Viewport(3600)
    assert Viewport(3600).panned(-2, 900, NOW, 0).panned(2, 900, NOW, 0) == Viewport(3600)
    oldest = NOW - 60 * MINUTE
    far = Viewport(3600).panned(-40, 900, NOW, oldest)
    assert far.end_us == oldest + 15 * MINUTE
    assert Viewport(3600).panned(-1, 900, NOW, NOW) == Viewport(3600)


def test_a_replay_that_went_back_shows_nothing_of_its_future() -> None:
    aside = Viewport(3600, NOW - 10 * MINUTE)
    assert aside.end(NOW - 20 * MINUTE) == NOW - 20 * MINUTE
    assert aside.follows(NOW - 20 * MINUTE)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.FOLLOW, Mode.REPLAY])
@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_the_bake_is_zoomed_panned_and_brought_back(mode: Mode, size: tuple[int, int]) -> None:
    app, _ = app_of(story.tripped(), mode=mode)
    async with app.run_test(size=size) as pilot:
        await pilot.press("b")
        await pilot.pause(0.1)
        first = text_of(app)
        assert "error rate  last " in first
        await pilot.press("plus", "plus")
        await pilot.pause(0.1)
        closer = text_of(app)
        assert closer != first
        await pilot.press("left", "left")
        await pilot.pause(0.1)
        past = text_of(app)
        assert "error rate  PAST: 20:" in past
        assert "last" not in "\n".join(line for line in past.splitlines() if "error rate " in line)
        await pilot.press("right", "right")
        await pilot.pause(0.1)
        assert text_of(app) == closer
        await pilot.press("minus", "left", "z")
        await pilot.pause(0.1)
        assert text_of(app) == first
        assert "zoom" in picture(app)[-1]


async def test_the_values_in_words_are_those_of_the_end_that_is_shown() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("b")
        await pilot.pause(0.1)
        now = next(line for line in text_of(app).splitlines() if line.startswith("error rate"))
        await pilot.press("plus", "left", "left", "left")
        await pilot.pause(0.1)
        past = next(line for line in text_of(app).splitlines() if line.startswith("error rate"))
        assert "limit 1.00 %" in past
        assert now.split("─")[-1] != past.split("─")[-1]
        screen = app.screen
        assert isinstance(screen, BakeScreen)
        assert not screen.look.follows(screen.shown.now_us)


async def test_the_help_lists_the_keys_of_the_graphs_in_a_replay_too() -> None:
    for mode in (Mode.LIVE, Mode.REPLAY):
        app, _ = app_of(story.baking(), mode=mode)
        keys = {e.key: e.title for e in app.help_entries() if e.where == "on bake"}
        assert {"+", "-", "←", "→", "z"} <= keys.keys()
