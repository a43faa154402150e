"""A bracketed paste is text until its end, whatever it holds: no escape in it becomes a key.

Textual's parser ends a paste at an escape inside it and obeys what follows as keys. Terminals that filter escapes out
of pastes are not all there are (tmux 3.3a does not).
"""

from __future__ import annotations

import re

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
LONGEST = 1 << 20
"""Characters of a paste; what is beyond them is left out."""
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class PasteGate:
    """Lets what is typed through, and each paste whole, once its end is there, without control characters."""

    def __init__(self) -> None:
        self._before = ""
        """The end of what was let through: a beginning may come in two reads."""
        self._held: str | None = None

    @property
    def pasting(self) -> bool:
        """Whether a paste has begun and not ended."""
        return self._held is not None

    def feed(self, typed: str) -> str:
        """Return what the parser may have now."""
        let: list[str] = []
        while typed:
            typed = self._outside(typed, let) if self._held is None else self._inside(typed, let)
        return "".join(let)

    def give_up(self) -> str:
        """Return a paste whose end doesn't come, ended here."""
        return self.feed(_END) if self.pasting else ""

    def _outside(self, typed: str, let: list[str]) -> str:
        both = self._before + typed
        at = both.find(_BEGIN)
        if at < 0:
            self._before = both[-(len(_BEGIN) - 1) :]
            let.append(typed)
            return ""
        end = at + len(_BEGIN) - len(self._before)
        let.append(typed[:end])
        self._before, self._held = "", ""
        return typed[end:]

    def _inside(self, typed: str, let: list[str]) -> str:
        held = (self._held or "") + typed
        text, ended, rest = held.partition(_END)
        if not ended:
            # Its last characters may be the beginning of the end.
            self._held = held if len(held) <= LONGEST else held[: LONGEST - 8] + held[-8:]
            return ""
        self._held = None
        let += [_NO_TEXT.sub("", text.replace(_BEGIN, "")), _END]
        return rest
