"""Events of the launch: what it is, how it is held and ends, who is attached."""

from __future__ import annotations

from dataclasses import dataclass

from state.events.event import Body, event, left_out


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is being launched. ``images`` are (container, reference by digest)."""

    version: str = ""
    commit: str = ""
    chart: str = ""
    images: tuple[tuple[str, str], ...] = ()
    migration_head: str = ""
    backward_compatible: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a part in the launch."""

    id: str
    name: str
    roles: tuple[str, ...]
    accounts: tuple[str, ...]
    signing_keys: tuple[str, ...] = ()
    """SSH public keys: ``ssh-ed25519 AAAA…``."""


@event("launch.opened", kw_only=True)
class LaunchOpened(Body):
    """What is launched, by whom, in which window."""

    launch_id: str
    title: str
    window_start_us: int
    window_end_us: int
    modules: tuple[str, ...]
    regions: tuple[str, ...]
    runbook_digest: str
    people: tuple[Person, ...]
    candidate: Candidate
    single_operator: bool = left_out(default=False)
    """Whether the runbook says that one person is enough for what takes two."""


@event("launch.held")
class LaunchHeld(Body):
    """The clock is stopped."""

    reason: str


@event("launch.released")
class LaunchReleased(Body):
    """It goes on."""

    reason: str


@event("launch.scrubbed")
class LaunchScrubbed(Body):
    """The launch is given up."""

    reason: str


@event("launch.closed")
class LaunchClosed(Body):
    """The launch is done."""


@event("deviation.followed_up")
class DeviationFollowedUp(Body):
    """Somebody sees to a deviation: who, and what is done about it."""

    deviation: int
    """The number of the event that is the deviation."""
    owner: str
    text: str
    link: str


@event("runbook.changed")
class RunbookChanged(Body):
    """The launch goes on with another runbook than before."""

    digest: str
    before: str
    diff: tuple[str, ...]
    gone: tuple[str, ...]
    """What the runbook has no more: ``condition latency-p95``."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a launch needs and the engine's machine hasn't: what, and what to do. Never a secret."""

    what: str
    fix: str


@event("engine.started")
class EngineStarted(Body):
    """An engine has the log."""

    pid: int
    resumed: bool
    version: str
    account: str
    lacks: tuple[Lack, ...] = left_out(default=())
    """What it found missing on its machine as it started: helm, contexts, sources of secrets."""


@event("engine.stopped")
class EngineStopped(Body):
    """It ended when it was told to."""

    reason: str


@event("console.opened")
class ConsoleOpened(Body):
    """Somebody attached."""

    id: str
    tty: str
    drives: bool
    how_known: str


@event("console.closed")
class ConsoleClosed(Body):
    """And left."""

    id: str
    reason: str


@event("console.took_over")
class ConsoleTookOver(Body):
    """Another console drives now, and why."""

    id: str
    reason: str


@event("command.refused")
class CommandRefused(Body):
    """A command that was not carried out."""

    command: str
    reason: str
