"""What the view knows of the watch after a release: sources, stop conditions, the bake, alerts."""

from __future__ import annotations

from dataclasses import dataclass

from state.base.codec import left_out
from state.base.numbers import beyond
from state.base.times import SECOND_US
from state.events.declared import ConditionDeclared
from state.view.enums import BakeState, ConditionState

UNTRUSTED = "the monitors can't be trusted"
"""How the reason of a condition begins that would be OK, were its Prometheus not in doubt."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source that the engine observes: ``kubernetes/production``, ``prometheus/production``."""

    name: str
    ok: bool
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True)
class ConditionView(ConditionDeclared):
    """A stop condition and its newest state."""

    state: ConditionState = ConditionState.WARMUP
    value: float | None = None
    elapsed_s: int = 0
    reason: str = ""
    since_us: int = 0
    """When the breach began, or when the state was entered."""
    evaluated_us: int = 0
    judged_us: int = left_out(default=0)
    """Until when its samples were seen and judged, where that is not until now."""
    tripped_us: int = 0
    acknowledged_by: str = ""
    active: bool = False
    """Whether it is evaluated: from the release on."""
    acknowledged_us: int = 0
    """When its newest trip was acknowledged: what was before no longer counts."""
    muted_until_us: int = 0
    muted_by: str = ""
    muted_why: str = ""
    rolls_back_us: int = 0
    """When its trip rolls production back, unless somebody holds; 0 where no countdown runs."""
    disarmed: str = ""
    """Why its trip doesn't roll back by itself, where it would have."""
    release: int = 0
    """The sequence number of the deploy that it is judged for; 0 before the first one."""
    answered: bool = False
    """Whether the engine has done what the runbook asks for after this trip, or this blindness."""

    def beyond(self, value: float) -> bool:
        """Return whether a value is beyond its threshold."""
        return beyond(value, self.threshold, below=self.below)

    @property
    def warns(self) -> bool:
        """Whether it is beyond its ``warn`` level, which is shown and has no power."""
        return (
            self.warn is not None
            and self.value is not None
            and beyond(self.value, self.warn, below=self.below)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TripView:
    """A trip: what tripped, and on which release. It stays known when its condition is armed anew."""

    seq: int
    condition: str
    title: str
    env: str
    release: int
    """The sequence number of the deploy that it belongs to; 0 where none is known."""
    at_us: int
    acknowledged_by: str = ""
    acknowledged_us: int = 0


@dataclass(frozen=True, slots=True)
class BakeView:
    """The watch after the production release: only seconds seen good count."""

    started_us: int
    minimum_s: int
    good_s: int = 0
    state: BakeState = BakeState.RUNNING
    why: str = ""
    """Why it stands still, where it does."""
    updated_us: int = 0
    maximum_s: int = 0
    """After this long a captain is asked to extend or to finish; 0: never."""
    extended_s: int = 0
    alerts: tuple[str, ...] = ()
    """The alerts that fired before its release was intended and ever since: only others are news."""
    restarts: tuple[tuple[int, str], ...] = ()
    """Restarts and kills of production's pods since it began: when, and in words."""

    @property
    def under_way(self) -> bool:
        """Whether it isn't over: it counts, or stands still."""
        return self.state in {BakeState.RUNNING, BakeState.STOPPED}

    def overdue(self, now_us: int) -> bool:
        """Return whether its maximum passed without the minimum seen good."""
        longest = (self.maximum_s + self.extended_s) * SECOND_US
        return bool(self.maximum_s) and now_us - self.started_us >= longest
