"""What is typed or pasted into a dialog ends in its field, whole and in order, and does nothing else."""

from __future__ import annotations

import asyncio
import os
import random
import string
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.ui.app import LaunchApp
from screens.base import LaunchScreen
from screens.dialogs.dialogs import Dialog
from screens.dialogs.forms import AttestDialog, FormDialog
from screens.kit.screen_state import Mode
from state.view.preview import Preview
from tests.screens import story
from tests.screens.dialogs.sentences import SENTENCES
from tests.screens.stage import StorySource, app_of
from tests.screens.test_commands import DEPLOY

DIALOGS: dict[str, tuple[Callable[[], story.Story], Sequence[str], Sequence[str]]] = {
    "attest": (story.opened, ("1", "a"), ("comment", "link")),
    "note": (story.opened, ("c",), ("field-text",)),
    "hold": (story.opened, ("h",), ("field-reason",)),
    "waive": (story.opened, ("2", "w"), ("field-reason", "field-minutes")),
    "withdraw": (story.ready, ("1", "W"), ("field-reason",)),
    "take over": (story.opened, ("t",), ("field-reason",)),
    "abort": (story.deploying, ("x",), ("field-reason",)),
    "acknowledge": (story.tripped, ("A",), ("field-comment",)),
    "deploy": (story.ready, ("d", "enter"), ("phrase",)),
    "request": (story.opened, ("d", "enter"), ("request-reason",)),
    "changes": (story.ready, ("d", "enter", "f3"), ("search",)),
    "help": (story.opened, ("?",), ("search",)),
    "filter": (story.opened, ("l", "/"), ("filter",)),
}
"""Every field that a person types into: the moment, the keys that open it, and its fields in order."""

EVERYTHING = "EVERY_SENTENCE" in os.environ
"""All of it takes minutes: ``make keys``."""


