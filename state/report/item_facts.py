"""What a report tells of gates, items and stages: who judged them, by what, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from state.base.json import JsonObject
from state.view.enums import GateStatus, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check said, once."""

    seq: int
    at_us: int
    item: str
    check: str
    kind: str
    """The kind of check; nothing where the log declares no check of that name."""
    env: str
    verdict: Verdict
    summary: str
    evidence: JsonObject
    ways: tuple[str, ...]
    """What to change, a line each, where it is no pass."""
    ms: int
    """How long its kind says that it took, in milliseconds."""
    began_us: int
    """When it began, as the log has it; 0: it doesn't say."""
    newest: bool
    """Whether no later one of the check replaced it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A person's word on an item."""

    seq: int
    at_us: int
    item: str
    actor: str
    how_known: str
    key: str
    """The fingerprint of the SSH key that signed it; nothing: not signed."""
    go: bool
    comment: str
    link: str
    cautions: tuple[str, ...]
    evidence: tuple[int, ...]
    """The check results that the person saw, as sequence numbers."""
    standing: str
    """``stands``, ``stale: …``, or ``replaced or withdrawn later``, at the end of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A word that was taken back."""

    seq: int
    at_us: int
    item: str
    actor: str
    how_known: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An item that two people let pass until a moment."""

    seq: int
    at_us: int
    item: str
    actor: str
    second: str
    reason: str
    until_us: int
    request: int
    expired: bool
    """Whether its time was over at the end of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChange:
    """A gate's status as it was recorded."""

    seq: int
    at_us: int
    gate: int
    before: GateStatus
    after: GateStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycling:
    """The launch went back to a gate."""

    seq: int
    at_us: int
    gate: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """An item with everything that was said of it, the oldest first."""

    id: str
    text: str
    question: str
    """What a person is asked; nothing where the checks judge it all."""
    owner: str
    links: tuple[str, ...]
    not_applicable: str
    verdict: Verdict
    """At the end of the log."""
    results: tuple[Result, ...]
    words: tuple[SignOff, ...]
    withdrawals: tuple[Withdrawal, ...]
    waived_until_us: int
    """Of the newest waiver; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """A gate with its items."""

    number: int
    title: str
    recorded: GateStatus | None
    """The newest status in the log, and since when."""
    recorded_us: int
    at_end: GateStatus
    used_us: int
    """When a promotion used it; 0: none did."""
    items: tuple[ItemFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """What a stage stands on."""

    name: str
    title: str
    verdict: Verdict
    at_us: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """A stage of the pipeline."""

    id: str
    title: str
    verdict: Verdict
    parts: tuple[PartFacts, ...]
