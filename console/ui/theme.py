"""Colours that a deuteranope tells apart: good is blue, bad is orange. No colour is the only sign of anything."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="launch-dark",
    primary="#2c527d",
    secondary="#a2acba",
    accent="#5fd0e0",
    success="#6cb2ff",
    warning="#ffd166",
    error="#ff9248",
    foreground="#e6e9ee",
    background="#10141a",
    surface="#171d26",
    panel="#232b37",
    dark=True,
)
LIGHT = Theme(
    name="launch-light",
    primary="#b4d2f2",
    secondary="#545d69",
    accent="#00606e",
    success="#0a50a8",
    warning="#735000",
    error="#a33c00",
    foreground="#171b21",
    background="#fafafa",
    surface="#f0f1f3",
    panel="#e2e5e9",
    dark=False,
)
DARK_256 = Theme(
    name="launch-dark-256",
    primary="#0000af",
    secondary="#b2b2b2",
    accent="#5fd7ff",
    success="#87afff",
    warning="#ffd75f",
    error="#ff875f",
    foreground="#eeeeee",
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    dark=True,
)
LIGHT_256 = Theme(
    name="launch-light-256",
    primary="#afafff",
    secondary="#444444",
    accent="#005f5f",
    success="#00005f",
    warning="#5f5f00",
    error="#870000",
    foreground="#121212",
    background="#ffffff",
    surface="#eeeeee",
    panel="#e4e4e4",
    dark=False,
)
CONTRAST = Theme(
    name="launch-contrast",
    primary="#0000af",
    secondary="#d0d0d0",
    accent="#5fffff",
    success="#87d7ff",
    warning="#ffff00",
    error="#ffaf5f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
)
THEMES = (DARK, LIGHT, DARK_256, LIGHT_256, CONTRAST)


def themes(environ: Mapping[str, str]) -> tuple[Theme, ...]:
    """Return the themes that a terminal goes through, the first one first.

    Without COLORTERM, as in a tmux over SSH, colours are rounded to 256: those of a careful palette to lavender and
    navy. Its themes are made of these 256, so that what is shown is what was chosen. COLORFGBG says whether the
    terminal's own background is light.
    """
    rich = environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}
    dark, light = (DARK, LIGHT) if rich else (DARK_256, LIGHT_256)
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return (light, dark, CONTRAST) if ground in {"7", "15"} else (dark, light, CONTRAST)
