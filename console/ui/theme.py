"""Colours that a deuteranope tells apart: good is blue, bad is orange. No colour is the only sign of anything."""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

# WCAG 2, level AA, for text.
LEAST_CONTRAST = 4.5

DARK = Theme(
    name="launch-dark",
    primary="#3b6ea8",
    secondary="#9aa4b2",
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
    primary="#9cc2ee",
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
THEMES = (DARK, LIGHT)


def contrasts(theme: Theme) -> dict[tuple[str, str], float]:
    """Return the contrast (1 to 21) of every colour of text on every background that it stands on."""
    inks = ("foreground", "secondary", "accent", "success", "warning", "error")
    return {
        (ink, ground): contrast(str(getattr(theme, ink)), str(getattr(theme, ground)))
        for ink in inks
        for ground in ("background", "surface")
    }


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2: from 1 (the same) to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [c / 255 for c in Color.parse(colour).rgb]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
