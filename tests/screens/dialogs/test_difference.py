"""What changes, before a deploy: shown object by object, searched, and left again with what was typed."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets import Input

from screens.deploy import DeployScreen
from screens.dialogs.difference import DiffDialog, diff_lines, matching
from screens.dialogs.question import AskDialog
from screens.kit.plain import Line
from tests.screens import story
from tests.screens.stage import app_of, picture
from tests.screens.test_commands import DEPLOY, open_deploy, typed

DIFF = (
    'ConfigMap/dotmac-api: data.LOG_LEVEL "info" → "warning"',
    (
        'Deployment/dotmac-api: spec.template.spec.containers[api].image "registry.example.com/dotmac/api@sha256:'
        'aaaaaaaaaaaa…" → "registry.example.com/dotmac/api@sha256:bbbbbbbbbbbb…"'
    ),
    "Deployment/dotmac-api: live spec.replicas is 4 instead of 3",
    "Ingress/old: is removed",
    "Secret/dotmac: data.JWT fingerprint 1a2b → fingerprint 3c4d",
    "Service/new: is created (v1)",
    "hook dotmac-migrate runs",
)


def plain(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


async def test_f3_shows_what_changes_and_typing_searches() -> None:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = replace(DEPLOY, diff=DIFF)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        assert "7 changes (f3)" in "\n".join(picture(app))
        await typed(pilot, "dot")
        await pilot.press("f3")
        await pilot.pause(0.1)
        shown = "\n".join(picture(app))
        assert isinstance(app.screen, DiffDialog)
        for told in ("7 lines, 6 objects", "Ingress/old", "is removed", "hook dotmac-migrate runs"):
            assert told in shown
        await typed(pilot, "IMAGE api")
        await pilot.pause(0.1)
        shown = "\n".join(picture(app))
        assert "1 of 7 lines, 1 object" in shown
        assert "bbbbbbbbbbbb" in shown
        assert "Ingress/old" not in shown
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert isinstance(app.screen, AskDialog)
        assert app.screen.query_one("#phrase", Input).value == "dot"
        assert source.given == []


async def test_the_cursor_stays_where_it_was_when_a_preview_closes() -> None:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d", "down")
        await pilot.pause(0.1)
        assert isinstance(app.screen, DeployScreen)
        chosen = app.screen.context()
        await pilot.press("enter")
        await pilot.pause(0.1)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert isinstance(app.screen, DeployScreen)
        assert app.screen.context() == chosen != {"operation": "staging.deploy"}


async def test_a_refused_operation_shows_what_would_have_changed() -> None:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = replace(DEPLOY, allowed=False, reason="gate 3 is OPEN", diff=DIFF)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await pilot.press("right", "enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, DiffDialog)


async def test_a_preview_without_changes_offers_none() -> None:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await pilot.press("f3")
        assert isinstance(app.screen, AskDialog)
        assert "(f3)" not in "\n".join(picture(app))


def test_each_object_is_named_once_and_long_values_stand_below_each_other() -> None:
    assert plain(diff_lines(DIFF, 60)) == [
        "ConfigMap/dotmac-api",
        '  data.LOG_LEVEL "info" → "warning"',
        "Deployment/dotmac-api",
        "  spec.template.spec.containers[api].image",
        '  - "registry.example.com/dotmac/api@sha256:aaaaaaaaaaaa…"',
        '  + "registry.example.com/dotmac/api@sha256:bbbbbbbbbbbb…"',
        "  live spec.replicas is 4 instead of 3",
        "Ingress/old",
        "  is removed",
        "Secret/dotmac",
        "  data.JWT fingerprint 1a2b → fingerprint 3c4d",
        "Service/new",
        "  is created (v1)",
        "hook dotmac-migrate runs",
    ]


def test_a_search_that_finds_nothing_says_so() -> None:
    assert matching(DIFF, "no such thing") == []
    assert plain(diff_lines([], 60)) == ["no line has all of these words"]


async def test_an_operation_that_ran_in_sight_stays_there_when_it_ends() -> None:
    told = story.deploying()
    app, source = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.1)
        assert isinstance(app.screen, DeployScreen)
        assert app.screen.context() == {"operation": "production.deploy"}
        run = told.view().operations[-1]
        told.finish(run.seq, run.id, "succeeded", "revision 8 is deployed and live")
        source.tell()
        await pilot.pause(0.3)
        assert app.screen.context() == {"operation": "production.deploy"}
        assert "revision 8 is deployed and live" in "\n".join(picture(app))
