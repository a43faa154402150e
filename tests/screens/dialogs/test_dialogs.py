"""Dialogs: what is typed reaches them and nothing else, and nothing that they show or are given is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.events import Paste
from textual.widgets import Input

from console.ui.app import LaunchApp
from screens.dashboard import DashboardScreen
from screens.deploy import DeployScreen
from screens.dialogs.question import AskDialog, question_lines
from screens.kit.lines import LineView
from screens.kit.plain import Role
from state.base.codec import WIRE, read
from state.base.json import JsonObject
from state.view.enums import Danger, Tier
from state.view.preview import Preview
from tests.screens import story
from tests.screens.stage import app_of, picture
from tests.screens.test_commands import DEPLOY, deploy_app, open_deploy, ready, typed


def front(app: LaunchApp) -> type:
    return type(app.screen)


async def test_keys_between_a_wish_and_its_dialog_reach_no_screen() -> None:
    app, source = deploy_app()
    waits = asyncio.Event()
    asked = source.preview

    async def slow(name: str, args: JsonObject) -> Preview:
        await waits.wait()
        return await asked(name, args)

    source.preview = slow  # type: ignore[method-assign]  # an engine that takes its time
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await pilot.press("g", "2", "l")
        assert front(app) is DeployScreen
        waits.set()
        await pilot.pause(0.2)
        assert front(app) is AskDialog
        await pilot.press("escape")
        waits.clear()
        await pilot.press("enter")
        await pilot.press("escape")
        await pilot.pause(0.1)
        waits.set()
        await pilot.pause(0.2)
        assert front(app) is DeployScreen
        await pilot.press("g")
        await pilot.pause(0.1)
        assert front(app) is DashboardScreen


async def test_pasted_lines_become_one() -> None:
    app, source = app_of(story.ready())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await pilot.pause(0.1)
        app.screen.query_one(Input).post_message(Paste("first\nsecond\n\n  third\n"))
        await pilot.pause(0.1)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[0][1] == {"text": "first second third"}


@pytest.mark.parametrize("width", [60, 80, 113, 200])
async def test_no_column_of_a_command_is_hidden(width: int) -> None:
    app, source = deploy_app()
    command = "helm upgrade --install dotmac " + " ".join(
        f"--set image.part{n}=r/x@sha256:{n:064}" for n in range(9)
    )
    source.previews["operation.run"] = replace(DEPLOY, commands=(command,))
    async with app.run_test(size=(width, 24)) as pilot:
        await open_deploy(pilot)
        facts = app.screen.query_one("#facts", LineView)
        assert all(cell_len(line) <= facts.scrollable_content_region.width for line in facts.text.split("\n"))
        assert "more lines: page down" in "\n".join(picture(app))
        await pilot.press(*["pagedown"] * 9)
        await pilot.pause(0.1)
        assert facts.below == 0
        assert "that is all of it" in "\n".join(picture(app))


async def test_an_override_tells_who_may_be_second_and_takes_nobody_else() -> None:
    app, source = deploy_app()
    source.previews["operation.run"] = replace(
        DEPLOY, allowed=False, reason="gate 2 is OPEN", override_allowed=True, seconds=("bob", "carol")
    )
    async with app.run_test(size=(80, 40)) as pilot:
        await open_deploy(pilot)
        assert "a second person (bob or carol)" in "\n".join(picture(app))
        await typed(pilot, "fire")
        await pilot.press("tab")
        await typed(pilot, "alice")
        await pilot.press("tab")
        await typed(pilot, "dotmac")
        assert not ready(app)
        await pilot.press("shift+tab", "end", *["backspace"] * 5)
        await typed(pilot, "bob")
        assert ready(app)


@pytest.mark.parametrize(
    ("title", "tier", "role"),
    [
        ("shop, live", Tier.PRODUCTION, Role.MARKED),
        ("PRODUCTION (rehearsal)", Tier.PRODUCTION, Role.MARKED),
        ("reproduction of customer bugs", Tier.STAGING, Role.STRONG),
        ("the whole launch", None, Role.STRONG),
    ],
)
def test_production_is_marked_by_its_tier(title: str, tier: Tier | None, role: Role) -> None:
    preview = read(
        Preview, WIRE.dump(Preview("n", "t", Danger.DANGER, allowed=True, environment=title, tier=tier))
    )
    assert preview.tier is tier
    (line,) = [one for one in question_lines(preview, 80) if one[0].text.startswith("environment")]
    assert [span.role for span in line if title in span.text] == [role]


def test_a_tier_of_a_newer_engine_marks_nothing() -> None:
    told = WIRE.dump(Preview("n", "t", Danger.DANGER, allowed=True))
    assert read(Preview, {**told, "tier": "canary"}).tier is None
