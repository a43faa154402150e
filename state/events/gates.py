"""Events of gates and items: checks, attestations, waivers, recycling."""

from __future__ import annotations

from state.base.json import JsonObject
from state.events.event import Body, event, left_out
from state.view.enums import GateStatus, Verdict


@event("gate.changed")
class GateChanged(Body):
    """A gate's status, as computed."""

    from_: GateStatus
    to: GateStatus


@event("gate.recycled")
class GateRecycled(Body):
    """Back to this gate: evidence from here on is stale."""

    reason: str


@event("item.waived")
class ItemWaived(Body):
    """An item counts as done until ``until_us``, for a reason, by two people."""

    item: str
    reason: str
    second: str
    until_us: int
    request: int = left_out(default=0)
    """The ``request.made`` that was granted, and is used up by this."""


@event("check.started")
class CheckStarted(Body):
    """A check runs."""

    item: str
    check: str


@event("check.finished", kw_only=True)
class CheckFinished(Body):
    """A check's verdict and what it saw."""

    item: str
    check: str
    verdict: Verdict
    summary: str
    evidence: JsonObject
    ms: int
    ways: tuple[str, ...] = left_out(default=())
    """What to change, a line each: of a fail, and of what could not be judged."""


@event("attest.signed", kw_only=True)
class AttestSigned(Body):
    """A person's word on an item."""

    item: str
    go: bool
    comment: str
    link: str
    how_known: str
    """How the person is known: ``socket peer uid 1000``, ``rehearsal``, a key's fingerprint."""
    evidence: tuple[int, ...]
    """The check results that the person saw, as sequence numbers."""
    cautions: tuple[str, ...] = left_out(default=())
    """What spoke against a GO when it was given, a line each: ``8.3's check flows.smoke was running``."""
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")


@event("attest.withdrawn")
class AttestWithdrawn(Body):
    """And taken back."""

    item: str
    reason: str
    how_known: str = left_out(default="")
    statement: str = left_out(default="")
    signature: str = left_out(default="")
    key: str = left_out(default="")
