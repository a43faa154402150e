"""Events that say what the runbook declares: environments, gates, stop conditions, graphs, operations, stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.events.event import Body, event, left_out
from state.view.enums import After, Look, Need


@event("environment.declared")
class EnvironmentDeclared(Body):
    """Staging or production. ``title`` is shown on every screen."""

    tier: str
    title: str
    namespace: str
    release: str
    context: str
    hosts: tuple[tuple[str, str], ...] = ()
    """(word, host) of the domains that customers use, the main one first."""
    api: str = left_out(default="")
    """In logs of version 1.0, which had no ``hosts``."""
    admin: str = left_out(default="")


@dataclass(frozen=True, slots=True)
class Check:
    """An automatic check of an item."""

    id: str
    """``3.2/0``: the item and the check's place in it; of a stage ``build/0``."""
    kind: str
    env: str
    ttl_s: int
    writes: bool
    look: Look = field(default=Look.ONCE, metadata=OMIT)
    after: tuple[After, ...] = field(default=(), metadata=OMIT)
    """What makes its evidence out of date when it ends in the same environment."""


@dataclass(frozen=True, slots=True)
class WordRule:
    """What a GO on an item takes beside a person who may attest."""

    needs: tuple[Need, ...] = field(default=(), metadata=OMIT)
    role: str = field(default="", metadata=OMIT)
    """The role that who signs must have; nothing: any that attests."""
    people: int = field(default=1, metadata=OMIT)
    """How many different people's GO must stand."""
    excluded: tuple[str, ...] = field(default=(), metadata=OMIT)
    """Who may not sign: ``ran production.migrate``, ``signed 3.2``."""


NO_RULE = WordRule()


@dataclass(frozen=True, slots=True)
class Item:
    """One SOP line."""

    id: str
    text: str
    question: str | None
    """What a person is asked, or None where the checks judge it all."""
    checks: tuple[Check, ...] = ()
    rule: WordRule = field(default=NO_RULE, metadata=OMIT)
    not_applicable: str = field(default="", metadata=OMIT)
    """Why the runbook says that it doesn't apply to this launch; nothing: it does."""
    owner: str = field(default="", metadata=OMIT)
    due_s: int = field(default=0, metadata=OMIT)
    """How long before the launch window it is to be done, in seconds; 0: no time is set."""
    links: tuple[str, ...] = field(default=(), metadata=OMIT)


@event("gate.declared")
class GateDeclared(Body):
    """A gate with its items."""

    number: int
    title: str
    items: tuple[Item, ...]


@event("condition.declared")
class ConditionDeclared(Body):
    """A stop condition of the runbook."""

    id: str
    title: str
    env: str
    unit: str
    threshold: float
    for_s: int
    on_trip: str
    query: str
    shadow: bool = left_out(default=False)
    """Whether it is shown without having power."""
    below: bool = left_out(default=False)
    """Whether the threshold is a lower bound."""
    warn: float | None = left_out(default=None)
    """A level before the threshold, without power."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a graph."""

    id: str
    label: str


@event("graph.declared")
class GraphDeclared(Body):
    """A graph: its lines, and the condition whose threshold is drawn."""

    id: str
    title: str
    env: str
    unit: str
    condition: str | None
    series: tuple[Series, ...]


@event("operation.declared")
class OperationDeclared(Body):
    """An operation that the runbook offers."""

    id: str
    kind: str
    env: str
    title: str
    gate: int
    gates: tuple[int, ...]
    items: tuple[str, ...]
    stages: tuple[str, ...] = left_out(default=())
    """Stages of the pipeline that must be good before it, by their ids."""
    role: str = left_out(default="")
    """The role that who runs it must have; nothing: any that may drive."""


@event("stage.declared")
class StageDeclared(Body):
    """A stage of the pipeline; ``parts`` name items (``item:6.7``), operations (``operation:…``) and its checks."""

    id: str
    title: str
    steps: tuple[str, ...]
    parts: tuple[str, ...]
    checks: tuple[Check, ...] = left_out(default=())
    """Its own checks; a part names one by its id, ``check:build/0``."""
