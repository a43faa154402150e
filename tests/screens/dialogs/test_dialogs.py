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
from screens.dialogs.question import AskDialog
from screens.kit.lines import LineView
from state.base.json import JsonObject
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
        await pilot.press("c")
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
        assert "more lines (PgDn)" in "\n".join(picture(app))
        await pilot.press(*["pagedown"] * 9)
        await pilot.pause(0.1)
        assert facts.below == 0
        assert "end (PgUp)" in "\n".join(picture(app))


async def test_a_lock_is_opened_by_a_request_and_no_name_can_be_typed() -> None:
    app, source = deploy_app()
    source.previews["operation.run"] = replace(
        DEPLOY, allowed=False, reason="gate 2 is OPEN", override_allowed=True
    )
    async with app.run_test(size=(80, 40)) as pilot:
        await open_deploy(pilot)
        assert "It takes a second person: request it" in "\n".join(picture(app))
        assert [box.id for box in app.screen.query(Input)] == ["request-reason"]
        assert not ready(app)
        await typed(pilot, "fire")
        assert ready(app)


async def test_what_was_granted_runs_by_the_typed_name_and_says_who_agreed() -> None:
    app, source = deploy_app()
    source.previews["operation.run"] = replace(
        DEPLOY,
        allowed=False,
        reason="gate 2 is OPEN",
        override_allowed=True,
        request=41,
        granted="request #41 granted by eve (socket peer uid 1001 (eve)), until 18:00Z",
    )
    async with app.run_test(size=(80, 40)) as pilot:
        await open_deploy(pilot)
        assert "granted by eve (socket peer uid 1001 (eve))" in "\n".join(picture(app))
        assert [box.id for box in app.screen.query(Input)] == ["phrase"]
        assert not ready(app)
        await typed(pilot, "dotmac")
        assert ready(app)
