"""A program for tests: a whole console on a story, in a real terminal, as ``run_live`` would show it."""

from __future__ import annotations

import sys
from pathlib import Path

from console.ui import run
from screens.kit.screen_state import Mode


def main(which: str, notes: str = "") -> int:
    """Show a story by its name; every command that is given there becomes a line of the file ``notes``."""

    def show() -> int:
        from tests.screens import story
        from tests.screens.stage import NotingSource, StorySource

        told = getattr(story, which)()
        source = NotingSource(told, Path(notes)) if notes else StorySource(told)
        return run._show(source, Mode.LIVE, None)

    return run._guarded(show)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
