"""Requests: what takes two people waits here until somebody else has answered it.

A request names exactly what is wanted, a grant is worth one run of it, and both end with its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.view.enums import RequestState

Args = tuple[tuple[str, str], ...]
"""(parameter, value), in the order of the command's parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request, from its ``request.made`` on."""

    seq: int
    """The sequence number of its ``request.made``: its name everywhere."""
    by: str
    """The account that wants it."""
    how_known: str
    at_us: int
    until_us: int
    command: str
    args: Args
    title: str
    environment: str
    from_what: str
    to_what: str
    commands: tuple[str, ...]
    over: tuple[str, ...]
    """What stands against it, a line each."""
    reason: str
    shown: str
    """The digest of what was shown."""
    state: RequestState = RequestState.WAITING
    answered_by: str = ""
    answered_known: str = ""
    """How whoever answered it is known."""
    answered_us: int = 0
    comment: str = ""
    key: str = field(default="", metadata=OMIT)
    """The fingerprint of the SSH key that signed it; nothing where nobody did."""
    answered_key: str = field(default="", metadata=OMIT)

    def at(self, now_us: int) -> RequestState:
        """Return its state at a moment: one that was neither refused nor used ends with its time."""
        return RequestState.EXPIRED if self.state.open and now_us >= self.until_us else self.state

    def same(self, by: str, command: str, args: Args) -> bool:
        """Return whether it is the request of an account for a command with these arguments."""
        return (self.by, self.command, self.args) == (by, command, args)

    def covers(self, shown: str, against: Iterable[str]) -> bool:
        """Return whether it is for what is shown now, and nothing more stands against that than was told."""
        return self.shown == shown and set(against) <= set(self.over)

    @property
    def granted_by(self) -> str:
        """Who granted it, and how they are known: ``eve (socket peer uid 1001 (eve))``."""
        return f"{self.answered_by} ({self.answered_known})"


def open_requests(requests: Sequence[RequestView], now_us: int) -> list[RequestView]:
    """Return the requests that wait for an answer, or for being carried out; the oldest first."""
    return [one for one in requests if one.at(now_us).open]


def newest_open(
    requests: Sequence[RequestView], now_us: int, by: str, command: str, args: Args
) -> RequestView | None:
    """Return the newest open request of an account for a command with these arguments, or None."""
    mine = (one for one in reversed(open_requests(requests, now_us)) if one.same(by, command, args))
    return next(mine, None)
