"""``python -m tests.picture LOG MOMENT FILE``: a picture of a replayed launch, as the README shows it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from console.client.sources import FileSource
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode

SIZE = (132, 42)


async def draw(log: Path, moment: str) -> str:
    """Replay a log to a moment and return what the dashboard shows, as SVG."""
    app = LaunchApp(FileSource(log, replay=True, speed=1.0, at=moment), Mode.REPLAY)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(1.0)
        return app.export_screenshot(title="launch-console replay")


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(asyncio.run(draw(Path(sys.argv[1]), sys.argv[2])))
