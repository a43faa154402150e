"""Checks, items and gates as a screen knows them, and what they add up to.

What depends on the present (freshness, waivers that end) is a method that takes ``now_us``, microseconds
since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from state.base.codec import OMIT
from state.base.times import SECOND_US
from state.events.declared import NO_RULE, Check, StageDeclared, WordRule
from state.events.event import left_out
from state.view.enums import GateStatus, Look, Verdict


@dataclass(frozen=True, slots=True)
class CheckView(Check):
    """One automatic check of an item and its newest result."""

    verdict: Verdict = Verdict.PENDING
    summary: str = ""
    since: str = ""
    """What happened since that makes the evidence stale, as ``staging.migrate ran``; or nothing."""
    since_seq: int = 0
    """The event that says so: what was begun before it is stale as well."""
    due: bool = False
    """Of a second look: whether the candidate was promoted, so that it counts."""
    evidence: str = ""
    """What it saw, as canonical JSON: shown, never computed with."""
    ways: tuple[str, ...] = field(default=(), metadata=OMIT)
    """What to change, a line each, where it is no pass."""
    started_us: int = 0
    finished_us: int = 0
    actor: str = ""
    seq: int = 0

    def at(self, now_us: int) -> Verdict:
        """Return the verdict at a moment: evidence older than its time to live is stale."""
        judged = self.verdict in {Verdict.PASS, Verdict.FAIL}
        if self.since and (judged or self.verdict in {Verdict.UNKNOWN, Verdict.DEFERRED}):
            return Verdict.STALE
        if judged and self.finished_us and now_us - self.finished_us > self.ttl_s * SECOND_US:
            return Verdict.STALE
        return self.verdict

    @property
    def counts(self) -> bool:
        """Whether its item's verdict asks for it: a second look counts once the candidate was promoted."""
        return self.look is not Look.LIVE or self.due


@dataclass(frozen=True, slots=True)
class AttestationView:
    """A person's word on an item."""

    seq: int
    actor: str
    how_known: str
    """How the person is known: ``socket peer uid 1000``, ``rehearsal``, a key's fingerprint."""
    go: bool
    comment: str
    link: str
    at_us: int
    evidence: tuple[int, ...] = ()
    """The check results that the person saw, as sequence numbers."""
    seen: tuple[tuple[str, Verdict], ...] = field(default=(), metadata=OMIT)
    """What each check of the item said when the word was given, by the check's id."""
    changed: str = field(default="", metadata=OMIT)
    """What changed since in what the word is about; nothing where nothing did."""
    blind: tuple[str, ...] = field(default=(), metadata=OMIT)
    """The checks that were judged then and could not be since, by their ids."""
    key: str = field(default="", metadata=OMIT)
    """The fingerprint of the SSH key that signed it; nothing where nobody did."""

    @property
    def stale(self) -> str:
        """Why the word doesn't stand any more, in words; nothing where it does."""
        if self.changed or not self.blind:
            return self.changed
        return f"{', '.join(self.blind)} can't be judged any more"


@dataclass(frozen=True, slots=True)
class WaiverView:
    """An item that a named person let pass, until a moment."""

    seq: int
    actor: str
    reason: str
    second: str
    at_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class ItemView:
    """One SOP line."""

    id: str
    text: str
    question: str | None
    """What a person is asked, or None where the checks judge it all."""
    checks: tuple[CheckView, ...] = ()
    attestation: AttestationView | None = None
    """The newest word."""
    waiver: WaiverView | None = None
    used_us: int = 0
    """When a promotion used what was judged here; 0 before. Since then it doesn't grow old."""
    others: tuple[AttestationView, ...] = field(default=(), metadata=OMIT)
    """The words of other people that stand beside the newest, where more than one is asked for."""
    rule: WordRule = field(default=NO_RULE, metadata=OMIT)
    not_applicable: str = field(default="", metadata=OMIT)
    """Why the runbook says that it doesn't apply to this launch; nothing: it does."""
    owner: str = field(default="", metadata=OMIT)
    due_s: int = field(default=0, metadata=OMIT)
    """How long before the launch window it is to be done, in seconds; 0: no time is set."""
    links: tuple[str, ...] = field(default=(), metadata=OMIT)

    @property
    def words(self) -> tuple[AttestationView, ...]:
        """Every word that people gave and that counts, the newest last."""
        return self.others if self.attestation is None else (*self.others, self.attestation)

    @property
    def signed(self) -> int:
        """How many people's GO stands."""
        return sum(word.go and not word.stale for word in self.words)

    def verdict(self, now_us: int) -> Verdict:
        """Return what the item's checks and its attestation add up to."""
        if self.not_applicable:
            return Verdict.FAIL if any(not word.go for word in self.words) else Verdict.PASS
        at_us = self._moment(now_us)
        if self.waiver is not None and at_us < self.waiver.until_us:
            return Verdict.WAIVED
        seen = self._seen(at_us)
        if self.question is not None:
            seen.append(self.attested())
        elif any(not word.go for word in self.words):
            seen.append(Verdict.FAIL)
        return _worst(seen)

    def attested(self) -> Verdict:
        """Return what people's words add up to. An objection stands until it is withdrawn or answered."""
        if any(not word.go for word in self.words):
            return Verdict.FAIL
        if self.signed >= self.rule.people:
            return Verdict.PASS
        return Verdict.STALE if any(word.stale for word in self.words) else Verdict.PENDING

    def overdue(self, start_us: int, now_us: int) -> bool:
        """Return whether it is still open after it was due; ``start_us`` is when the launch window opens."""
        due_us = self.due_us(start_us)
        return bool(due_us) and now_us >= due_us and self.verdict(now_us) not in {*PASSES, Verdict.DEFERRED}

    def due_us(self, start_us: int) -> int:
        """Return when it is to be done; 0 where no time is set."""
        return start_us - self.due_s * SECOND_US if self.due_s and start_us else 0

    def checks_verdict(self, now_us: int) -> Verdict:
        """Return what the automatic checks alone add up to; PENDING where there are none."""
        return _worst(self._seen(self._moment(now_us)))

    def look(self, look: Look, now_us: int) -> Verdict | None:
        """Return what the checks of one look add up to; None where the item has none."""
        seen = [check.at(self._moment(now_us)) for check in self.checks if check.look is look]
        return _worst(seen) if seen else None

    def deferred(self, now_us: int) -> int:
        """Return how many of its checks wait for a first deploy."""
        return sum(
            check.at(self._moment(now_us)) is Verdict.DEFERRED for check in self.checks if check.counts
        )

    def _moment(self, now_us: int) -> int:
        return min(now_us, self.used_us) if self.used_us else now_us

    def _seen(self, at_us: int) -> list[Verdict]:
        return [check.at(at_us) for check in self.checks if check.counts]


