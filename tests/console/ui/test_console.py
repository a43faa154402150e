"""What the console's process must be: light at its first frame, quiet when idle, readable, and never lost."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.color import Color
from textual.theme import Theme
from textual.worker import WorkerState

from console.ui import crash, theme
from console.ui.app import LaunchApp
from console.ui.keys.keymap import bindings, entries
from screens.base import LaunchScreen
from screens.kit.screen_state import Mode
from tests.paths import ROOT
from tests.screens import story
from tests.screens.stage import SCREENS, StorySource, app_of, picture, text_of

HEAVY = ("kubernetes", "sqlalchemy", "sqlmodel", "pydantic", "httpx", "requests", "aiohttp", "numpy")
FIRST_FRAME = f"""
import asyncio, sys
import console.ui.run
assert "textual" not in sys.modules
from console.ui.app import LaunchApp
from console.client.file_source import FileSource
from console.client.sources import LiveSource
from console.ui.driver import SafeDriver
from tests.screens import story
from tests.screens.stage import app_of, picture
async def main():
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "GATES" in chr(10).join(picture(app))
asyncio.run(main())
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_the_first_frame_has_loaded_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


LEAST_CONTRAST = 4.5
"""WCAG 2, level AA, for text."""


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
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [c / 255 for c in Color.parse(colour).rgb]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", [one.name for one in theme.THEMES])
def test_every_colour_of_text_can_be_read(name: str) -> None:
    chosen = next(one for one in theme.THEMES if one.name == name)
    weak = {pair: round(c, 2) for pair, c in contrasts(chosen).items() if c < LEAST_CONTRAST}
    assert weak == {}


@pytest.mark.parametrize("name", [one.name for one in theme.THEMES])
async def test_both_themes_show_the_same_words(name: str) -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = name
        await pilot.pause()
        assert any("TRIPPED" in one for one in picture(app))


