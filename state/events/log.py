"""Events of the log itself: its opening and end, its anchors, and what went wrong with it."""

from __future__ import annotations

from state.events.event import Body, event, left_out


@event("log.opened", kw_only=True)
class LogOpened(Body):
    """Event 1: which log this is and who made it."""

    app: str
    log_id: str
    schema_sha256: str
    sqlite: str
    version: str = left_out(default="")


@event("log.closed")
class LogClosed(Body):
    """The launch is over and its engine ended in good order."""

    head: str
    """The anchor of the event before."""


@event("log.anchored")
class LogAnchored(Body):
    """The head was kept outside the log."""

    head: str
    sinks: tuple[str, ...]
    occasion: str
    failed: tuple[str, ...]
    """Where it could not be kept, and why."""


@event("log.doubted")
class LogDoubted(Body):
    """The log isn't what was seen of it before, or an event of long ago is damaged."""

    reason: str
    anchor: str


@event("log.redacted", kw_only=True)
class LogRedacted(Body):
    """The body of an event was taken out."""

    reason: str
    seq: int
    how_known: str = left_out(default="")
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@event("log.write_failed")
class LogWriteFailed(Body):
    """A write failed, and worked later."""

    reason: str
    error: str


@event("log.recovered")
class LogRecovered(Body):
    """The log could not be written for a while, and can again."""

    reason: str
    since_us: int


@event("clock.jumped")
class ClockJumped(Body):
    """The wall clock was set, or the machine slept."""

    jump_us: int
    expected_wall_us: int
    slept_us: int = left_out(default=0)


@event("clock.rate")
class ClockRate(Body):
    """How fast a rehearsal's clock runs."""

    rate: float


@event("note.added")
class NoteAdded(Body):
    """Words of a person or of the engine."""

    text: str
