"""What the launch itself says about an operation: gates, window, freezes, approvals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from console.engine.operations.preview.approvals import Seen, parts_of, void
from console.engine.operations.preview.preflight import Finding, fails, passes
from state.runbook.environment import Tier
from state.runbook.models import Operation, OperationKind, Runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView


def locks(
    view: LaunchView, runbook: Runbook, operation: Operation, seen: Sequence[Seen], now_us: int
) -> list[Finding]:
    """Return what the launch says. Nothing of it holds for a rollback, which is never locked."""
    if operation.kind is OperationKind.ROLLBACK:
        return []
    found = [fails(words, soft=True) for words in _gates(view, operation, now_us)]
    if operation.requires.gates and not found:
        named = ", ".join(str(number) for number in operation.requires.gates)
        found.append(passes(f"gates {named} are GO and fresh"))
    if operation.env is Tier.PRODUCTION:
        found.append(_window(runbook, now_us))
    gates = {*operation.requires.gates, *(int(item.split(".")[0]) for item in operation.requires.items)}
    told = void(view, seen, sorted(gates), operation.env, parts_of(runbook, operation.env))
    if told:
        found.append(fails(told, soft=True))
    elif gates:
        found.append(passes("images, chart, values and migration are what was approved"))
    return found


def _gates(view: LaunchView, operation: Operation, now_us: int) -> list[str]:
    """Return which gates and items keep an operation locked."""
    closed = [
        f"gate {gate.number} is {gate.status(now_us)}"
        for gate in view.gates
        if gate.number in operation.requires.gates and gate.status(now_us) != "GO"
    ]
    for item_id in operation.requires.items:
        item = view.item(item_id)
        verdict = item.verdict(now_us) if item is not None else Verdict.UNKNOWN
        if verdict not in {Verdict.PASS, Verdict.WAIVED}:
            closed.append(f"item {item_id} is {verdict}")
    return closed


def _window(runbook: Runbook, now_us: int) -> Finding:
    scope = runbook.scope
    now = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    for freeze in scope.freezes:
        if freeze.holds(now):
            return fails(
                f"production is frozen until {freeze.end:%Y-%m-%d %H:%M %Z}: {freeze.reason}", soft=True
            )
    if not scope.window.holds(now):
        told = f"{scope.window.start:%Y-%m-%d %H:%M} to {scope.window.end:%Y-%m-%d %H:%M %Z}"
        return fails(f"it is {now:%H:%M} UTC, outside the launch window ({told})", soft=True)
    return passes(f"inside the launch window, which ends at {scope.window.end:%H:%M %Z}")
