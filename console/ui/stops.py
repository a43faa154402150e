"""Leading somebody through the screens, one stop after another, until they leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from screens.dialogs.tour import STOPS, TourDialog


async def lead(
    show: Callable[[str], None],
    ask: Callable[[TourDialog], Awaitable[bool | None]],
    labels: Mapping[tuple[str, str], str],
) -> None:
    """Open each place by ``show`` and say by ``ask`` what it is; the dashboard is shown at the end, or when left."""
    for number, stop in enumerate(STOPS):
        show(stop.screen)
        if not await ask(TourDialog(number, labels)):
            break
    show("dashboard")
