"""The line that says what comes next, the key that does it, and the cursor that moves on."""

from __future__ import annotations

import pytest

from screens.dialogs.dialogs import Dialog
from screens.dialogs.forms import AttestDialog
from screens.dialogs.question import AskDialog
from screens.kit.screen_state import Mode
from screens.kit.table import Table
from tests.screens import story
from tests.screens.stage import SCREENS, app_of, picture
from tests.screens.test_commands import DEPLOY


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 55)])
async def test_every_screen_says_what_comes_next_below_its_header(size: tuple[int, int]) -> None:
    app, _ = app_of(story.opened())
    async with app.run_test(size=size) as pilot:
        for key in SCREENS.values():
            await pilot.press(key)
            await pilot.pause(0.1)
            assert picture(app)[2].startswith(" NEXT 1.1 attest: Launch date and window")
            assert picture(app)[2].rstrip().endswith(("enter", "space"))


async def test_its_key_goes_there_and_opens_what_is_asked_and_the_cursor_moves_on() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await pilot.pause(0.5)
        assert isinstance(app.screen, AttestDialog)
        await pilot.press("ctrl+g")
        await pilot.pause(0.5)
        assert source.given[0][1] == {"item": "1.1", "verdict": "GO"}
        assert app._screens["gate"].query_one(Table).key == "1.2"


async def test_what_is_dangerous_is_only_shown() -> None:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("space", "d"):
            await pilot.press(key)
        await pilot.pause(0.5)
        assert isinstance(app.screen, AskDialog)
        await pilot.press("space", "enter", "space", "enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, AskDialog)
        assert source.given == []


async def test_a_gate_opens_on_its_first_open_item() -> None:
    app, _ = app_of(story.ready())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "down", "down", "1")
        await pilot.pause(0.5)
        assert app.screen.query_one(Table).key == "1.1"


async def test_a_replay_has_nothing_to_do_next() -> None:
    app, _ = app_of(story.opened(), mode=Mode.REPLAY)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "NEXT" not in "\n".join(picture(app))
        assert not isinstance(app.screen, Dialog)
