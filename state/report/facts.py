"""What a report tells, as facts: one frozen structure, of which Markdown, HTML and JSON are renderings.

It is computed from the log's events alone. Every fact that an event brought names that event, ``seq``; times are
microseconds since 1970, UTC, 0 where there is none; texts are as the log has them, cleaned where they are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from state.events.launch import Candidate, Person
from state.report.item_facts import GateChange, GateFacts, ItemFacts, Recycling, StageFacts, Waiver
from state.report.run_facts import BakeFacts, Blindness, ConditionFacts, Curve, Mark, OperationFacts, WayBack
from state.view.enums import LaunchState, RequestState, Severity
from state.view.launch import DeviationView, IngressView, PodView
from state.view.polls import PollView
from state.view.requests import RequestView


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment of the timeline: what a person did, or what was decided."""

    seq: int
    at_us: int
    kind: str
    actor: str
    words: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A time for which the clock was stopped."""

    seq: int
    at_us: int
    by: str
    reason: str
    ended_us: int
    """0: it lasted to the end of the log."""
    ended: str
    """How, in words."""
    length_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """Another console began to drive."""

    seq: int
    at_us: int
    by: str
    console: str
    before: str
    """The account that drove until then; nothing: none did."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words of a person or of the engine."""

    seq: int
    at_us: int
    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who acted in the launch, and how they are known."""

    account: str
    people: tuple[str, ...]
    """The people of the runbook whose account it is, by name."""
    roles: tuple[str, ...]
    how_known: tuple[str, ...]
    events: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFacts:
    """A console that was attached."""

    seq: int
    id: str
    account: str
    how_known: str
    tty: str
    drove: bool
    opened_us: int
    closed_us: int
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """An engine that had the log."""

    seq: int
    account: str
    version: str
    pid: int
    resumed: bool
    started_us: int
    stopped_us: int
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookChange:
    """The launch went on with another runbook."""

    seq: int
    at_us: int
    by: str
    digest: str
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """The head was kept outside the log."""

    seq: int
    at_us: int
    head: str
    sinks: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the head proves, and what it doesn't."""

    head: str
    events: int
    unanchored: int
    """Newest events that no anchor or signature covers."""
    signed: int
    self_declared: int
    keys: tuple[tuple[str, int], ...]
    """(``ann SHA256:…``, how many words it signs)."""
    closed: bool
    """Whether the end of the launch is written."""
    doubt: str
    unknown_kinds: int
    unknown_words: tuple[tuple[str, int], ...]
    strange_fields: tuple[tuple[str, int], ...]
    proves: tuple[str, ...]
    proves_not: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLine:
    """One of the five lines on top."""

    about: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the launch was opened with."""

    launch_id: str
    title: str
    opened_us: int
    ended_us: int
    """When it was closed or scrubbed; else the newest event."""
    window_start_us: int
    window_end_us: int
    modules: tuple[str, ...]
    regions: tuple[str, ...]
    environments: tuple[tuple[str, str], ...]
    """(tier, title)."""
    runbook_digest: str
    single_operator: bool
    candidate: Candidate
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchReport:
    """A launch, as its log tells it."""

    log_id: str
    state: LaunchState
    at_us: int
    """Of the newest event: what depends on the present is told as of then."""
    scope: Scope
    summary: tuple[SummaryLine, ...]
    """Five lines: outcome, who, how long, bake, deviations."""
    way_back: tuple[WayBack, ...]
    timeline: tuple[Moment, ...]
    gates: tuple[GateFacts, ...]
    gate_changes: tuple[GateChange, ...]
    recyclings: tuple[Recycling, ...]
    elsewhere: ItemFacts
    """What was said of items that no gate has at the end."""
    stages: tuple[StageFacts, ...]
    holds: tuple[Hold, ...]
    held_s: int
    take_overs: tuple[TakeOver, ...]
    notes: tuple[Note, ...]
    waivers: tuple[Waiver, ...]
    requests: tuple[RequestView, ...]
    request_states: tuple[tuple[int, RequestState], ...]
    """(request, how it stood at the end of the log)."""
    polls: tuple[PollView, ...]
    operations: tuple[OperationFacts, ...]
    conditions: tuple[ConditionFacts, ...]
    bakes: tuple[BakeFacts, ...]
    blindness: tuple[Blindness, ...]
    blind_s: int
    """Seconds in which at least one stop condition with power was evaluated and could not be judged."""
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    pods: tuple[PodView, ...]
    """As they were at the end of the log."""
    ingresses: tuple[IngressView, ...]
    deviations: tuple[DeviationView, ...]
    runbook_changes: tuple[RunbookChange, ...]
    accounts: tuple[Account, ...]
    consoles: tuple[ConsoleFacts, ...]
    engines: tuple[EngineFacts, ...]
    anchored: tuple[Anchored, ...]
    proof: Proof
