"""Where each check of a runbook looks: once, or at the candidate in staging and then live in production.

What judges how a release behaves says nothing about the candidate while production runs another release. In a
gate before that of production's deploy such a check therefore looks at staging, where the candidate runs, and a
second time at production once it was promoted. ``env:`` in the runbook says that it looks there, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.registry import kind as find_kind
from state.runbook.models import CheckSpec, Gate, Item, Operation, Runbook
from state.view.enums import Judges, Look, OperationKind, Tier

if TYPE_CHECKING:
    from state.view.launch import LaunchView


@dataclass(frozen=True, slots=True)
class CheckRef:
    """A check of the runbook: its item, its gate, what is to be run, and which of its looks this is."""

    id: str
    """``3.2/0``; its second look ``3.2/0/live``; of a stage of the pipeline ``build/0``."""
    item: str
    """The item, or the stage."""
    gate: int
    """0: of none, but of a stage."""
    spec: CheckSpec
    """Its ``env`` is where this look looks."""
    look: Look = Look.ONCE

    @property
    def leaves_traces(self) -> bool:
        """Whether it leaves something behind in production, such as a failed login."""
        kind = find_kind(self.spec.kind)
        return kind is not None and kind.writes and self.spec.env is Tier.PRODUCTION

    @property
    def leaves(self) -> str:
        """What it leaves behind where it looks, as ``a failed login (production)``."""
        kind = find_kind(self.spec.kind)
        what = kind.leaves if kind is not None and kind.leaves else "traces"
        return f"{what} ({self.spec.env})"


def checks_of(runbook: Runbook, items: Iterable[str]) -> list[CheckRef]:
    """Return the checks of items with all their looks, in the order of the runbook."""
    expected = set(items)
    return [
        check
        for gate in runbook.gates
        for item in gate.items
        if item.id in expected
        for check in looks_of(runbook, gate, item)
    ]


def checks_of_stages(runbook: Runbook, stages: Iterable[str]) -> list[CheckRef]:
    """Return the checks that belong to stages of the pipeline alone, in the order of the runbook."""
    expected = set(stages)
    return [
        CheckRef(f"{stage.id}/{index}", stage.id, 0, spec)
        for stage in runbook.stages
        if stage.id in expected
        for index, spec in enumerate(stage.checks())
    ]


def looks_of(runbook: Runbook, gate: Gate, item: Item) -> Iterator[CheckRef]:
    """Yield every look of an item's checks, in the order of the runbook."""
    if item.not_applicable is not None:
        return
    promotion = promotion_gate(runbook)
    for index, spec in enumerate(item.checks):
        name = f"{item.id}/{index}"
        if promotion is None or gate.number >= promotion or not _of_the_candidate(spec):
            yield CheckRef(name, item.id, gate.number, spec)
            continue
        staging = spec.model_copy(update={"env": Tier.STAGING})
        yield CheckRef(name, item.id, gate.number, staging, Look.CANDIDATE)
        live = spec.model_copy(update={"env": Tier.PRODUCTION})
        yield CheckRef(f"{name}/live", item.id, gate.number, live, Look.LIVE)


def asked(checks: Iterable[CheckRef], view: LaunchView) -> list[CheckRef]:
    """Return the looks that are of use now.

    Live ones once the candidate was promoted; those at staging until a promotion used what they saw. Before a launch
    everything but live ones is of use.
    """
    items = {item.id: item for gate in view.gates for item in gate.items}
    due = {check.id for item in items.values() for check in item.checks if check.due}
    used = {name for name, item in items.items() if item.used_us}
    return [
        check
        for check in checks
        if (check.look is not Look.LIVE or check.id in due)
        and (check.look is not Look.CANDIDATE or check.item not in used)
    ]


def traces_after(runbook: Runbook, operation: Operation) -> dict[str, list[str]]:
    """Return what the checks that run by themselves after an operation leave in production: which items leave it."""
    traces: dict[str, list[str]] = {}
    for check in checks_of(runbook, (item.id for gate in runbook.gates for item in gate.items)):
        kind = find_kind(check.spec.kind)
        causes = map(str, kind.after) if kind is not None else ()
        outdated = str(operation.kind) in causes and operation.env is check.spec.env
        if outdated and check.leaves_traces and operation.env is Tier.PRODUCTION:
            traces.setdefault(check.leaves, []).append(check.item)
    return traces


def promotion_gate(runbook: Runbook) -> int | None:
    """Return the gate of production's deploy, the last where there are several; None where there is none."""
    gates = [
        o.gate for o in runbook.operations if o.kind is OperationKind.DEPLOY and o.env is Tier.PRODUCTION
    ]
    return gates[-1] if gates else None


def of_a_release(spec: CheckSpec) -> bool:
    """Return whether a check judges how a release behaves."""
    kind = find_kind(spec.kind)
    return kind is not None and kind.judges is Judges.CANDIDATE


def judges_the_old_release(runbook: Runbook, gate: Gate, spec: CheckSpec) -> bool:
    """Return whether a check is told to judge what production runs before the promotion."""
    promotion = promotion_gate(runbook)
    fixed = "env" in spec.model_fields_set and spec.env is Tier.PRODUCTION
    return promotion is not None and gate.number < promotion and fixed and of_a_release(spec)


def _of_the_candidate(spec: CheckSpec) -> bool:
    return of_a_release(spec) and "env" not in spec.model_fields_set
