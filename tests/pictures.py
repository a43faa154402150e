"""``python -m tests.pictures [NAME…]``: the pictures of README and docs, drawn from the stories of the screens.

They take seconds and no launch, and are the same each time: a picture that changes shows what changed on a screen.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path

from rich.console import Console
from rich.text import Text

from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from tests.paths import ROOT
from tests.screens import story
from tests.screens.stage import StorySource, app_of

FOLDER = ROOT / "docs" / "pictures"
SMALL, WIDE, LARGE = (80, 24), (120, 36), (160, 45)
PICTURES: dict[str, tuple[str, tuple[str, ...], tuple[int, int]]] = {
    "first-frame": ("opened", (), WIDE),
    "dashboard": ("baking", (), (132, 42)),
    "small-terminal": ("baking", (), SMALL),
    "gate": ("ready", ("3",), WIDE),
    "attest": ("ready", ("1", "a"), WIDE),
    "operations": ("ready", ("d",), WIDE),
    "deploying": ("deploying", ("d",), WIDE),
    "pipeline": ("piped", ("s",), WIDE),
    "pods": ("deploying", ("p",), WIDE),
    "bake": ("baking", ("b",), WIDE),
    "tripped": ("tripped", (), WIDE),
    "rolled-back": ("rolled_back", (), WIDE),
    "log": ("deploying", ("l",), WIDE),
    "search": ("ready", ("question_mark", "r", "o", "l", "l"), WIDE),
    "light": ("baking", ("T",), WIDE),
    "all-at-once": ("tripped", ("b",), LARGE),
}
"""By name: a moment of the story, the keys that lead to the screen, the terminal's size."""
CHECKED = "runbook-check"
WATCHED = "watching"
NAMES = sorted({*PICTURES, CHECKED, WATCHED})


async def draw(which: str, keys: tuple[str, ...], size: tuple[int, int]) -> str:
    """Return what a screen shows at a moment of a story, as SVG."""
    app, _ = app_of(getattr(story, which)())
    return await _shown(app, keys, size)


async def watched() -> str:
    """Return what somebody sees who only watches, as SVG."""
    return await _shown(LaunchApp(StorySource(story.deploying(), mode=Mode.FOLLOW), Mode.FOLLOW), (), SMALL)


async def _shown(app: LaunchApp, keys: tuple[str, ...], size: tuple[int, int]) -> str:
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        return app.export_screenshot(title="launch-console")


def checked() -> str:
    """Return what ``runbook check`` says of a runbook with mistakes, as SVG."""
    from console.__main__ import main

    text = (ROOT / "examples" / "web-service.yaml").read_text()
    for right, wrong in (
        ("min_days: 30", "min_day: 30"),
        ('version: "2026.11.3"', "version: 2026.11"),
        ("{ url: { env: SHOP_STAGING_DATABASE_URL } }", "{ url: 'postgresql://shop:hunter2@db/shop' }"),
    ):
        text = text.replace(right, wrong, 1)
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(said):
        book = Path(folder) / "runbook.yaml"
        book.write_text(text)
        main(["runbook", "check", "--offline", str(book)])
        told = said.getvalue().replace(f"{book}", "runbook.yaml")
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(Text("$ launch-console runbook check runbook.yaml\n" + told))
    return console.export_svg(title="launch-console runbook check")


def make(names: Sequence[str] = (), folder: Path = FOLDER) -> None:
    """Draw pictures into a folder: those that are named, or every one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        if name in PICTURES:
            drawn = asyncio.run(draw(*PICTURES[name]))
        else:
            drawn = checked() if name == CHECKED else asyncio.run(watched())
        (folder / f"{name}.svg").write_text(drawn)


if __name__ == "__main__":
    make(sys.argv[1:])
