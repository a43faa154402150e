"""A program for tests: a whole console on a story, in a real terminal, as ``run_live`` would show it."""

from __future__ import annotations

import sys

from console.ui import run
from screens.kit.screen_state import Mode


def main(which: str) -> int:
    """Show a story by its name; ``crash`` makes a mistake as soon as ``c`` is typed."""

    def show() -> int:
        from tests.screens import story
        from tests.screens.stage import StorySource

        return run._show(StorySource(getattr(story, which)()), Mode.LIVE, None)

    return run._guarded(show)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
