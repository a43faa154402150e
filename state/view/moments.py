"""The moments of a launch that are worth jumping to, and the words by which they are found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class MomentKind(StrEnum):
    """What happened at a moment; the later in this list, the less it is covered by another at the same place."""

    NOTE = "note"
    SIGN_OFF = "sign-off"
    GATE = "gate"
    OPERATION = "operation"
    HOLD = "hold"
    TAKE_OVER = "take-over"
    FAILURE = "failure"
    """A check that failed."""
    BREACH = "breach"
    TRIP = "trip"
    LAUNCH = "launch"
    """Opened, closed or scrubbed."""


WEIGHT = {kind: n for n, kind in enumerate(MomentKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened at one event, in words, with all that it can be found by."""

    seq: int
    at_us: int
    kind: MomentKind
    words: str
    gate: int = 0
    item: str = ""
    actor: str = ""
    bad: bool = False
    """Whether something failed, was refused or went beyond a threshold."""

    def is_called(self, words: str) -> bool:
        """Return whether words in lower case mean this.

        ``hold`` and every other kind, ``failure`` (whatever went wrong), ``gate 6`` (its changes), ``in gate 6`` (all
        of it), ``3.2``, ``by ann``, or a part of its words.
        """
        if words == "failure":
            return self.bad
        if words in _EVERY:
            return words == self.kind
        numbered = _NUMBERED.fullmatch(words)
        if numbered is not None and numbered["item"]:
            return self.item == numbered["item"]
        if numbered is not None:
            return str(self.gate) == numbered["gate"] and (
                self.kind is MomentKind.GATE or bool(numbered["any"])
            )
        who = _BY.fullmatch(words)
        if who is not None:
            return self.actor.lower() == who["actor"]
        label = self.words.lower()
        end = label.find(words) + len(words)
        # ``gate 1`` is no part of ``gate 10``.
        return words in label and not (words[-1:].isdigit() and label[end : end + 1].isdigit())


_EVERY = frozenset(MomentKind)
_NUMBERED = re.compile(r"(?P<any>in )?gate (?P<gate>\d+)|(?:item )?(?P<item>\d+\.\d+)")
_BY = re.compile(r"(?:by|actor) (?P<actor>.+)")
