"""A go/no-go poll as it stands, from its ``poll.opened`` on."""

from __future__ import annotations

from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.view.enums import GateStatus, PollState


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """A person's seat, and what they said; ``answer`` None: nothing yet."""

    person: str
    """Their id in the runbook."""
    answer: GateStatus | None = None
    actor: str = ""
    how_known: str = ""
    comment: str = ""
    key: str = field(default="", metadata=OMIT)
    """The fingerprint of the SSH key that signed it; nothing where nobody did."""
    at_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollView:
    """A poll: what is asked, who answers in which order, and until when."""

    seq: int
    """The sequence number of its ``poll.opened``: its name everywhere."""
    by: str
    at_us: int
    until_us: int
    about: str
    shown: str
    """The digest of what it is about."""
    seats: tuple[SeatView, ...]
    state: PollState = PollState.OPEN
    reason: str = ""
    ended_us: int = 0

    @property
    def turn(self) -> SeatView | None:
        """The seat that answers next; None: all have."""
        return next((seat for seat in self.seats if seat.answer is None), None)
