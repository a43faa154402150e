"""The newest events in words."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, cut, heading, row
from screens.kit.screen_state import ScreenState
from state.view.launch import LogLine


def tail(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the newest events in words, the newest last."""
    lines = [heading("LOG", width, Span(formats.plural(shown.view.seq, "event"), Role.DIM))]
    return lines + [log_line(one, width) for one in shown.view.tail[-max(0, height - 1) :]]


def log_line(one: LogLine, width: int) -> Line:
    """Return an event in a line: time, who, what."""
    actor = "" if one.actor == "engine" else f"{cut(one.actor, 12)}: "
    return crop(
        row(
            Span(formats.clock(one.wall_us)[:8] + " ", Role.DIM),
            Span(actor, Role.ACCENT),
            Span(cut(one.words or one.kind, width), formats.SEVERITY[one.severity]),
        ),
        width,
    )
