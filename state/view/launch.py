"""The frozen view of a launch: everything that a screen shows, folded from events.

Every value is immutable; equal values mean that nothing changed. Times are microseconds since 1970, UTC.
What depends on the present (freshness, waivers that end) is a method that takes ``now_us``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.base.maps import empty_map
from state.events.declared import EnvironmentDeclared as EnvironmentView
from state.events.declared import GraphDeclared, Series
from state.events.declared import OperationDeclared as OperationSpecView
from state.events.launch import Candidate as CandidateView
from state.events.launch import Lack
from state.events.launch import Person as PersonView
from state.events.operations import GoodRevision
from state.events.world import AlertChanged as AlertView
from state.events.world import ClusterIdentified, IngressChanged, PodChanged, ReleaseSeen
from state.view.enums import GateStatus, LaunchState, OperationKind, OperationState, Severity, StepState, Tier
from state.view.gates import AttestationView, CheckView, GateView, ItemView, StageView, WaiverView
from state.view.polls import PollView
from state.view.requests import RequestView
from state.view.watch import BakeView, ConditionView, SourceView, TripView

__all__ = [
    "AlertView",
    "AttestationView",
    "BakeView",
    "CandidateView",
    "CheckView",
    "ConditionView",
    "ConsoleView",
    "DeviationView",
    "EnvironmentView",
    "GateView",
    "GoodRevision",
    "GraphView",
    "HoldView",
    "IngressView",
    "ItemView",
    "LaunchView",
    "LogLine",
    "MarkView",
    "OperationSpecView",
    "OperationView",
    "PersonView",
    "PodView",
    "RequestView",
    "ScopeView",
    "SeriesView",
    "SourceView",
    "StageView",
    "StepView",
    "TripView",
    "WaiverView",
]


@dataclass(frozen=True, slots=True)
class ScopeView:
    """What the launch was opened with: the launch's title, window, modules and regions."""

    launch_id: str = ""
    title: str = ""
    window_start_us: int = 0
    window_end_us: int = 0
    modules: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    runbook_digest: str = ""
    opened_us: int = 0
    single_operator: bool = field(default=False, metadata=OMIT)
    """Whether one person is enough for what takes two: said in the header, in every preview, and in the report."""


@dataclass(frozen=True, slots=True)
class PodView(PodChanged):
    """A pod, and when its newest event came."""

    changed_us: int = 0


@dataclass(frozen=True, slots=True)
class IngressView(IngressChanged):
    """An ingress, and when its newest event came."""

    changed_us: int = 0


@dataclass(frozen=True, slots=True)
class SeriesView(Series):
    """One line of a graph. A point is (time, value); None is a gap and stays one."""

    points: tuple[tuple[int, float | None], ...] = ()

    @property
    def last(self) -> float | None:
        """The newest value, or None where the newest is a gap or nothing was seen."""
        return self.points[-1][1] if self.points else None


