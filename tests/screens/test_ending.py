"""How a launch ends on the screen: no alarm, what it came to, and what is done next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.cli.saved_log import is_sealed, words_of_leaving
from console.ui.app import LaunchApp
from console.ui.ended import check_log, write_report
from screens.dialogs.forms import PickDialog
from screens.kit.screen_state import Mode
from state.events.launch import LaunchClosed, LaunchScrubbed
from state.view.ending import ending
from state.view.enums import LaunchState
from tests.screens import story
from tests.screens.stage import SCREENS, app_of, picture
from tests.screens.test_commands import opens
from tests.state.events.test_stored_logs import stored


def test_the_words_of_each_end() -> None:
    view = story.baking().view()
    assert ending(view) == ""
    closed = ending(replace(view, state=LaunchState.CLOSED))
    assert closed.startswith("LAUNCH COMPLETE · ")
    assert "/10 GO · 0" in closed
    assert closed.endswith(" deviations")
    assert ending(replace(view, state=LaunchState.SCRUBBED)).startswith("LAUNCH SCRUBBED · ")
    back = replace(story.rolled_back().view(), state=LaunchState.SCRUBBED)
    assert ending(back).startswith("ROLLED BACK, LAUNCH SCRUBBED · ")


@pytest.mark.parametrize(
    ("kind", "words"),
    [(LaunchClosed.KIND, "LAUNCH COMPLETE"), (LaunchScrubbed.KIND, "LAUNCH SCRUBBED")],
)
async def test_an_end_is_no_lost_engine_and_offers_report_and_quit(kind: str, words: str) -> None:
    told = story.baking()
    app, source = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.1)
        told.tell(kind, {"reason": "wrong window"} if kind == LaunchScrubbed.KIND else {}, actor="ann")
        source.lost = "the engine ended"
        source.tell()
        await opens(app, pilot, PickDialog)
        shown = "\n".join(picture(app))
        assert f"{words} · " in shown
        assert "Write the report" in shown
        await pilot.press("escape")
        for key in SCREENS.values():
            await pilot.press(key)
            await pilot.pause(0.1)
            lines = picture(app)
            assert lines[2].startswith(f" ■ {words} · ")
            assert "ENGINE LOST" not in "\n".join(lines)
        await pilot.press("S")
        await pilot.pause(0.1)
        assert "the launch is over" in "\n".join(picture(app))
        await pilot.press("space", "end", "enter")
        await pilot.pause(0.1)
    assert app.return_code == 0


def test_a_sealed_log_is_told_from_one_that_goes_on(tmp_path: Path) -> None:
    log = stored("waived-and-closed", tmp_path)
    assert is_sealed(log)
    assert is_sealed(stored("held-and-scrubbed", tmp_path))
    assert not is_sealed(stored("attested", tmp_path))
    assert not is_sealed(tmp_path / "none.lclog")
    assert "keeps running" not in words_of_leaving(log, "launch-console")
    assert f"launch-console report {log}" in words_of_leaving(log, "launch-console")


def test_the_report_is_written_beside_the_log(tmp_path: Path) -> None:
    copy = stored("waived-and-closed", tmp_path)
    told, good = write_report(copy)
    assert good, told
    assert copy.with_suffix(".md").read_text().startswith("#")
    assert check_log(copy)[1]
    assert not check_log(tmp_path / "none.lclog")[1]
    assert not write_report(tmp_path / "none.lclog")[1]


def test_a_console_that_knows_no_log_offers_its_end_all_the_same() -> None:
    app = LaunchApp(app_of(story.baking())[1], Mode.LIVE)
    assert app._launch_log is None
