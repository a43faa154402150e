"""A mistake of ours in a handler, a drawing, a timer or a worker is seen; the console goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from console.ui.app import LaunchApp
from screens.base import LaunchScreen
from screens.dialogs.dialogs import Dialog
from screens.kit.pane import Pane
from screens.kit.screen_state import ScreenState
from screens.kit.table import Table
from tests.screens import story
from tests.screens.stage import StorySource, app_of, picture


def boom(*_: object, **__: object) -> None:
    raise KeyError("a mistake")


def front(app: LaunchApp) -> LaunchScreen:
    assert isinstance(app.screen, LaunchScreen)
    return app.screen


def in_an_action(app: LaunchApp, _source: StorySource) -> None:
    app.action_hold = boom  # type: ignore[method-assign]
    app.simulate_key("h")


def in_a_drawing(app: LaunchApp, _source: StorySource) -> None:
    app.screen.query_one("#gates", Pane)._draw = boom  # type: ignore[assignment]
    app.screen.call_later(front(app).show, app._shown)


def in_a_screen(app: LaunchApp, _source: StorySource) -> None:
    app.screen.refresh_body = boom  # type: ignore[attr-defined]
    app.screen.call_later(front(app).show, app._shown)


def in_a_handler(app: LaunchApp, _source: StorySource) -> None:
    screen = app.screen
    screen.leads_to = boom  # type: ignore[attr-defined]
    screen.query_one("#gates", Pane).post_message(Pane.Clicked(screen.query_one("#gates", Pane), 1, 1))


def in_a_timer(app: LaunchApp, _source: StorySource) -> None:
    app.set_timer(0.01, boom)


def in_a_callback(app: LaunchApp, _source: StorySource) -> None:
    app.screen.call_after_refresh(boom)


def in_a_worker(app: LaunchApp, _source: StorySource) -> None:
    async def work() -> None:
        boom()

    app.run_worker(work(), exit_on_error=False)


def in_the_source(app: LaunchApp, source: StorySource) -> None:
    source.shown = boom  # type: ignore[method-assign, assignment]
    app.publish()


def forgive(app: LaunchApp) -> None:
    """Take back what the framework would raise at the end of a test: it is what is looked at here."""
    app._exception = None
    app._exception_event.clear()


def crashes(folder: Path) -> int:
    return len(list(folder.rglob("crash-*.txt")))


FAILURES: tuple[Callable[[LaunchApp, StorySource], None], ...] = (
    *(in_an_action, in_a_drawing, in_a_screen, in_a_handler),
    *(in_a_timer, in_a_callback, in_a_worker, in_the_source),
)


@pytest.mark.parametrize("fail", FAILURES, ids=lambda one: one.__name__)
async def test_a_failure_is_a_visible_state_and_the_console_goes_on(
    fail: Callable[[LaunchApp, StorySource], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app, source = app_of(story.deploying())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fail(app, source)
        async with asyncio.timeout(20):
            while not any("A PART OF THIS CONSOLE FAILED: KeyError" in row for row in picture(app)):  # noqa: ASYNC110  nothing tells of a painting
                await asyncio.sleep(0.05)
        forgive(app)
        assert app.is_running
        assert crashes(tmp_path) == 1
        if fail is not in_the_source:
            await pilot.press("p")
            await pilot.pause(0.2)
            assert isinstance(app.screen, LaunchScreen)
            assert app.screen.NAME == "pods"
            assert app.screen.query_one("#pods", Table).rows
        forgive(app)
        assert app.return_code is None


async def test_a_failure_that_comes_back_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for _ in range(50):
            app._tell_broken(KeyError("again"))
        for number in range(3):
            app._tell_broken([ValueError, TypeError, OSError][number]("another"))
        await pilot.pause(0.3)
        assert crashes(tmp_path) == 4
        assert "and 3 more" in app.broken


async def test_a_dialog_that_fails_can_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h")
        await pilot.pause(0.1)
        dialog = app.screen
        assert isinstance(dialog, Dialog)
        dialog.update_buttons = boom  # type: ignore[method-assign]
        app.simulate_key("x")
        async with asyncio.timeout(20):
            while not app.broken:  # noqa: ASYNC110  nothing tells of it
                await asyncio.sleep(0.02)
        forgive(app)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert app.screen is app._screens["dashboard"]
        assert source.given == []
        assert isinstance(app._shown, ScreenState)
