"""Events of the watch after a release: stop conditions and the bake."""

from __future__ import annotations

from state.events.event import Body, event, left_out
from state.view.enums import BakeState, ConditionState


@event("condition.changed", kw_only=True)
class ConditionChanged(Body):
    """A stop condition's state."""

    id: str
    state: ConditionState
    value: float | None
    elapsed_s: int
    since_us: int
    """When the breach began, or when the state was entered."""
    reason: str
    at_us: int
    active: bool
    """Whether it is evaluated: from the release on."""
    judged_us: int = left_out(default=0)
    """Until when its samples were seen and judged, where that is not until now."""
    release: int = left_out(default=0)
    """The sequence number of the deploy's ``operation.intended`` that it is judged for; 0: none yet."""


@event("condition.acknowledged")
class ConditionAcknowledged(Body):
    """A person saw the trip."""

    id: str
    comment: str
    release: int = left_out(default=0)
    """The release that it belongs to, as in ``condition.changed``."""


@event("condition.answered")
class ConditionAnswered(Body):
    """The engine did what the runbook asks for after a trip, or held a blind one: once for each."""

    id: str
    release: int
    how: str


@event("condition.samples")
class ConditionSamples(Body):
    """What conditions were judged by, see ``state.conditions.samples``."""

    at_us: int
    values: str


@event("condition.muted")
class ConditionMuted(Body):
    """It takes no action until ``until_us``."""

    id: str
    reason: str
    until_us: int
    second: str = left_out(default="")
    """Who granted it, and how they are known."""
    request: int = left_out(default=0)
    """The ``request.made`` that was granted, and is used up by this."""


@event("condition.countdown")
class ConditionCountdown(Body):
    """A rollback begins at ``until_us``; 0: it doesn't, and ``reason`` says why."""

    id: str
    until_us: int
    reason: str


@event("bake.started")
class BakeStarted(Body):
    """The bake begins."""

    minimum_s: int
    maximum_s: int


@event("bake.progress")
class BakeProgress(Body):
    """Seconds seen good so far."""

    good_s: int
    state: BakeState
    why: str
    """Why it stands still, where it does."""


@event("bake.extended")
class BakeExtended(Body):
    """It takes longer."""

    minutes: int
    reason: str


@event("bake.finished")
class BakeFinished(Body):
    """Its outcome."""

    good_s: int
    outcome: BakeState
    why: str
