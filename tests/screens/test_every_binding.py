"""Keys in random order, on every screen and in every phase: what may hurt is carried out by its dialog alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.binding import Binding

from console.ui.keys import keymap
from screens.bake import BakeScreen
from screens.deploy import DeployScreen
from screens.dialogs.dialogs import DO, Dialog
from screens.gate import GateScreen
from screens.kit.lines import LineView
from screens.kit.screen_state import Mode
from screens.kit.table import Table
from screens.log import LogScreen
from screens.pipeline import PipelineScreen
from screens.pods import PodsScreen
from state.base.json import JsonObject
from state.commands import COMMANDS, Confirmation, Reply
from state.view.enums import Danger
from state.view.preview import Preview
from tests.screens import story
from tests.screens.dialogs.test_typing import quiet
from tests.screens.stage import SCREENS, StorySource, app_of

PHASES: dict[str, Callable[[], story.Story]] = {
    "opened": story.opened,
    "ready": story.ready,
    "piped": story.piped,
    "deploying": story.deploying,
    "baking": story.baking,
    "tripped": story.tripped,
    "rolled back": story.rolled_back,
}
LEAVING = {"q", "ctrl+q", "ctrl+c"}
"""Ends the console: a test of its own presses them."""


def bound() -> list[str]:
    """Return every key that some screen, list or the app has a binding for, and those of any dialog."""
    keys = {key for own in keymap.bindings(Mode.LIVE) for key in own.key.split(",")}
    for one in (GateScreen, DeployScreen, PipelineScreen, BakeScreen, PodsScreen, LogScreen, Table, LineView):
        for binding in one.BINDINGS:
            assert isinstance(binding, Binding)
            keys |= set(binding.key.split(","))
    return sorted((keys | {"tab", "shift+tab", "enter", "escape", "f3", DO, "y", "a", "z"}) - LEAVING)


KEYS = bound()
FULL = "EVERY_BINDING" in os.environ
"""All of it takes minutes: ``make keys``."""


class Witness(StorySource):
    """A source that knows whether a dialog was open when the key was pressed that carried something out."""

    asked = False

    def __init__(self, told: story.Story) -> None:
        super().__init__(told)
        self.unasked: list[str] = []
        for spec in COMMANDS:
            phrase = f"carry out {spec.name}" if spec.danger is Danger.DANGER else ""
            self.previews[spec.name] = Preview(
                spec.name, spec.title, spec.danger, allowed=True, token="t", phrase=phrase
            )
        # What leaves traces is asked, though running a check is safe.
        self.previews["gate.run"] = Preview(
            "gate.run", "Run all checks", Danger.CAUTION, allowed=True, blast=("a failed login",)
        )

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        preview = self.previews[name]
        typed = given.phrase if given is not None else ""
        if preview.danger is not Danger.SAFE and not self.asked:
            self.unasked.append(name)
        if preview.phrase and typed != preview.phrase:
            self.unasked.append(f"{name} without its phrase")
        return await super().command(name, args, given)


async def press(phase: str, screen: str, keys: list[str]) -> Witness:
    told = PHASES[phase]()
    app, _ = app_of(told)
    source = Witness(told)
    app.source = source
    async with app.run_test(size=(80, 24)) as pilot:
        for key in [SCREENS[screen], *keys]:
            source.asked = isinstance(app.screen, Dialog)
            await pilot.press(key)
            await quiet(app, pilot)
            assert not source.unasked, (phase, screen, keys)
        assert app.is_running
        assert not app.broken, app.broken
    return source


@settings(
    max_examples=600 if FULL else 14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not FULL,
)
@given(
    phase=st.sampled_from(sorted(PHASES)),
    screen=st.sampled_from(sorted(SCREENS)),
    keys=st.lists(st.sampled_from(KEYS), min_size=5, max_size=120 if FULL else 30),
)
def test_nothing_that_may_hurt_is_carried_out_but_by_its_dialog(
    phase: str, screen: str, keys: list[str]
) -> None:
    asyncio.run(press(phase, screen, keys))


def test_every_way_to_act_has_a_key_in_the_test() -> None:
    assert {spec.key for spec in COMMANDS if spec.key} <= set(KEYS)


async def test_a_dialog_carries_out_what_it_names() -> None:
    """The witness itself: what is confirmed in a dialog is carried out, and is no finding."""
    source = await press("opened", "dashboard", ["h", *"lunch", "enter"])
    assert [name for name, _, _ in source.given] == ["launch.hold"]
