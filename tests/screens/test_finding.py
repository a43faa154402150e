"""Finding one's way: filters, jumps, vi keys, problems, the mouse, the palette, the line of keys."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.ui.app import LaunchApp
from screens.gate import GateScreen
from screens.help import HelpDialog
from screens.kit.field import Field
from screens.kit.pane import Pane
from screens.kit.plain import line_width
from screens.kit.screen_state import ScreenState
from screens.kit.table import Row, Table
from screens.sections.status_line import hints, key_at
from screens.sections.urgent import urgent_keys
from state.view.locked import why_locked, why_operation_locked
from tests.screens import story
from tests.screens.frames import settled
from tests.screens.stage import SCREENS, app_of, picture, text_of

LISTS = {"3": "items", "d": "operations", "s": "stages", "p": "pods"}


async def pressed(app: LaunchApp, pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(app, pilot)


@pytest.mark.parametrize("key", LISTS)
async def test_a_slash_filters_every_list(key: str) -> None:
    app, source = app_of(story.piped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(app, pilot, key)
        table = app.screen.query_one(f"#{LISTS[key]}", Table)
        every = table.rows
        word = every[-1].words.split()[0].lower()
        await pressed(app, pilot, "slash", *word)
        assert table.rows
        assert all(word in row.words.lower() for row in table.rows)
        assert table.hidden == len(every) - len(table.rows)
        await pressed(app, pilot, "enter")
        assert app.focused is table
        await pressed(app, pilot, "escape")
        assert table.rows == every
        await pressed(app, pilot, "slash", *"zzz?q", "escape")
        assert table.rows == every
        assert app.is_running
        assert source.given == []


async def test_a_point_and_digits_go_to_an_item() -> None:
    app, _ = app_of(story.ready())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(app, pilot, "3", "full_stop", "2")
        gate = app.screen
        assert isinstance(gate, GateScreen)
        assert (gate.number, gate.query_one(Table).key) == (3, "3.2")
        await pressed(app, pilot, "full_stop", "9")
        assert "there is no item 3.9" in text_of(app)
        assert gate.number == 3
        await pressed(app, pilot, "1", "full_stop", "1")
        assert gate.query_one(Table).key == "1.1"
        await pressed(app, pilot, "full_stop", "escape", "2")
        await pressed(app, pilot, "2")
        assert gate.number == 2


async def test_vi_keys_move_in_a_list() -> None:
    app, source = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(app, pilot, "p", "home")
        table = app.screen.query_one("#pods", Table)
        await pressed(app, pilot, "j", "j", "k")
        assert table.cursor == 1
        await pressed(app, pilot, "ctrl+f")
        assert table.cursor > 1
        await pressed(app, pilot, "ctrl+b", "ctrl+u")
        assert table.cursor == 0
        assert source.given == []


async def test_n_goes_to_the_next_problem_through_all_gates() -> None:
    told = story.ready()
    told.check("3.2", "fail", "no policy")
    told.check("6.1", "unknown", "no answer")
    app, _ = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        found = []
        for key in ("n", "n", "n", "N"):
            await pressed(app, pilot, key)
            found.append(app.screen.query_one(Table).key)
        assert found == ["3.2", "6.1", "3.2", "6.1"]


async def test_n_says_so_where_nothing_is_wrong_and_stops_at_pods_in_trouble() -> None:
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(app, pilot, "d", "n")
        assert "no problem here" in text_of(app)
    rows = [Row("a", ("a",)), Row("b", ("b",), bad=True), Row("c", ("c",)), Row("d", ("d",), bad=True)]
    table = Table(())
    table._all = table._rows = tuple(rows)
    table._key = "a"
    table.select = lambda key: setattr(table, "_key", key)  # type: ignore[method-assign]
    assert [(table.problem(by), table._key)[1] for by in (1, 1, 1, -1)] == ["b", "d", "b", "d"]


async def test_the_mouse_opens_gates_items_sections_and_presses_keys() -> None:
    app, source = app_of(story.tripped())
    async with app.run_test(size=(200, 55)) as pilot:
        await settled(app, pilot)
        lines = app.screen.query_one("#gates", Pane).text.split("\n")
        third = next(n for n, line in enumerate(lines) if line.split()[:1] == ["3.2"])
        await pilot.click("#gates", offset=(5, third))
        await settled(app, pilot)
        assert app.screen.query_one(Table).key == "3.2"
        await pressed(app, pilot, "g")
        for section, screen in (("#graph0", "bake"), ("#cluster", "pods"), ("#conditions", "bake")):
            await pilot.click(section, offset=(4, 2))
            await settled(app, pilot)
            assert app.screen is app._screens[screen]
            await pressed(app, pilot, "g")
        bottom = app.screen.query_one("#hints", Pane).text
        await pilot.click("#hints", offset=(bottom.index("l log") + 1, 0))
        await settled(app, pilot)
        assert app.screen is app._screens["log"]
        assert source.given == []


def test_a_click_on_a_hint_finds_its_key() -> None:
    line = hints([("d", "deploy"), ("esc", "back"), ("1-9 0", "gate"), ("?", "help"), ("q", "quit")], 60)
    words = "".join(span.text for span in line)
    assert line_width(line) == 60
    for told, key in (("deploy", "d"), ("back", "escape"), ("help", "question_mark"), ("quit", "q")):
        assert key_at(line, words.index(told)) == key
    assert key_at(line, words.index("gate")) == ""
    assert key_at(line, 999) == ""


async def test_what_is_urgent_comes_first_in_the_line_of_keys_and_help_and_quit_stay() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("g", "3", "d", "s", "b", "p", "l"):
            await pressed(app, pilot, key)
            bottom = app.screen.query_one("#hints", Pane).text
            assert bottom.startswith(" B roll back  A acknowledge "), key
            assert bottom.rstrip().endswith("? help q quit"), key
    running = story.deploying()
    shown = ScreenState(running.view(), running.now_us, account="ann", me="c1")
    assert ("x", "abort") in urgent_keys(shown)


async def test_the_palette_says_why_an_entry_is_locked() -> None:
    app, source = app_of(story.opened())
    view, now = source.story.view(), source.story.now_us
    assert why_locked(view, "operation.abort", now, "c1", "ann") == "no operation runs"
    assert why_locked(view, "condition.acknowledge", now, "c1", "ann") == "no stop condition is tripped"
    assert "is driving" in why_locked(view, "gate.run", now, "c9", "captain")
    assert why_locked(view, "gate.run", now, "c1", "tom") == "you are observer"
    assert why_locked(view, "note.add", now, "c9", "tom") == ""
    assert why_locked(view, "poll.answer", now, "c9", "operator") == "", "from every console"
    assert why_locked(view, "poll.answer", now, "c9", "tom") == "you are observer"
    assert why_operation_locked(view, "production.deploy", now)
    async with app.run_test(size=(120, 40)) as pilot:
        await pressed(app, pilot, "question_mark", *"abort")
        palette = app.screen
        assert isinstance(palette, HelpDialog)
        assert "no operation runs" in palette.query_one(Table).text


async def test_a_filter_is_no_command() -> None:
    app, source = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(app, pilot, "d", "slash", *"Bx q")
        assert app.screen.query_one("#narrow", Field).value == "Bx q"
        assert source.given == []
        assert app.is_running


async def test_the_key_that_ends_other_programs_says_how_to_leave_and_shows_no_toast() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        for key in SCREENS.values():
            await pilot.press(key, "ctrl+c")
            await settled(app, pilot)
            assert "q: quit (the engine keeps running)" in picture(app)[-1]
            assert len(app._notifications) == 0
        assert source.given == []
