"""A handful of pictures for a reviewer's eye; everything else is asserted as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
from textual.pilot import Pilot

from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode, Shown, Transport
from tests.screens import story
from tests.screens.stage import StorySource, app_of


class ReplaySource(StorySource):
    """A story, shown as a replay that stands at its end."""

    def shown(self) -> Shown:
        live = super().shown()
        how = Transport(
            playing=False,
            speed=10,
            seq=285,
            last_seq=315,
            first_us=story.START_US,
            last_us=self.story.now_us + 600_000_000,
            marks=live.view.marks,
        )
        return Shown(live.view, live.now_us, Mode.REPLAY, transport=how)


class Snap(Protocol):
    """The fixture of pytest-textual-snapshot."""

    def __call__(
        self,
        app: LaunchApp,
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[int]], Awaitable[None]],
    ) -> bool: ...


def compare(app: LaunchApp, keys: list[str], size: tuple[int, int], snap: Snap) -> bool:
    async def before(pilot: Pilot[int]) -> None:
        await pilot.pause(0.1)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.15)

    return snap(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize(
    ("which", "keys", "size"),
    [
        ("tripped", [], (80, 24)),
        ("tripped", [], (120, 40)),
        ("ready", ["3", "down"], (80, 24)),
        ("deploying", ["d"], (80, 24)),
        ("tripped", ["b"], (120, 40)),
    ],
    ids=["dashboard-80", "dashboard-120", "gate", "deploy", "bake"],
)
def test_pictures(which: str, keys: list[str], size: tuple[int, int], snap_compare: Snap) -> None:
    app, _ = app_of(getattr(story, which)())
    assert compare(app, keys, size, snap_compare)


def test_picture_of_a_replay(snap_compare: Snap) -> None:
    app = LaunchApp(ReplaySource(story.tripped()), Mode.REPLAY)
    assert compare(app, [], (80, 24), snap_compare)