def drawn(name: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the sentences that are typed into a dialog and those that are pasted: a few, drawn by a seed."""
    # A letter costs what a whole frame costs, 10 ms and more, for each is drawn as a terminal would draw it.
    seed = os.environ.get("SENTENCES_SEED", "2026")
    few = random.Random(f"{seed} {name}").sample(SENTENCES, 9)
    return (SENTENCES, SENTENCES) if EVERYTHING else (few[:2], few[2:])


LETTERS = set(string.ascii_letters + string.digits)


def stage(name: str) -> tuple[LaunchApp, StorySource]:
    app, source = app_of(DIALOGS[name][0]())
    asked = replace(DEPLOY, diff=("Deployment a: spec.replicas 1 → 2",))
    if name == "request":
        asked = replace(asked, allowed=False, reason="gate 2 is OPEN", override_allowed=True)
    source.previews["operation.run"] = asked
    return app, source


async def quiet(app: LaunchApp, pilot: Pilot[int], *, drawn: bool = False) -> None:
    """Wait until every key that was given is done."""
    async with asyncio.timeout(20):
        await pilot.pause()
        while not app._ahead.idle:  # noqa: ASYNC110  nobody tells of each key
            await asyncio.sleep(0.001)
    if drawn:
        await pilot.pause()


async def burst(app: LaunchApp, pilot: Pilot[int], *keys: str) -> None:
    """Give keys as a slow line does: all at once."""
    for key in keys:
        name = key if key.isalnum() or len(key) > 1 else _character_to_key(key)
        app.post_message(Key(name, key if len(key) == 1 else None))
    await quiet(app, pilot, drawn=True)


def value(app: LaunchApp, field: str) -> str:
    return app.screen.query_one(f"#{field}", Input).value


def test_the_sentences_have_every_letter_and_are_two_hundred() -> None:
    assert len(set(SENTENCES)) == 200
    assert set("".join(SENTENCES)) >= LETTERS


@pytest.mark.parametrize("name", DIALOGS)
async def test_every_sentence_ends_in_its_field_and_does_nothing_else(name: str) -> None:
    _, keys, fields = DIALOGS[name]
    app, source = stage(name)
    typed, pasted = drawn(name)
    async with app.run_test(size=(80, 24)) as pilot:
        # Opened and written in one breath: nothing waits for the dialog but the keys themselves.
        await burst(app, pilot, *keys, *typed[0])
        front = app.screen
        assert isinstance(front, LaunchScreen if name == "filter" else Dialog)
        assert value(app, fields[0]) == typed[0]
        for field in fields:
            box = front.query_one(f"#{field}", Input)
            box.focus()
            for sentence in typed[1:]:
                box.value = ""
                await burst(app, pilot, *sentence)
                assert box.value == sentence
            for sentence in pasted:
                box.value = ""
                app.post_message(Paste(sentence))
                await quiet(app, pilot)
                assert box.value == sentence
        assert app.screen is front
        assert source.given == []
        buttons = [one for one in front.query(Button) if not one.disabled and one.display]
        for at, button in enumerate(buttons):  # what is typed beside a field is written into it
            letters = LETTERS if EVERYTHING else set(sorted(LETTERS)[at :: len(buttons)])
            box.value = ""
            button.focus()
            await burst(app, pilot, *letters)
            assert app.screen is front
            assert set(box.value) == letters
        assert source.given == []
        assert app.is_running


async def test_no_letter_answers_a_dialog_without_a_field() -> None:
    app, source = app_of(story.opened())
    source.previews["gate.run"] = Preview(
        "gate.run", "Run all checks of gate 3", DEPLOY.danger.CAUTION, allowed=True, blast=("a failed login",)
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await burst(app, pilot, "3", "R", *sorted(LETTERS - set(string.digits)))
        front = app.screen
        assert isinstance(front, Dialog)
        assert source.given == []
        await burst(app, pilot, "ctrl+g")
        assert [name for name, _, _ in source.given] == ["gate.run"]


async def test_what_is_typed_for_a_dialog_that_does_not_open_is_no_command() -> None:
    app, source = app_of(story.opened())
    source.previews["operation.run"] = replace(DEPLOY, allowed=False, reason="gate 2 is OPEN")
    async with app.run_test(size=(80, 24)) as pilot:
        source.gone = "the engine is gone"
        await burst(app, pilot, "d", "enter", *"quit now")
        assert app.is_running
        assert source.given == []
        assert not isinstance(app.screen, Dialog)


async def test_keys_before_the_first_frame_are_dropped() -> None:
    app, source = app_of(story.opened())
    early = [Key(key, key) for key in "3Rq"]
    async with app.run_test(size=(80, 24)) as pilot:
        for key in early:
            app.post_message(key)
        await quiet(app, pilot)
        assert app.is_running
        assert source.given == []
        assert app.screen is app._screens["dashboard"]


async def test_an_answer_in_the_first_moment_waits_where_something_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from screens.dialogs import dialogs

    monkeypatch.setattr(dialogs, "ARM_S", dict.fromkeys(dialogs.ARM_S, 0.8))
    app, source = app_of(story.tripped())
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        await burst(app, pilot, "A", "enter")
        assert isinstance(app.screen, FormDialog)
        await pilot.pause(0.9)
        assert source.given == []
        await burst(app, pilot, "escape", "A", *"seen", "enter")
        await pilot.pause(1.0)
        assert [(name, args) for name, args, _ in source.given] == [
            ("condition.acknowledge", {"condition": "error-rate", "comment": "seen"})
        ]
        await burst(app, pilot, "1", "a", *"as agreed", "ctrl+g")
        await pilot.pause(1.0)
        assert not isinstance(app.screen, AttestDialog)
        assert source.given[-1][1] == {"item": "1.1", "verdict": "GO", "comment": "as agreed"}
        await burst(app, pilot, "B", *"dotmac", "enter")
        await pilot.pause(1.0)
        assert source.given[-1][0] == "operation.run"


async def test_a_replay_is_told_where_to_go() -> None:
    app, _ = app_of(story.tripped(), mode=Mode.REPLAY)
    async with app.run_test(size=(80, 24)) as pilot:
        await burst(app, pilot, "g", *"gate 6 q")
        assert value(app, "field-where") == "gate 6 q"