@pytest.mark.parametrize("rich", [True, False])
async def test_a_key_changes_between_dark_light_and_contrast(
    rich: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor" if rich else "")
    monkeypatch.delenv("COLORFGBG", raising=False)
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        light, dark = (theme.LIGHT, theme.DARK) if rich else (theme.LIGHT_256, theme.DARK_256)
        assert app.theme == dark.name
        await pilot.press("T")
        assert app.theme == light.name
        await pilot.press("T")
        assert app.theme == theme.CONTRAST.name
        await pilot.press("T")
        assert app.theme == dark.name


async def test_an_idle_console_costs_next_to_nothing() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        before = time.process_time()
        await asyncio.sleep(2.0)
        used = time.process_time() - before
    assert used < 0.04, f"{used / 2:.1%} of a core"


async def test_many_events_are_few_paintings(monkeypatch: pytest.MonkeyPatch) -> None:
    app, source = app_of(story.opened())
    painted: list[float] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        original = app._show

        def counted() -> None:
            painted.append(time.monotonic())
            original()

        monkeypatch.setattr(app, "_show", counted)
        for _ in range(100):
            source.story.tell("note.add", {"text": "x"})
            source.tell()
            await asyncio.sleep(0.01)
        await pilot.pause(0.3)
    seconds = painted[-1] - painted[0]
    assert 2 <= len(painted) <= 2 + 5.5 * seconds


async def test_five_thousand_pods_are_shown_quickly() -> None:
    told = story.opened()
    for n in range(5000):
        told.pod("production", f"worker-{n:05d}", "worker")
    app, source = app_of(told)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("p")
        await pilot.pause(0.5)
        told.pod("production", "worker-00001", "worker", ready=0, phase="Failed")
        source._view = told.view()
        shown = source.shown()
        before = time.process_time()
        app._screens["pods"].show(shown)
        await pilot.pause(0.1)
        assert time.process_time() - before < 0.5
        assert "worker-00001" in picture(app)[5]


@pytest.mark.parametrize("which", ["tripped", "deploying", "rolled_back"])
async def test_every_glyph_on_every_screen_is_one_cell_wide(which: str) -> None:
    app, _ = app_of(getattr(story, which)())
    async with app.run_test(size=(120, 40)) as pilot:
        for key in (*SCREENS.values(), "question_mark"):
            await pilot.press(key)
            await pilot.pause(0.1)
            for one in picture(app):
                assert cell_len(one) == len(one), one
                assert "\ufe0f" not in one


def test_no_single_letter_acts_by_itself() -> None:
    harmless = {
        "ask",
        "open",
        "gate",
        "home",
        "help",
        "back",
        "quit",
        "filter",
        "hold",
        "item_number",
        "next",
        "problem",
        "rollback",
        "requests",
        "start_engine",
        "theme",
        "transport",
        "goto",
        "pointer",
    }
    for mode in Mode:
        assert {b.action.partition("(")[0] for b in bindings(mode)} <= harmless
        ids = [b.id for b in bindings(mode)]
        assert all(ids)
        assert len(set(ids)) == len(ids)


def test_the_help_lists_what_a_mode_can_do() -> None:
    assert any(e.name == "command:operation.run" for e in entries(Mode.LIVE))
    assert not any(e.name.startswith("command:") for e in entries(Mode.REPLAY))
    assert any(e.key == "space" for e in entries(Mode.REPLAY))


def test_the_help_lists_the_own_keys_of_every_screen() -> None:
    told = {entry.where for entry in entries(Mode.LIVE)}
    own = {
        one.NAME for one in LaunchScreen.__subclasses__() if one.NAME in SCREENS and "BINDINGS" in vars(one)
    }
    assert len(own) >= 4
    assert {name for name in own if f"on {name}" not in told} == set()


def test_a_crash_is_written_for_its_owner_alone_and_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def fails() -> None:
        password = "hunter2-secret"
        raise RuntimeError(f"no luck [/] {len(password)}")

    try:
        fails()
    except RuntimeError as error:
        message = crash.words(error)
    written = next((tmp_path / "launch-console").iterdir())
    assert str(written) in message
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert "hunter2" not in written.read_text()
    assert "no luck" in written.read_text()


async def test_a_mistake_in_a_worker_does_not_end_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app, _ = app_of(story.opened())

    async def fails() -> None:
        raise OSError("disk full")

    async with app.run_test(size=(120, 24)) as pilot:
        worker = app.run_worker(fails(), exit_on_error=False)
        await pilot.pause(0.2)
        assert worker.state is WorkerState.ERROR
        assert "that failed: disk full" in text_of(app)
        await pilot.press("3")
        await pilot.pause(0.1)
        assert "GATE 3" in text_of(app)


async def test_a_lost_engine_can_be_started_again() -> None:
    started: list[Path] = []

    class Live(StorySource):
        async def reopen(self, socket: Path) -> None:
            started.append(socket)
            self.lost = ""
            self.tell()

    source = Live(story.opened())
    app = LaunchApp(source, Mode.LIVE, restart=lambda: Path("/run/new.sock"))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("S")
        await pilot.pause(0.1)
        assert started == []
        source.lost = "the engine ended"
        source.tell()
        await pilot.pause(0.3)
        assert any("ENGINE LOST: the engine ended · S: start an engine" in one for one in picture(app))
        await pilot.press("S")
        await pilot.pause(0.5)
        assert started == [Path("/run/new.sock")]
        assert not any("ENGINE LOST" in one for one in picture(app))


def test_no_widget_is_given_a_string_with_values_in_it() -> None:
    """Textual reads markup in strings: text reaches a widget as spans or through ``plain.content``."""
    risky = re.compile(
        r"(?:Static|Label|Button|Markdown|Checkbox)\(\s*f?[\"'][^\"']*\{|\.update\(\s*f?[\"']|notify\(|border_title\s*=(?!\s*content\()"
    )
    found = [
        f"{path.relative_to(ROOT)}:{n}"
        for folder in ("screens", "console/ui")
        for path in (ROOT / folder).rglob("*.py")
        for n, line in enumerate(path.read_text().splitlines(), 1)
        if risky.search(line)
    ]
    assert found == []


def test_nothing_here_needs_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**os.environ, "NO_COLOR": "1", "TEXTUAL_THEME": "ansi-dark"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environ,
    )
    assert done.returncode == 0, done.stderr
