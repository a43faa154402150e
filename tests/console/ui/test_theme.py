"""Every pair of colours that is used can be read: by its own numbers, and rounded to a terminal's 256."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color as Rounded
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from console.ui.app import LaunchApp
from console.ui.theme import (
    CONTRAST,
    DARK,
    DARK_256,
    LIGHT,
    LIGHT_256,
    THEMES,
    ChosenLook,
    first_of,
    look_of,
    look_path,
    themes,
)
from screens.kit.screen_state import Mode
from tests.screens.stage import StorySource
from tests.screens.story import Story

READABLE = 4.5
INKS = ("foreground", "secondary", "accent", "success", "warning", "error")


def rounded(color: Color) -> Color:
    return Color(*Rounded.from_rgb(*color.rgb).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())


def as_it_is(color: Color) -> Color:
    return color


def luminance(color: Color) -> float:
    parts = (one / 255 for one in color.rgb)
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def color(theme: Theme, name: str) -> Color:
    return Color.parse(getattr(theme, name))


def grounds(theme: Theme) -> dict[str, Color]:
    """Return what text stands on: screens, dialogs, fields, and the cursor of a list as the styles blend it."""
    background, surface, primary = (color(theme, name) for name in ("background", "surface", "primary"))
    return {
        "background": background,
        "surface": surface,
        "panel": color(theme, "panel"),
        "cursor": background.blend(primary, 0.6),
        "cursor, in a dialog": surface.blend(primary, 0.6),
        "cursor elsewhere": background.blend(primary, 0.25),
    }


@pytest.mark.parametrize("theme", THEMES, ids=[one.name for one in THEMES])
def test_every_ink_can_be_read_on_every_ground(theme: Theme) -> None:
    bad = {
        (ground, ink): round(contrast(seen(color(theme, ink)), seen(under)), 2)
        for seen in ((rounded,) if theme.name.endswith("-256") else (as_it_is,))
        for ground, under in grounds(theme).items()
        for ink in INKS
        if contrast(seen(color(theme, ink)), seen(under)) < READABLE
    }
    assert bad == {}


@pytest.mark.parametrize("theme", [DARK_256, LIGHT_256], ids=["dark", "light"])
def test_a_theme_for_256_colours_is_made_of_them(theme: Theme) -> None:
    for name in (*INKS, "primary", "background", "surface", "panel"):
        one = color(theme, name)
        # Greys are rounded by their lightness, to a neighbour that no eye tells from them.
        assert one.r == one.g == one.b or rounded(one) == one, name


def test_the_terminal_says_which_theme_comes_first() -> None:
    assert themes({"COLORTERM": "truecolor"}) == (DARK, LIGHT, CONTRAST)
    assert themes({}) == (DARK_256, LIGHT_256, CONTRAST)
    assert themes({"COLORFGBG": "0;15"})[0] is LIGHT_256
    assert themes({"COLORFGBG": "15;0", "COLORTERM": "24bit"})[0] is DARK


@pytest.mark.parametrize("colours", ["truecolor", ""])
async def test_the_look_that_was_chosen_is_there_again_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colours: str
) -> None:
    monkeypatch.setenv("COLORTERM", colours)
    monkeypatch.setenv("COLORFGBG", "15;0")
    monkeypatch.delenv("NO_COLOR", raising=False)
    path = look_path({"XDG_STATE_HOME": str(tmp_path)})
    source = StorySource(Story())
    app = LaunchApp(source, Mode.LIVE, look=ChosenLook(path))
    async with app.run_test(size=(80, 24)) as pilot:
        assert look_of(app.theme) == "dark"
        await pilot.press("T")
        assert look_of(app.theme) == "light"
    # In another terminal too, with other colours: what a person chose goes before what the terminal says.
    monkeypatch.setenv("COLORTERM", "" if colours else "truecolor")
    assert look_of(LaunchApp(source, Mode.LIVE, look=ChosenLook(path)).theme) == "light"
    assert look_of(LaunchApp(source, Mode.LIVE).theme) == "dark"


def test_a_look_that_nobody_knows_or_can_be_written_is_none(tmp_path: Path) -> None:
    path = tmp_path / "state" / "theme"
    assert ChosenLook(path).read() == ""
    ChosenLook(path).write("contrast")
    assert first_of(themes({}), ChosenLook(path).read()) is CONTRAST
    path.write_bytes(b"\xff\x1b[2J" * 9)
    assert first_of(themes({}), ChosenLook(path).read()) is DARK_256
    ChosenLook(path / "below-a-file").write("light")


DEUTERANOPIA = ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969))
"""Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB."""


def as_deuteranope(one: Color) -> tuple[float, ...]:
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in one.rgb]
    made = [
        min(1.0, max(0.0, sum(a * b for a, b in zip(line, linear, strict=True)))) for line in DEUTERANOPIA
    ]
    return tuple(255 * (1.055 * c ** (1 / 2.4) - 0.055 if c > 0.0031308 else c * 12.92) for c in made)


@pytest.mark.parametrize("theme", THEMES, ids=[one.name for one in THEMES])
def test_a_deuteranope_tells_good_from_bad(theme: Theme) -> None:
    good, bad = (as_deuteranope(color(theme, name)) for name in ("success", "error"))
    apart = sum((a - b) ** 2 for a, b in zip(good, bad, strict=True)) ** 0.5
    assert apart > 80, f"{apart:.0f} of 441"
