"""What a report tells of operations and of the watch after them: commands, stop conditions, bakes, curves."""

from __future__ import annotations

from dataclasses import dataclass

from state.events.operations import GoodRevision
from state.view.enums import BakeState, ConditionState, OperationState, Severity, StepState

Point = tuple[int, float | None]
"""A moment and its value; None is a gap and stays one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideFacts:
    """Which locks were overridden, why and with whom."""

    reason: str
    second: str
    over: tuple[str, ...]
    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """A step of an operation entered a state."""

    name: str
    state: StepState
    detail: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """A run of an operation."""

    seq: int
    id: str
    kind: str
    env: str
    title: str
    actor: str
    state: OperationState
    from_what: str
    to_what: str
    intended_us: int
    started_us: int
    finished_us: int
    timeout_s: int
    commands: tuple[str, ...]
    steps: tuple[StepFacts, ...]
    output: tuple[str, ...]
    """The newest lines that it printed."""
    verdict: str
    revision: int
    diff_sha: str
    """Of what it was to change, as the preview showed it."""
    inputs_sha: str
    """Of what it read."""
    parts: tuple[tuple[str, str], ...]
    """(what, fingerprint) of that which it is made of."""
    good: GoodRevision | None
    """The revision to come back to, recorded before."""
    override: OverrideFacts | None
    abort_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionChange:
    """A stop condition entered another state."""

    seq: int
    at_us: int
    state: ConditionState
    value: float | None
    elapsed_s: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDeed:
    """Something that was done about a stop condition: acknowledged, muted, counted down, answered."""

    seq: int
    at_us: int
    by: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFacts:
    """A stop condition: its rule, its course, its worst."""

    id: str
    title: str
    env: str
    unit: str
    threshold: float
    below: bool
    for_s: int
    on_trip: str
    shadow: bool
    query: str
    state: ConditionState
    value: float | None
    evaluated_us: int
    tripped_us: int
    """When its newest trip was that is still latched; 0 where none is."""
    acknowledged_by: str
    worst: float | None
    """The value that was worst while it was evaluated, and when."""
    worst_us: int
    longest_breach_s: int
    """How long it was beyond its threshold in one go; a near miss where it didn't trip."""
    near_miss: bool
    trips: int
    blind_s: int
    """For how long it was evaluated and could not be judged."""
    history: tuple[ConditionChange, ...]
    deeds: tuple[ConditionDeed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A trip, and the rollback that answered it."""

    trip: int
    condition: str
    tripped_us: int
    rollback: int
    """The rollback's ``operation.intended``; 0: none followed."""
    verified_us: int
    """When what ran was verified; 0: it wasn't."""
    seconds: int | None
    """From the trip to that; None where it wasn't verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """The bake was made longer."""

    seq: int
    at_us: int
    by: str
    minutes: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeFacts:
    """A bake."""

    seq: int
    started_us: int
    ended_us: int
    minimum_s: int
    good_s: int
    state: BakeState
    why: str
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """A time in which something could not be seen."""

    seq: int
    what: str
    reason: str
    from_us: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a graph, over the whole launch."""

    id: str
    label: str
    points: tuple[Point, ...]
    lowest: float | None
    highest: float | None
    highest_us: int
    last: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment that is marked on the graphs."""

    seq: int
    at_us: int
    label: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A graph."""

    id: str
    title: str
    env: str
    unit: str
    threshold: float | None
    below: bool
    lines: tuple[Line, ...]
