"""Keys that come first in the bottom line, because something waits for them."""

from __future__ import annotations

from screens.kit.screen_state import Mode, ScreenState
from state.view.ending import is_over
from state.view.enums import ConditionState, Tier
from state.view.first_launch import way_out
from state.view.requests import open_requests
from state.view.rollbacks import unanswered


def urgent_keys(shown: ScreenState) -> list[tuple[str, str]]:
    """Return the keys that answer what is urgent now, with their words, the most urgent first."""
    view = shown.view
    if shown.mode is not Mode.LIVE or is_over(view):
        return []
    keys: list[tuple[str, str]] = []
    if shown.lost:
        keys.append(("S", "start an engine"))
    tripped = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
    todo = unanswered(view, tripped)
    if any(c.env == Tier.PRODUCTION for c in todo):
        keys.append(("B", "uninstall" if way_out(view) is not None else "roll back"))
    if tripped:
        keys.append(("A", "acknowledge"))
    if view.running() is not None:
        keys.append(("x", "abort"))
    if view.hold is not None:
        keys.append(("h", "release"))
    if open_requests(view.requests, shown.now_us):
        keys.append(("G", "requests"))
    return keys
