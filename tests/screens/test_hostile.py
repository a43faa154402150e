from __future__ import annotations

import pytest

from screens.dialogs.question import AskDialog
from screens.kit.screen_state import Mode
from state.view.enums import Danger
from state.view.preview import Preview
from tests.screens import story
from tests.screens.payloads import FORBIDDEN, PAYLOADS
from tests.screens.stage import SCREENS, app_of, picture

BAD = tuple(chr(n) for n in (*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x202E))


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_no_text_from_outside_reaches_the_terminal_or_ends_the_console(size: tuple[int, int]) -> None:
    app, _ = app_of(story.hostile())
    async with app.run_test(size=size) as pilot:
        for key in ("1", *SCREENS.values()):
            await pilot.press(key)
            await pilot.pause(0.1)
            for _ in range(8):
                await pilot.press("down")
            rows = picture(app)
            assert not any(char in row for row in rows for char in BAD), key
        await pilot.press("3", "a")
        await pilot.pause(0.1)
        assert not any(char in one for one in picture(app) for char in BAD)
        assert app.return_code is None


@pytest.mark.parametrize("size", [(80, 24), (240, 60)])
async def test_forty_kinds_of_payload_on_every_screen(size: tuple[int, int]) -> None:
    told = story.hostile(tuple(PAYLOADS.values()))
    app, source = app_of(told)
    source.previews["pod.describe"] = Preview(
        "pod.describe", "Describe", Danger.SAFE, allowed=True, told=tuple(PAYLOADS.values())
    )
    async with app.run_test(size=size) as pilot:
        for name, key in SCREENS.items():
            await pilot.press(key)
            await pilot.pause(0.05)
            for keys in (
                ("enter",),
                ("pagedown",),
                ("pagedown",),
                ("end",),
                ("e",),
                ("m",),
                ("tab", "pagedown"),
            ):
                if name != "deploy" or keys[0] != "enter":
                    await pilot.press(*keys)
                found = [char for row in picture(app) for char in row if char in FORBIDDEN]
                assert not found, (name, keys, found)
                strips = app.screen._compositor.render_strips()
                assert {strip.cell_length for strip in strips} == {size[0]}, (name, keys)
            await pilot.press("escape")
        assert app.is_running
        assert not app.broken
        assert source.given == []


def test_there_are_more_than_forty_kinds() -> None:
    assert len(PAYLOADS) > 40


async def test_a_preview_is_shown_as_plain_text() -> None:
    app, _ = app_of(story.hostile())
    question = Preview(
        name="operation.run",
        allowed=True,
        title=story.HOSTILE[0],
        danger=Danger.DANGER,
        environment=story.HOSTILE[0],
        from_what=story.HOSTILE[1],
        to_what=story.HOSTILE[4],
        commands=story.HOSTILE,
        blast=story.HOSTILE,
        checks=story.HOSTILE,
        diff=story.HOSTILE,
        phrase=story.HOSTILE[1],
    )
    async with app.run_test(size=(100, 40)) as pilot:
        app.push_screen(AskDialog(question))
        await pilot.pause(0.1)
        rows = picture(app)
        assert any("[@click=app.quit]x[/]" in row for row in rows)
        assert not any(char in row for row in rows for char in BAD)
        await pilot.press("escape")


async def test_what_the_engine_answers_is_plain_text() -> None:
    app, source = app_of(story.opened())
    source.lost = story.HOSTILE[0]
    async with app.run_test(size=(80, 24)) as pilot:
        for text in story.HOSTILE:
            app.tell(text, bad=True)
            await pilot.pause(0.05)
        source.tell()
        await pilot.pause(0.3)
        assert any("ENGINE LOST: [@click" in one for one in picture(app))
    assert source.mode is Mode.LIVE
