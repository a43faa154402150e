"""The line below the header: what comes next, and the key that does it."""

from __future__ import annotations

from screens.kit.plain import Line, Role, Span, cut, fill, row
from screens.kit.screen_state import Mode, ScreenState
from state.view.ending import ending, is_over
from state.view.enums import LaunchState
from state.view.own_step import own_step


def next_line(shown: ScreenState, width: int, key: str) -> list[Line]:
    """Return what comes next in a launch for who sits here; nothing in a replay, or where nothing does."""
    if ended := ending(shown.view):
        role = Role.GOOD if shown.view.state is LaunchState.CLOSED else Role.WARN
        keys = f"{key}: report, verify  q: quit " if shown.mode is not Mode.REPLAY else ""
        left = row(Span(f" ■ {cut(ended, width - len(keys) - 4)}", role))
        return [fill(left, row(Span(keys, Role.KEY)), width)]
    step = own_step(shown.view, shown.now_us, shown.account, shown.me) if shows(shown) else None
    if step is None:
        return []
    if step.waits or shown.mode is not Mode.LIVE:
        return [row(Span(" NOW  ", Role.HEAD), Span(cut(step.words, width - 7)))]
    room = width - 6 - len(key) - 3
    return [
        fill(
            row(Span(" NEXT ", Role.HEAD), Span(cut(step.words, room), Role.STRONG)),
            row(Span(f"{key} ", Role.KEY)),
            width,
        )
    ]


def shows(shown: ScreenState) -> bool:
    """Return whether there is such a line."""
    return shown.mode is not Mode.REPLAY and not shown.lost


def takes_room(shown: ScreenState) -> bool:
    """Return whether the line stands below the header: always where a launch goes on, else once it has ended."""
    return shown.mode is not Mode.REPLAY or is_over(shown.view)
