"""Every pair of colours that is used can be read: by its own numbers, and rounded to a terminal's 256."""

from __future__ import annotations

import pytest
from rich.color import Color as Rounded
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from console.ui.theme import CONTRAST, DARK, DARK_256, LIGHT, LIGHT_256, THEMES, themes

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
