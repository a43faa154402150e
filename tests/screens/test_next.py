"""The line that says what comes next, the key that does it, and the cursor that moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from console.ui import command_app, navigation
from console.ui.app import LaunchApp
from screens import base
from screens.dialogs.dialogs import Dialog
from screens.dialogs.forms import AttestDialog
from screens.dialogs.question import AskDialog
from screens.kit.screen_state import Mode
from screens.kit.table import Table
from state.base.json import JsonObject
from state.commands import Confirmation, Reply
from state.events.gates import AttestSigned
from state.view.preview import Preview
from tests.screens import story
from tests.screens.stage import SCREENS, StorySource, app_of, picture
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
        await until(pilot, lambda: isinstance(app.screen, AttestDialog))
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app._screens["gate"].query_one(Table).key == "1.2")
        assert source.given[0][1] == {"item": "1.1", "verdict": "GO"}


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


async def test_who_may_not_do_it_is_told_who_is_awaited_and_its_key_asks_for_nothing() -> None:
    told = story.opened()
    for mode, account in ((Mode.LIVE, "eve"), (Mode.FOLLOW, "")):
        app, source = app_of(told, mode=mode)
        source.account = account
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            line = picture(app)[2]
            assert line.startswith(" NOW  waiting for Release captain or Platform operator: 1.1 attest")
            assert not line.rstrip().endswith(("enter", "space"))
            await pilot.press("space", "enter")
            await pilot.pause(0.1)
            assert not isinstance(app.screen, Dialog)
            assert source.given == []


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    """Wait until something holds, however busy the machine is."""
    async with asyncio.timeout(20):
        while not true():
            await pilot.pause(0.05)


class SlowSource(StorySource):
    """Records a word at once, and answers only when it is let."""

    def __init__(self, told: story.Story) -> None:
        super().__init__(told)
        self.answers = asyncio.Event()

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        word: JsonObject = {
            "item": args["item"], "go": True, "comment": "", "link": "", "how_known": "test", "evidence": [],
        }  # fmt: skip
        self.story.tell(AttestSigned.KIND, word, gate=1, actor="ann")
        self.tell()
        await self.answers.wait()
        return await super().command(name, args, given)


@pytest.mark.parametrize("meanwhile", ["", "escape", "l"])
async def test_its_key_is_not_lost_where_the_answer_to_the_word_before_is_slow(
    monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    monkeypatch.setattr(command_app, "SLOW_S", 0.05)
    source = SlowSource(story.opened())
    app = LaunchApp(source, Mode.LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AttestDialog) and app.screen.armed)
        await pilot.press("ctrl+g")
        # The word is in the log, and its answer isn't here.
        await until(pilot, lambda: "NEXT 1.2 attest" in picture(app)[2])
        await until(pilot, lambda: not app._giving)
        await pilot.press("space")
        await pilot.pause(0.1)
        assert not isinstance(app.screen, Dialog)
        if meanwhile:
            await pilot.press(meanwhile)
        source.answers.set()
        await until(pilot, lambda: not app._asking or isinstance(app.screen, AttestDialog))
        assert isinstance(app.screen, AttestDialog) is (not meanwhile)
        assert len(source.given) == 1


async def test_a_number_that_is_begun_anew_has_all_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "JUMP_S", 1.5)
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "full_stop")
        await pilot.pause(1.0)
        await pilot.press("full_stop")
        await pilot.pause(0.8)  # the first one's time is over, and not the second one's
        await pilot.press("4")
        await pilot.pause(0.1)
        assert app.screen.query_one(Table).key == "3.4"


class SilentSource(StorySource):
    """Gives no preview until it is let."""

    def __init__(self, told: story.Story) -> None:
        super().__init__(told)
        self.answers = asyncio.Event()

    async def preview(self, name: str, args: JsonObject) -> Preview:
        await self.answers.wait()
        return await super().preview(name, args)


async def test_that_the_engine_is_asked_is_said_for_as_long_as_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "FLASH_S", 0.4)
    monkeypatch.setattr(command_app, "AGAIN_S", 0.2)
    source = SilentSource(story.ready())
    source.previews["operation.run"] = DEPLOY
    app = LaunchApp(source, Mode.LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        await until(pilot, lambda: "asking the engine" in picture(app)[-1])
        await pilot.pause(1.0)
        assert "asking the engine" in picture(app)[-1]
        source.answers.set()
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