@dataclass(frozen=True, slots=True)
class GraphView(GraphDeclared):
    """A graph, and the samples of its lines."""

    series: tuple[SeriesView, ...] = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of an operation."""

    name: str
    state: StepState
    detail: str
    at_us: int


@dataclass(frozen=True, slots=True)
class OperationView:
    """One run of an operation, from its intent on."""

    seq: int
    """The sequence number of its ``operation.intended``."""
    id: str
    kind: str
    env: str
    title: str
    actor: str
    state: OperationState
    commands: tuple[str, ...]
    """The exact command lines."""
    from_what: str
    to_what: str
    intended_us: int
    timeout_s: int
    good: GoodRevision | None = None
    pid: int = 0
    started_us: int = 0
    finished_us: int = 0
    steps: tuple[StepView, ...] = ()
    output: tuple[str, ...] = ()
    """The newest lines that it printed."""
    verdict: str = ""
    """In words: what history and live objects say."""
    revision: int = 0
    abort_by: str = ""
    offers: tuple[str, ...] = ()
    """What may be done next."""
    images: tuple[tuple[str, str], ...] = ()
    """(container, digest) of the candidate that a deploy is for."""


@dataclass(frozen=True, slots=True)
class HoldView:
    """The clock is stopped by a person or by a condition."""

    by: str
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """A console that is attached to the engine."""

    id: str
    account: str
    tty: str
    since_us: int
    drives: bool


@dataclass(frozen=True, slots=True)
class DeviationView:
    """Anything waived, overridden, blind, late or manual."""

    seq: int
    what: str
    who: str
    at_us: int
    owner: str = field(default="", metadata=OMIT)
    """Who sees to it; nothing: nobody yet."""
    follow_up: str = field(default="", metadata=OMIT)
    """What is done about it."""
    link: str = field(default="", metadata=OMIT)

    @property
    def followed(self) -> bool:
        """Whether it has an owner and a follow-up."""
        return bool(self.owner and self.follow_up)


@dataclass(frozen=True, slots=True)
class MarkView:
    """A moment worth marking on a graph and jumping to in a replay."""

    seq: int
    at_us: int
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """An event in words."""

    seq: int
    wall_us: int
    kind: str
    gate: str | None
    actor: str
    words: str
    severity: Severity = Severity.PLAIN


@dataclass(frozen=True, slots=True)
class LaunchView:
    """Everything that is known of a launch after ``seq`` events."""

    seq: int = 0
    head: str = ""
    """The anchor of the newest event: ``lc1:…``."""
    log_id: str = ""
    wall_us: int = 0
    state: LaunchState = LaunchState.RUNNING
    scope: ScopeView = field(default_factory=ScopeView)
    candidate: CandidateView = field(default_factory=CandidateView)
    people: tuple[PersonView, ...] = ()
    environments: tuple[EnvironmentView, ...] = ()
    gates: tuple[GateView, ...] = ()
    statuses: Mapping[int, GateStatus] = field(default_factory=empty_map)
    """The newest recorded status of each gate."""
    decided_us: Mapping[int, int] = field(default_factory=empty_map)
    """When that was recorded."""
    pods: Mapping[str, PodView] = field(default_factory=empty_map)
    """By ``env/name``."""
    ingresses: Mapping[str, IngressView] = field(default_factory=empty_map)
    """By ``env/name``."""
    sources: Mapping[str, SourceView] = field(default_factory=empty_map)
    releases: Mapping[str, ReleaseSeen] = field(default_factory=empty_map, metadata=OMIT)
    """What helm's history says of the release of an environment, by its tier."""
    clusters: Mapping[str, ClusterIdentified] = field(default_factory=empty_map, metadata=OMIT)
    """Which cluster an environment is on, by its tier: as it was first seen in this launch."""
    alerts: Mapping[str, AlertView] = field(default_factory=empty_map)
    """By ``env/fingerprint``."""
    judged_us: int = 0
    """The newest time of which the samples of conditions are recorded."""
    graphs: tuple[GraphView, ...] = ()
    conditions: tuple[ConditionView, ...] = ()
    trips: tuple[TripView, ...] = ()
    """Every trip of the launch, the oldest first."""
    requests: tuple[RequestView, ...] = ()
    """What was requested of a second person, the oldest first."""
    polls: tuple[PollView, ...] = field(default=(), metadata=OMIT)
    """Go/no-go polls, the oldest first."""
    signed: Mapping[str, int] = field(default_factory=empty_map, metadata=OMIT)
    """By key: the number of the newest event that it signed. A statement with an older head was made before that."""
    operation_specs: tuple[OperationSpecView, ...] = ()
    operations: tuple[OperationView, ...] = ()
    bake: BakeView | None = None
    hold: HoldView | None = None
    consoles: tuple[ConsoleView, ...] = ()
    engine: str = ""
    """The session of the engine that runs, or nothing."""
    lacks: tuple[Lack, ...] = field(default=(), metadata=OMIT)
    """What the engine that runs found missing on its machine."""
    parts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=empty_map, metadata=OMIT)
    """By environment, what was seen last of that which a deploy is made of: (what, fingerprint)."""
    deviations: tuple[DeviationView, ...] = ()
    stages: tuple[StageView, ...] = ()
    recycled_us: Mapping[int, int] = field(default_factory=empty_map)
    """By gate: when what it had was last declared out of date, by going back to it or to one before it."""
    marks: tuple[MarkView, ...] = ()
    tail: tuple[LogLine, ...] = ()
    """The newest events in words, without samples."""
    doubt: str = ""
    """How the log contradicts what an account had seen of it before, or nothing."""
    clock_rate: float = 1.0
    unknown_kinds: int = 0
    """Events of kinds that this version doesn't know."""
    unknown_words: Mapping[str, int] = field(default_factory=empty_map)
    """Words of bodies that this version doesn't know, and how often: ``verdict=splendid``."""
    strange_fields: Mapping[str, int] = field(default_factory=empty_map)
    """Fields of bodies that were missing or of another type, and how often: ``pod.changed ready``."""

    def gate(self, number: int) -> GateView | None:
        """Return a gate by its number, or None."""
        return next((gate for gate in self.gates if gate.number == number), None)

    def item(self, item_id: str) -> ItemView | None:
        """Return an item by its number, or None."""
        return next((item for gate in self.gates for item in gate.items if item.id == item_id), None)

    def condition(self, condition_id: str) -> ConditionView | None:
        """Return a stop condition by its id, or None."""
        return next((c for c in self.conditions if c.id == condition_id), None)

    def environment(self, tier: str) -> EnvironmentView | None:
        """Return an environment by its tier, or None."""
        return next((e for e in self.environments if e.tier == tier), None)

    @property
    def production(self) -> EnvironmentView | None:
        """The environment that a launch ends in, or None before it is declared."""
        return self.environment(Tier.PRODUCTION)

    def running(self) -> OperationView | None:
        """Return the operation that is under way, or None."""
        return next((o for o in reversed(self.operations) if not o.state.ended), None)

    def offering(self) -> OperationView | None:
        """Return the newest operation that offers a next step which no later one has taken up, or None.

        What changes a release, deploy and rollback, takes up what such a one in the same environment left; a
        migration takes up a migration's.
        """
        done: set[tuple[str, bool]] = set()
        for operation in reversed(self.operations):
            matter = (operation.env, operation.kind in {OperationKind.MIGRATE, OperationKind.STOP_JOB})
            if operation.offers and matter not in done:
                return operation
            done.add(matter)
        return None

    def operation(self, seq: int) -> OperationView | None:
        """Return the run of an operation by the sequence number of its intent, or None."""
        return next((o for o in reversed(self.operations) if o.seq == seq), None)

    def request(self, seq: int) -> RequestView | None:
        """Return a request by the sequence number of its ``request.made``, or None."""
        return next((one for one in self.requests if one.seq == seq), None)

    def poll(self, seq: int) -> PollView | None:
        """Return a poll by the sequence number of its ``poll.opened``, or None."""
        return next((one for one in self.polls if one.seq == seq), None)

    def last_operation(self, operation_id: str) -> OperationView | None:
        """Return the newest run of an operation, or None."""
        return next((o for o in reversed(self.operations) if o.id == operation_id), None)
