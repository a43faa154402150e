"""The terminal's bell and title when a stop condition trips: for a captain who looks elsewhere."""

from __future__ import annotations

from screens.kit.screen_state import Mode, ScreenState
from state.base.text import line
from state.view.enums import ConditionState

_BELL = "\x07"
# The terminal keeps the old title on a stack: reading it back is disabled in many.
SAVE_TITLE, RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"


class Attention:
    """Says what must be written to the terminal so that a trip is noticed. A replay rings no bell."""

    def __init__(self) -> None:
        self._tripped: frozenset[tuple[str, int]] = frozenset()
        self._title = ""

    def notice(self, shown: ScreenState) -> str:
        """Return the bell where a trip is new, and the title where it changed; nothing otherwise."""
        view = shown.view
        if shown.mode is Mode.REPLAY or not view.scope.launch_id:
            return ""
        there = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
        # By its time too: the trip of the next release is another one.
        tripped = frozenset((c.id, c.tripped_us) for c in there)
        news, self._tripped = tripped - self._tripped, tripped
        name = line(view.scope.title, 60)
        title = f"TRIPPED {', '.join(sorted(c.id for c in there))} - {name}" if there else name
        message = _BELL if news else ""
        if title != self._title:
            first, self._title = not self._title, title
            message += f"{SAVE_TITLE if first else ''}\x1b]2;{title}\x07"
        return message

    def end(self) -> str:
        """Return what gives the terminal its own title back."""
        return RESTORE_TITLE if self._title else ""


def deposed_words(before: ScreenState, after: ScreenState) -> str:
    """Return what to tell a console that drove and drives no longer."""
    driver = next((c for c in after.view.consoles if c.drives), None)
    drove = any(c.drives and c.id == before.me for c in before.view.consoles)
    if not drove or driver is None or driver.id == after.me:
        return ""
    return f"{driver.account} took over (console {driver.id}): this console watches now. t: take over again"
