"""The transport bar of a replay: where it stands, both clocks, and the moments worth jumping to."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, row
from screens.kit.plot import merged
from screens.kit.screen_state import ScreenState, Transport

_BAD = ("NO-GO", "TRIPPED", "failed", "scrub", "aborted", "unknown")


def transport(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the bar: ``REPLAY ▶ ×10 20:14:07Z T+0:14:07 ━━━━●╌╌│╌╌ 123/4567``; no line outside of a replay."""
    how = shown.transport
    if how is None:
        return []
    sign = "▶" if how.playing else "■"
    end = " end" if how.seq >= how.last_seq else ""
    left = row(
        Span(f" REPLAY {sign} ×{how.speed:g}{end} ", Role.MARKED),
        " ",
        Span(f"{formats.date(shown.now_us)} {formats.clock(shown.now_us)}", Role.STRONG),
        " ",
        Span(formats.offset(shown.now_us, how.first_us), Role.ACCENT),
        " ",
    )
    if how.skipped_s:
        left = (*left, Span(f"skipped {formats.span(how.skipped_s)} ", Role.WARN))
    right = Span(f" {how.seq}/{how.last_seq}", Role.DIM)
    room = width - sum(len(s.text) for s in left) - len(right.text)
    return [crop((*left, *ruler(how, shown.now_us, room), right), width)]


def ruler(how: Transport, now_us: int, width: int) -> Line:
    """Return the line from the first to the last event, with the moments worth jumping to on it."""
    if width < 3:
        return ()
    length = max(1, how.last_us - how.first_us)
    here = min(width - 1, max(0, (now_us - how.first_us) * (width - 1) // length))
    cells = [("━", Role.ACCENT) if x < here else ("╌", Role.DIM) for x in range(width)]
    for mark in how.marks:
        x = (mark.at_us - how.first_us) * (width - 1) // length
        if 0 <= x < width:
            cells[x] = ("╋", Role.BAD if any(w in mark.label for w in _BAD) else Role.STRONG)
    cells[here] = ("●", Role.KEY)
    return merged(cells)
