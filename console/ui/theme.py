"""Colours that a deuteranope tells apart: good is blue, bad is orange. No colour is the only sign of anything."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

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


def look_of(name: str) -> str:
    """Return what a theme is to the eye, however many colours there are: ``dark``, ``light``, ``contrast``."""
    return name.removeprefix("launch-").removesuffix("-256")


def first_of(offered: tuple[Theme, ...], chosen: str) -> Theme:
    """Return the theme of the look that somebody chose; the terminal's first where they chose none of these."""
    return next((one for one in offered if look_of(one.name) == chosen), offered[0])


class ChosenLook:
    """The look that a user chose last, in a file of theirs, for all of their consoles."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """Return it; nothing where none was chosen, or the file can't be read."""
        try:
            with self._path.open(encoding="ascii") as file:
                return file.read(20).strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, look: str) -> None:
        """Remember it; a console whose user has no home to write to does without."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text(f"{look}\n", encoding="ascii")


def look_path(environ: Mapping[str, str]) -> Path:
    """Return where the look is remembered: ``~/.local/state/launch-console/theme``."""
    base = environ.get("XDG_STATE_HOME", "")
    folder = Path(base) if base.startswith("/") else Path(environ.get("HOME", "/")) / ".local" / "state"
    return folder / "launch-console" / "theme"