_WORST_FIRST = (
    *(Verdict.FAIL, Verdict.UNKNOWN, Verdict.RUNNING, Verdict.STALE, Verdict.PENDING),
    Verdict.DEFERRED,
)
PASSES = frozenset({Verdict.PASS, Verdict.WAIVED})
"""What an item that keeps its gate from nothing is."""


def _worst(seen: Sequence[Verdict]) -> Verdict:
    passed = Verdict.PASS if seen else Verdict.PENDING
    return next((worst for worst in _WORST_FIRST if worst in seen), passed)


def worst_first(checks: Iterable[CheckView], now_us: int) -> list[CheckView]:
    """Return checks with what somebody has to look at before what passed; else in the runbook's order.

    A second look that doesn't count yet comes last.
    """

    def rank(check: CheckView) -> int:
        verdict = check.at(now_us)
        if not check.counts:
            return len(_WORST_FIRST) + 1
        return _WORST_FIRST.index(verdict) if verdict in _WORST_FIRST else len(_WORST_FIRST)

    return sorted(checks, key=rank)


def failing_live(gates: Iterable[GateView], now_us: int) -> tuple[CheckView, ...]:
    """Return the checks by whose second look the candidate fails in production; waived items are left out."""
    return tuple(
        check
        for gate in gates
        for item in gate.items
        if item.verdict(now_us) is Verdict.FAIL
        for check in item.checks
        if check.look is Look.LIVE and check.due and check.verdict is Verdict.FAIL
    )


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate: what must be GO before what comes after it."""

    number: int
    title: str
    items: tuple[ItemView, ...] = ()
    owed: tuple[str, ...] = field(default=(), metadata=OMIT)
    """Of the gate of a first deploy: the ids of the checks that it deferred and that haven't passed since."""

    def status(self, now_us: int) -> GateStatus:
        """Return GO, NO-GO, BLIND, DEFERRED or OPEN. Computed, never set."""
        verdicts = [item.verdict(now_us) for item in self.items]
        if Verdict.FAIL in verdicts:
            return GateStatus.NO_GO
        if Verdict.UNKNOWN in verdicts:
            return GateStatus.BLIND
        if verdicts and all(v in PASSES for v in verdicts):
            return GateStatus.OPEN if self.owed else GateStatus.GO
        if verdicts and all(v in PASSES or v is Verdict.DEFERRED for v in verdicts):
            return GateStatus.DEFERRED
        return GateStatus.OPEN

    def deferred(self, now_us: int) -> int:
        """Return how many of its checks wait for a first deploy."""
        return sum(item.deferred(now_us) for item in self.items)

    @property
    def used_us(self) -> int:
        """When a promotion used what was judged here; 0 before, or where it isn't a gate that it asked for."""
        return max((item.used_us for item in self.items), default=0)

    def item(self, item_id: str) -> ItemView | None:
        """Return an item by its number, or None."""
        return next((item for item in self.items if item.id == item_id), None)


PROBLEMS = frozenset({Verdict.FAIL, Verdict.UNKNOWN, Verdict.STALE})
"""Verdicts that somebody has to look into: a pending item only waits for its turn."""


def next_problem(gates: Iterable[GateView], item: str, now_us: int, by: int = 1) -> str | None:
    """Return the next item after ``item`` that is a problem, through all gates and round again; before it, for -1."""
    every = [one for gate in gates for one in gate.items]
    here = next((n for n, one in enumerate(every) if one.id == item), -1 if by > 0 else 0)
    around = (every[(here + by * step) % len(every)] for step in range(1, len(every) + 1))
    return next(
        (one.id for one in around if not one.not_applicable and one.verdict(now_us) in PROBLEMS), None
    )


@dataclass(frozen=True, slots=True)
class StageView(StageDeclared):
    """A stage of the pipeline, and the newest results of its own checks (state/view/stages.py judges it)."""

    checks: tuple[CheckView, ...] = left_out(default=())
    used_us: int = left_out(default=0)
    """When a promotion used what was judged here; 0 before. Since then its own checks don't grow old."""
