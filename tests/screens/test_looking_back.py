"""A launch that goes on, looked back in: the past acts on nothing, what is now stays in sight, one key is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.kit.screen_state import Mode
from tests.screens import story
from tests.screens.stage import app_of, picture
from tests.screens.test_replay import write_log


def rows(app: object) -> str:
    return "\n".join(picture(app))  # type: ignore[arg-type]  # an app of ours


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_looks_back_and_one_key_is_back_to_live(tmp_path: Path, size: tuple[int, int]) -> None:
    told = story.tripped()
    log = tmp_path / "launch.lclog"
    write_log(log, told.events)
    app, source = app_of(told, log=log)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        assert "PAST" not in rows(app)
        await pilot.press("left_square_bracket")
        await pilot.pause(0.6)
        await pilot.press("left_curly_bracket")
        await pilot.pause(0.4)
        assert " PAST " in rows(app)
        assert "TRIPPED" in picture(app)[2]  # what is now
        assert "read-only" in rows(app)
        assert "NEXT" not in rows(app)
        past = app.moment().view.seq
        assert past < told.events[-1].seq
        told.tell("note.add", {"text": "meanwhile"})
        source.tell()
        await pilot.pause(0.5)
        assert app.moment().view.seq == past
        await pilot.press("escape")
        await pilot.pause(0.3)
        assert " PAST " not in rows(app)
        assert app.moment().view.seq == told.events[-1].seq
    assert source.given == []


async def test_what_acts_is_about_now(tmp_path: Path) -> None:
    told = story.tripped()
    log = tmp_path / "launch.lclog"
    write_log(log, told.events)
    app, source = app_of(told, log=log)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        for key, asks in (("A", False), ("c", False), ("space", False), ("B", True), ("h", True)):
            await pilot.press("left_square_bracket")
            await pilot.pause(0.6)
            assert app.moment().mode is Mode.REPLAY, key
            await pilot.press(key)
            await pilot.pause(0.5)
            assert app.moment().mode is Mode.LIVE, key
            assert app.moment().view.seq == told.events[-1].seq
            assert ("Dialog" in type(app.screen).__name__) is asks, key
            if asks:
                await pilot.press("escape")
                await pilot.pause(0.3)
    assert source.given == []


async def test_the_log_of_the_past_ends_there(tmp_path: Path) -> None:
    told = story.tripped()
    log = tmp_path / "launch.lclog"
    write_log(log, told.events)
    app, _ = app_of(told, log=log)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.pause(0.8)
        here = app.moment().view.seq
        events = await app.page(here - 3, 50)
        assert [one.seq for one in events] == [here - 2, here - 1, here]
        await pilot.press("y")
        await pilot.pause(0.2)
        assert app.pointer().endswith(f":{here}")
        await pilot.press("escape")
        await pilot.pause(0.3)
        assert len(await app.page(here - 3, 50)) > 3
        assert app.pointer().endswith(f":{told.events[-1].seq}")


@pytest.mark.parametrize("log", [None, "gone.lclog"])
async def test_a_log_that_cannot_be_read_is_said(tmp_path: Path, log: str | None) -> None:
    app, _ = app_of(story.tripped(), log=None if log is None else tmp_path / log)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        await pilot.press("left_square_bracket")
        await pilot.pause(0.5)
        assert app.moment().mode is Mode.LIVE
        assert (
            "launch-console replay LOG" in rows(app)
            if log is None
            else "can't be read from here" in rows(app)
        )
