"""Events of operations: what they are for, intent, start, steps, output, abort, end."""

from __future__ import annotations

from dataclasses import dataclass

from state.events.event import Body, event, left_out
from state.view.enums import OperationState, StepState


@dataclass(frozen=True, slots=True)
class GoodRevision:
    """The revision to come back to, recorded before anything else."""

    number: int
    status: str
    manifest_sha: str
    images: tuple[tuple[str, str], ...]
    """(container, digest that ran)."""

    @property
    def by_container(self) -> dict[str, str]:
        """The digest of each container; none of a name that containers of several images have."""
        names = [name for name, _ in self.images]
        return {name: digest for name, digest in self.images if names.count(name) == 1}


@dataclass(frozen=True, slots=True)
class Override:
    """Why locks were overridden, with whom, and which."""

    reason: str
    second: str
    """Who agreed, and how they are known; ``(self-declared)`` where an older version took a typed name."""
    over: tuple[str, ...]
    request: int = left_out(default=0)
    """The ``request.made`` that was granted, and is used up by this."""


@event("candidate.seen")
class CandidateSeen(Body):
    """Which parts of the candidate were seen in an environment."""

    env: str
    parts: tuple[tuple[str, str], ...]
    """(what, fingerprint)."""


@event("operation.intended", kw_only=True)
class OperationIntended(Body):
    """Durable before the first side effect: what is about to run."""

    id: str
    kind: str
    env: str
    title: str
    commands: tuple[str, ...]
    """The exact command lines."""
    from_: str
    to: str
    timeout_s: int
    good: GoodRevision | None
    diff_sha: str
    parts: tuple[tuple[str, str], ...]
    """As in ``candidate.seen``."""
    before: int
    """The number of the newest revision; 0 where there is none."""
    override: Override | None = left_out(default=None)
    inputs_sha: str = left_out(default="")
    """Of what it reads: a deploy's private copy of chart and values, a migration's job. 64 hexadecimal digits."""


@event("operation.started")
class OperationStarted(Body):
    """The program runs."""

    id: str
    pid: int
    """0 where there is none: a migration's job."""
    start_time: str
    """The kernel's start time of the process, or the name of the job."""
    folder: str = left_out(default="")


@event("operation.step")
class OperationStep(Body):
    """How far it is."""

    id: str
    name: str
    state: StepState
    detail: str


@event("operation.output")
class OperationOutput(Body):
    """What it printed, without secrets."""

    id: str
    stream: str
    lines: tuple[str, ...]


@event("operation.aborted")
class OperationAborted(Body):
    """Somebody asked it to stop."""

    id: str
    reason: str


@event("operation.finished", kw_only=True)
class OperationFinished(Body):
    """How it ended, judged by the live objects."""

    id: str
    state: OperationState
    verdict: str
    revision: int
    offers: tuple[str, ...]


@event("operation.unknown")
class OperationUnknown(Body):
    """Its engine died: what was found of it afterwards."""

    id: str
    verdict: str
    revision: int
    offers: tuple[str, ...]
