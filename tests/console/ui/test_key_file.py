"""Keys of one's own: what a file may say, what is refused, and that the line of keys and the palette follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.ui.app import LaunchApp
from console.ui.keys import keymap
from console.ui.keys.key_file import KeyFile, path_of, read
from screens.dialogs.forms import FormDialog
from screens.kit.pane import Pane
from screens.kit.screen_state import Mode
from tests.screens import story
from tests.screens.stage import StorySource

USUAL = keymap.usual_keys()
BAD = {
    "no TOML": ("[keys", "can't be read"),
    "another table": ('[colours]\na = "b"', "one table [keys]"),
    "no such action": ('[keys]\n"note.ad" = "f5"', "did you mean 'note.add'?"),
    "no text": ('[keys]\n"note.add" = 5', "in quotes"),
    "no such key": ('[keys]\n"note.add" = "hyper+x"', "there is no key 'hyper+x'"),
    "a key of a word": ('[keys]\n"note.add" = "banana"', "there is no key"),
    "leaves": ('[keys]\n"note.add" = "q"', "means the same everywhere"),
    "of a list": ('[keys]\nhold = "j"', "means the same everywhere"),
    "taken everywhere": ('[keys]\n"note.add" = "h"', "hold has h"),
    "taken on a screen": ('[keys]\n"note.add" = "r"', "gate.run_item has r"),
    "given twice": ('[keys]\n"note.add" = "f5"\nhold = "f5"', "has f5"),
}


def test_every_action_has_a_name_and_a_key() -> None:
    assert {"note.add", "hold", "rollback", "show.deploy", "gate.run_all", "log.milestones"} <= set(USUAL)
    assert all(USUAL.values())


@pytest.mark.parametrize("what", BAD)
def test_a_file_with_a_mistake_counts_for_nothing_and_says_why(what: str, tmp_path: Path) -> None:
    text, told = BAD[what]
    (tmp_path / "keys.toml").write_text(text)
    found = read(tmp_path / "keys.toml", USUAL)
    assert found.keys == {}
    assert any(told in one for one in found.problems), found.problems


def test_where_it_is_and_that_it_need_not_be(tmp_path: Path) -> None:
    assert path_of({"XDG_CONFIG_HOME": "/c"}) == Path("/c/launch-console/keys.toml")
    assert path_of({"HOME": "/h"}) == Path("/h/.config/launch-console/keys.toml")
    assert read(tmp_path / "none.toml", USUAL) == KeyFile()


def test_two_screens_may_share_a_key(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('[keys]\n"gate.run_all" = "f6"\n"log.milestones" = "f6"\n')
    assert read(file, USUAL).keys == {"gate.run_all": "f6", "log.milestones": "f6"}


async def test_a_given_key_works_and_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    source = StorySource(story.opened())
    keys = KeyFile({"note.add": "f5", "gate.run_all": "f6"})
    app = LaunchApp(source, Mode.LIVE, keys=keys)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("c")
        await pilot.pause(0.1)
        assert not isinstance(app.screen, FormDialog)
        assert " f5 note" in app.screen.query_one("#hints", Pane).text
        await pilot.press("3", "R")
        await pilot.pause(0.2)
        assert source.given == []
        assert " f6 run all" in app.screen.query_one("#hints", Pane).text
        await pilot.press("f6")
        await pilot.pause(0.3)
        assert [name for name, _, _ in source.given] == ["gate.run"]
        await pilot.press("f5")
        await pilot.pause(0.2)
        assert isinstance(app.screen, FormDialog)
        entries = {one.title: one.key for one in app.help_entries()}
        assert entries["add a note"] == "f5"


async def test_a_bad_file_is_told_and_the_usual_keys_work() -> None:
    source = StorySource(story.opened())
    app = LaunchApp(source, Mode.LIVE, keys=KeyFile(problems=("hold: there is no key 'x y'",)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.1)
        assert "your file of keys counts for nothing: hold" in app.screen.query_one("#hints", Pane).text
        await pilot.press("h")
        await pilot.pause(0.2)
        assert isinstance(app.screen, FormDialog)
