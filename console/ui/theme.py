"""Colours that a deuteranope tells apart: good is blue, bad is orange. No colour is the only sign of anything."""

from __future__ import annotations

from textual.theme import Theme

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
