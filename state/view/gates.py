"""Checks, items and gates as a screen knows them, and what they add up to.

What depends on the present (freshness, waivers that end) is a method that takes ``now_us``, microseconds
since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from state.base.times import SECOND_US
from state.events.declared import Check, StageDeclared
from state.events.event import left_out
from state.view.enums import GateStatus, Verdict


@dataclass(frozen=True, slots=True)
class CheckView(Check):
    """One automatic check of an item and its newest result."""

    verdict: Verdict = Verdict.PENDING
    summary: str = ""
    evidence: str = ""
    """What it saw, as canonical JSON: shown, never computed with."""
    started_us: int = 0
    finished_us: int = 0
    actor: str = ""
    seq: int = 0

    def at(self, now_us: int) -> Verdict:
        """Return the verdict at a moment: evidence older than its time to live is stale."""
        judged = self.verdict in {Verdict.PASS, Verdict.FAIL}
        if judged and self.finished_us and now_us - self.finished_us > self.ttl_s * SECOND_US:
            return Verdict.STALE
        return self.verdict


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
    waiver: WaiverView | None = None

    def verdict(self, now_us: int) -> Verdict:
        """Return what the item's checks and its attestation add up to."""
        if self.waiver is not None and now_us < self.waiver.until_us:
            return Verdict.WAIVED
        seen = [check.at(now_us) for check in self.checks]
        if self.question is not None:
            seen.append(self._attested())
        elif self.attestation is not None and not self.attestation.go:
            seen.append(Verdict.FAIL)
        return _worst(seen)

    def _attested(self) -> Verdict:
        if self.attestation is None:
            return Verdict.PENDING
        return Verdict.PASS if self.attestation.go else Verdict.FAIL

    def checks_verdict(self, now_us: int) -> Verdict:
        """Return what the automatic checks alone add up to; PENDING where there are none."""
        return _worst([check.at(now_us) for check in self.checks])


_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.RUNNING, Verdict.STALE, Verdict.PENDING)


def _worst(seen: Sequence[Verdict]) -> Verdict:
    passed = Verdict.PASS if seen else Verdict.PENDING
    return next((worst for worst in _WORST_FIRST if worst in seen), passed)


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate: what must be GO before what comes after it."""

    number: int
    title: str
    items: tuple[ItemView, ...] = ()

    def status(self, now_us: int) -> GateStatus:
        """Return GO, NO-GO, BLIND or OPEN. Computed, never set."""
        verdicts = [item.verdict(now_us) for item in self.items]
        if Verdict.FAIL in verdicts:
            return GateStatus.NO_GO
        if Verdict.UNKNOWN in verdicts:
            return GateStatus.BLIND
        if verdicts and all(v in {Verdict.PASS, Verdict.WAIVED} for v in verdicts):
            return GateStatus.GO
        return GateStatus.OPEN

    def item(self, item_id: str) -> ItemView | None:
        """Return an item by its number, or None."""
        return next((item for item in self.items if item.id == item_id), None)


@dataclass(frozen=True, slots=True)
class StageView(StageDeclared):
    """A stage of the pipeline, and the newest results of its own checks (state/view/stages.py judges it)."""

    checks: tuple[CheckView, ...] = left_out(default=())
