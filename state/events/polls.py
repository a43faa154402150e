"""Events of a go/no-go poll: opened, answered by seat, ended with everybody's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.events.event import Body, event, left_out


@event("poll.opened", kw_only=True)
class PollOpened(Body):
    """Everybody is asked whether it is a GO: in this order, from where they sit."""

    about: str
    """What is asked: ``promote v1.4.0``."""
    seats: tuple[str, ...]
    """People by their ids in the runbook, in the order in which they answer; captains last."""
    shown: str
    """The digest of what it is about: candidate, images, chart, values and runbook. Another one voids it."""
    until_us: int
    how_known: str


@event("poll.answered", kw_only=True)
class PollAnswered(Body):
    """A seat's answer. ``ref`` is the poll."""

    seat: str
    go: bool
    comment: str
    how_known: str
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@dataclass(frozen=True, slots=True)
class SeatAnswer:
    """What a seat said in a poll."""

    seat: str
    answer: str
    """GO, NO-GO, or nothing where none came in time."""
    actor: str = field(default="", metadata=OMIT)
    how_known: str = field(default="", metadata=OMIT)
    comment: str = field(default="", metadata=OMIT)


@event("poll.ended", kw_only=True)
class PollEnded(Body):
    """How it ended, with everybody's answer. ``ref`` is the poll."""

    outcome: str
    reason: str
    answers: tuple[SeatAnswer, ...]
