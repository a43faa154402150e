"""The transport bar of a replay: where it stands, both clocks, the moments worth jumping to, and what they are."""

from __future__ import annotations

from rich.cells import cell_len

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, crop, fit, row
from screens.kit.plot import merged
from screens.kit.screen_state import ScreenState, Transport
from screens.sections.status_line import STANDING
from state.view.moments import Moment, MomentKind
from state.view.trips import standing

TALL = 28
"""From how many lines on the legend and the words of the moment have a line each."""
_SIGNS: dict[MomentKind, tuple[str, str, str]] = {
    MomentKind.GATE: ("╋", "+", ""),
    MomentKind.FAILURE: ("!", "!", "F"),
    MomentKind.SIGN_OFF: ("✓", "s", ""),
    MomentKind.OPERATION: ("◆", "o", "x"),
    MomentKind.BREACH: ("▲", "^", "B"),
    MomentKind.TRIP: ("✖", "X", "B"),
    MomentKind.HOLD: ("‖", "H", "h"),
    MomentKind.TAKE_OVER: ("⇄", "T", "t"),
    MomentKind.NOTE: ("✎", "n", "c"),
    MomentKind.LAUNCH: ("┃", "|", ""),
}
"""The sign of each kind, the same where a terminal lacks it, and the key that goes to the next one."""


def transport_height(shown: ScreenState, lines: int) -> int:
    """Return how many lines the bar has on a screen of so many lines; 0 outside of a replay."""
    if shown.transport is None:
        return 0
    return 3 if lines >= TALL else 2


def transport(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the bar: ``REPLAY ▶ ×10 20:14:07Z T+0:14:07 ━━━━●╌╌│╌╌ 123/4567``; no line outside of a replay.

    Below it what the signs mean, and the words of the moment; in one line, the words once it is paused on one.
    """
    how = shown.transport
    if how is None:
        return []
    below = [legend(shown, how, width), here(how, width)]
    if height == 2:
        below = [below[0] if how.playing else below[1]]
    return [_bar(shown, how, width), *below]


def _bar(shown: ScreenState, how: Transport, width: int) -> Line:
    end = " end" if how.seq >= how.last_seq and not how.reading else ""
    what = f"REPLAY {'▶' if how.playing else '■'} ×{how.speed:g}{end}" if how.now is None else "PAST"
    left = row(
        Span(f" {what} ", Role.MARKED),
        " ",
        Span(f"{formats.date(shown.now_us)} {formats.clock(shown.now_us)}", Role.STRONG),
        " ",
        Span(formats.offset(shown.now_us, how.first_us), Role.ACCENT),
        " ",
    )
    if how.skipped_s:
        left = (*left, Span(f"skipped {formats.span(how.skipped_s)} ", Role.WARN))
    right = Span(f" {how.seq}/{how.last_seq}{' reading' if how.reading else ''}", Role.DIM)
    live: Line = ()
    if how.now is not None:
        live = (Span("  now ", Role.DIM), STANDING[standing(how.now)], Span("  esc ", Role.KEY))
    room = width - sum(len(s.text) for s in (*left, right, *live))
    return crop((*left, *ruler(how, shown.now_us, room, ascii_only=shown.ascii_only), right, *live), width)


def ruler(how: Transport, now_us: int, width: int, *, ascii_only: bool = False) -> Line:
    """Return the line from the first to the last event, with the moments worth jumping to on it."""
    if width < 3:
        return ()
    length = max(1, how.last_us - how.first_us)
    here = min(width - 1, max(0, (now_us - how.first_us) * (width - 1) // length))
    cells = [("━", Role.ACCENT) if x < here else ("╌", Role.DIM) for x in range(width)]
    for one in how.moments:
        x = (one.at_us - how.first_us) * (width - 1) // length
        if 0 <= x < width:
            cells[x] = (_SIGNS[one.kind][ascii_only], _role(one))
    cells[here] = ("●", Role.KEY)
    return merged(cells)


def legend(shown: ScreenState, how: Transport, width: int) -> Line:
    """Return what the signs on the line mean, each kind that there is, with the key that goes to its next one."""
    parts: list[Span] = [Span(" ")]
    there = {one.kind for one in how.moments}
    for kind, (*signs, key) in _SIGNS.items():
        if kind in there:
            parts += [Span(f"{signs[shown.ascii_only]} ", Role.STRONG)]
            parts += [Span(f"{key} ", Role.KEY)] if key and how.now is None else []
            parts += [Span(f"{kind}  ", Role.DIM)]
    return crop(tuple(parts), width)


def here(how: Transport, width: int) -> Line:
    """Return the words of the moment that it stands on, what names it to others, and what was verified.

    Where there is no room for all of it, the words have it.
    """
    said = how.here.words if how.here is not None else ""
    right: list[Span] = []
    for parts in (
        (Span(f"  {how.pointer} ", Role.ACCENT),),
        (Span("y ", Role.KEY), Span("copies ", Role.DIM)),
        (Span(f" {how.proof} ", Role.DIM),),
    ):
        if cell_len(said) + sum(len(one.text) for one in (*right, *parts)) + 1 > width:
            break
        right += parts
    room = width - 1 - sum(len(one.text) for one in right)
    role = _role(how.here) if how.here is not None else Role.DIM
    return crop((Span(" "), Span(fit(said, room), role), *right), width)


def _role(one: Moment) -> Role:
    return Role.BAD if one.bad else Role.STRONG
