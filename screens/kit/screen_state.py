"""What a screen shows at one moment: the launch's view, the clock, and where both come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from state.view.launch import LaunchView
from state.view.moments import Moment


class Mode(StrEnum):
    """Where the events come from."""

    LIVE = "live"
    FOLLOW = "follow"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Transport:
    """How a replay stands."""

    playing: bool
    speed: float
    seq: int
    last_seq: int
    first_us: int
    last_us: int
    skipped_s: int = 0
    """How many seconds of idle time the newest skip left out."""
    moments: tuple[Moment, ...] = ()
    """The weightiest moments of the recording, the weightiest last."""
    here: Moment | None = None
    """The one that it stands on."""
    pointer: str = ""
    """What names this moment to others: ``lc1:<log>:<seq>``."""
    proof: str = ""
    """What was verified of the log, and how far something else than its file speaks for it."""
    now: LaunchView | None = None
    """Of a launch that goes on and is looked back in: what it is at now."""
    reading: bool = False
    """Whether the log is still being read."""


@dataclass(frozen=True, slots=True)
class ScreenState:
    """One moment of a launch, as a console sees it."""

    view: LaunchView = field(default_factory=LaunchView)
    now_us: int = 0
    mode: Mode = Mode.LIVE
    lost: str = ""
    """Why the source gives nothing any more, or nothing."""
    trouble: str = ""
    """Why the engine can't write its log at the moment, or nothing."""
    broken: str = ""
    """What went wrong in this console itself, and where that is written, or nothing."""
    doubt: str = ""
    """How the log contradicts what this account saw of it before, or nothing."""
    me: str = ""
    """The id under which the engine lists this console."""
    account: str = ""
    transport: Transport | None = None
    adjustable: bool = False
    """Whether the clock can be made to run faster."""
    ascii_only: bool = False
    """Whether the terminal lacks the glyphs of a graph."""
    labels: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Keys that somebody gave to actions, by screen (nothing: everywhere) and usual key."""
    note: str = ""
    """What the reader of a file says of it: that it is cut, or damaged from an event on."""
