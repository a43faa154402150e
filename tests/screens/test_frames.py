"""A dozen canonical frames, at four sizes as text, and in every theme with their styles.

``--snapshot-update`` writes them anew; what changed is read in the diff like any other text.
"""

from __future__ import annotations

from typing import Any

import pytest

from screens.kit.screen_state import Mode
from tests.screens.frames import FRAMES, SIZES, THEMES, shown, staged, styles_of, text_of
from tests.screens.stage import app_of

STYLED = ("opened", "ready", "deploying")
"""Moments whose frames are looked at in every theme: a list, a dialog of each danger, an operation under way."""


def test_there_are_a_dozen_frames() -> None:
    assert sum(len(frames) for _, frames in FRAMES.values()) >= 12


@pytest.mark.parametrize("moment", FRAMES)
async def test_frames_at_every_size(moment: str, snapshot: Any) -> None:
    make, frames = FRAMES[moment]
    app, source = app_of(make())
    staged(source)
    async with app.run_test(size=SIZES[0]) as pilot:
        for frame in frames:
            for size in SIZES:
                await pilot.resize_terminal(*size)
                strips = await shown(app, pilot, frame.keys if size == SIZES[0] else ())
                assert len(strips) == size[1]
                assert {strip.cell_length for strip in strips} == {size[0]}
                assert text_of(strips) == snapshot(name=f"{frame.name}-{size[0]}x{size[1]}")
            await pilot.resize_terminal(*SIZES[0])
            await shown(app, pilot, frame.leave)
    assert app.mode is Mode.LIVE


@pytest.mark.parametrize("moment", STYLED)
async def test_styles_in_every_theme(moment: str, snapshot: Any) -> None:
    make, frames = FRAMES[moment]
    app, source = app_of(make())
    staged(source)
    async with app.run_test(size=(80, 24)) as pilot:
        for frame in frames:
            await shown(app, pilot, frame.keys)
            for theme in THEMES:
                app.theme = theme
                strips = await shown(app, pilot, ())
                assert styles_of(strips) == snapshot(name=f"{frame.name}-{theme}")
            app.theme = THEMES[0]
            await shown(app, pilot, frame.leave)


@pytest.mark.parametrize("moment", STYLED[:1])
async def test_styles_without_colour(moment: str, snapshot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    make, frames = FRAMES[moment]
    app, source = app_of(make())
    staged(source)
    async with app.run_test(size=(80, 24)) as pilot:
        for frame in frames:
            told = styles_of(await shown(app, pilot, frame.keys))
            assert told == snapshot(name=f"{frame.name}-no-color")
            await shown(app, pilot, frame.leave)
