"""Events of what needs a second person: it waits as a request, and somebody else answers it from their account."""

from __future__ import annotations

from state.events.event import Body, event, left_out


@event("request.made", kw_only=True)
class RequestMade(Body):
    """Somebody wants to do what takes two people: exactly this command, as it was shown."""

    command: str
    args: tuple[tuple[str, str], ...]
    """(parameter, value), in the order of the command's parameters."""
    title: str
    environment: str
    from_: str
    to: str
    commands: tuple[str, ...]
    """The exact command lines that were shown."""
    over: tuple[str, ...]
    """What stands against it, a line each: a grant covers these and no others."""
    reason: str
    shown: str
    """The digest of what was shown: a changed candidate, target or command line voids it."""
    until_us: int
    how_known: str
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@event("request.granted")
class RequestGranted(Body):
    """Another person agrees: the request may be carried out once, until its time is over. ``ref`` is the request."""

    how_known: str
    """How the person is known: ``socket peer uid 1001 (eve)``, ``rehearsal``, a key's fingerprint."""
    comment: str = left_out(default="")
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@event("request.refused")
class RequestRefused(Body):
    """Another person doesn't agree, or no longer. ``ref`` is the request."""

    how_known: str
    reason: str
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@event("request.withdrawn")
class RequestWithdrawn(Body):
    """It isn't wanted any more. ``ref`` is the request."""

    reason: str
