"""An app on a story: the source answers as an engine would, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.client.engine_client import AttachError
from console.client.sources import Changed
from console.ui.app import LaunchApp
from console.ui.keys.keymap import EVERYWHERE
from screens.base import LaunchScreen
from screens.kit.lines import LineView
from screens.kit.pane import Pane
from screens.kit.screen_state import Mode, ScreenState
from screens.kit.table import Table
from state.base.json import JsonObject
from state.commands import BY_NAME, Confirmation, Reply
from state.events.event import Event
from state.view.enums import Danger, Tier
from state.view.preview import Preview
from tests.screens.story import Story

_LEADS = {"home": "dashboard", "gate(3)": "gate"}
SCREENS = {
    _LEADS.get(action) or action.removeprefix("open('").removesuffix("')"): key
    for key, action, _ in EVERYWHERE
    if action in _LEADS or action.startswith("open(")
}
"""Every screen with the key that opens it: stories that look at all screens go through it, a new one among them."""


class StorySource:
    """A source whose events a test tells."""

    def __init__(self, story: Story, *, mode: Mode = Mode.LIVE) -> None:
        self.story = story
        self.mode = mode
        self.lost = ""
        self.gone = ""
        """Why the engine gives no preview."""
        self.account = "ann"
        self.given: list[tuple[str, JsonObject, Confirmation | None]] = []
        self.previews: dict[str, Preview] = {}
        self.replies: dict[str, Reply] = {}
        self.changed: Changed = lambda: None
        self._view = story.view()

    async def open(self, changed: Changed) -> None:
        self.changed = changed

    async def close(self) -> None:
        return

    def tell(self) -> None:
        """Let the screens see what the story has become."""
        self._view = self.story.view()
        self.changed()

    def shown(self) -> ScreenState:
        return ScreenState(
            self._view,
            self.story.now_us,
            self.mode,
            lost=self.lost,
            me="c1",
            account=self.account,
            adjustable=True,
        )

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        return self.story.events[after : after + limit]

    async def preview(self, name: str, args: JsonObject) -> Preview:
        if self.gone:
            raise AttachError(self.gone)
        spec = BY_NAME[name]
        return self.previews.get(name) or Preview(name, spec.title, spec.danger, allowed=True, token="t")

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        self.given.append((name, args, given))
        return self.replies.get(name) or Reply(ok=True, message=f"{name} taken")


class NotingSource(StorySource):
    """Writes every command that is given as a line of a file, before it answers; an operation wants its phrase."""

    def __init__(self, story: Story, notes: Path) -> None:
        super().__init__(story)
        self._notes = notes
        self.previews["operation.run"] = Preview(
            "operation.run",
            "Change what production runs",
            Danger.DANGER,
            allowed=True,
            environment="PRODUCTION (rehearsal)",
            tier=Tier.PRODUCTION,
            commands=("helm upgrade --install dotmac deploy/helm/dotmac-platform",),
            phrase="dotmac-production",
            token="t-1",
        )

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        with self._notes.open("a") as notes:
            notes.write(f"{name}\n")
        return await super().command(name, args, given)


def app_of(story: Story, *, mode: Mode = Mode.LIVE, log: Path | None = None) -> tuple[LaunchApp, StorySource]:
    """Return an app on a story, and its source; ``log`` is the file of its launch."""
    source = StorySource(story, mode=mode)
    return LaunchApp(source, mode, log=log), source


def text_of(app: LaunchApp) -> str:
    """Return what the front screen shows, section by section, as plain text."""
    front = next(s for s in reversed(app.screen_stack) if isinstance(s, LaunchScreen))
    parts = [w.text for w in front.query("*") if isinstance(w, Pane | Table | LineView) and w.display]
    return "\n".join(parts)


def picture(app: LaunchApp) -> list[str]:
    """Return the rows of cells that the terminal would show."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return [strip.text for strip in strips[:height]] if width else []
