"""A program for tests: a console on a story, whose source writes every command that is given into a file."""

from __future__ import annotations

import sys
from pathlib import Path

from console.ui import run
from screens.kit.screen_state import Mode
from state.base.json import JsonObject
from state.commands import Confirmation, Reply
from state.view.enums import Danger, Tier
from state.view.preview import Preview
from tests.screens import story
from tests.screens.stage import StorySource

ASKED = Preview(
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
"""What is shown of an operation: the phrase is what a person has to type."""


class Noting(StorySource):
    """A source that notes what it is told, before it answers."""

    def __init__(self, told: story.Story, notes: Path) -> None:
        super().__init__(told)
        self._notes = notes
        self.previews[ASKED.name] = ASKED

    async def command(self, name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        with self._notes.open("a") as notes:
            notes.write(f"{name}\n")
        return await super().command(name, args, given)


def main(which: str, notes: str) -> int:
    """Show a story by its name."""
    return run._guarded(lambda: run._show(Noting(getattr(story, which)(), Path(notes)), Mode.LIVE, None))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
