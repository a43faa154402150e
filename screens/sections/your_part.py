"""Before the first operation: who you are in this launch, what you may do, and what is missing."""

from __future__ import annotations

from screens.kit.plain import Line, Role, Span, cut, heading, row
from screens.kit.screen_state import Mode, ScreenState
from state.view.people import NO_SECOND, SECOND_FIX, seconds_of, standing


def has_part(shown: ScreenState) -> bool:
    """Return whether there is something to say: to whoever sits at a live console, before the first operation."""
    return bool(shown.mode is Mode.LIVE and shown.account and shown.view.people and not shown.view.operations)


def your_part(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return who somebody is and may do, then each thing that is missing with its fix, then where to go on."""
    view = shown.view
    you = standing(view, shown.account)
    may = Role.GOOD if you.acts else Role.WARN if you.known else Role.BAD
    lines = [
        heading("YOU IN THIS LAUNCH", width),
        row(Span(cut(you.who, width), Role.STRONG)),
        row(Span(cut(you.may, width), may)),
    ]
    wanted = missing(shown)
    for what, fix in wanted:
        lines.append(row(Span(cut(f"✖ {what}", width), Role.BAD)))
        lines += [row(Span(cut(f"  {fix}", width), Role.DIM))] if len(lines) + len(wanted) < height else []
    if not wanted:
        lines.append(row(Span(cut("helm, contexts and secrets are here", width), Role.DIM)))
    if len(lines) > height:
        more = len(lines) - height + 1
        lines[height - 1 :] = [row(Span(cut(f"✖ {more} more: launch-console doctor", width), Role.BAD))]
    return lines[:height]


def missing(shown: ScreenState) -> list[tuple[str, str]]:
    """Return (what, fix) of everything that is missing: a role first, then what the engine's machine lacks."""
    view, you = shown.view, standing(shown.view, shown.account)
    found = [] if you.known else [("a role of yours", you.fix)]
    if not view.scope.single_operator and not seconds_of(view, shown.account):
        found.append((NO_SECOND, SECOND_FIX))
    return [*found, *((one.what, one.fix) for one in view.lacks)]
