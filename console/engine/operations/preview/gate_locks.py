"""What the launch itself says about an operation: gates, window, freezes, approvals."""

from __future__ import annotations

from collections.abc import Sequence

from console.engine.operations.helm.private_copy import Parts
from console.engine.operations.preview.approvals import Seen, parts_of, void
from console.engine.operations.preview.preflight import Finding, fails, passes
from state.base.times import moment
from state.runbook.models import Operation, Runbook
from state.runbook.window import frozen
from state.view.enums import OperationKind, Tier
from state.view.launch import LaunchView, OperationSpecView
from state.view.locks import locks as known
from state.view.locks import outside_window


def locks(
    view: LaunchView,
    runbook: Runbook,
    operation: Operation,
    seen: Sequence[Seen],
    now_us: int,
    *,
    parts: Parts | None = None,
) -> list[Finding]:
    """Return what the launch says. Nothing of it holds for a rollback, which is never locked.

    ``parts`` are those of what would run, where it was copied already; else of what is there now.
    """
    if operation.kind is OperationKind.ROLLBACK:
        return []
    closed = [lock.words for lock in known(view, spec_of(operation), now_us) if lock.kind.by_judgement]
    found = [fails(words, soft=True) for words in closed]
    if operation.requires.gates and not found:
        named = ", ".join(str(number) for number in operation.requires.gates)
        stages = ", ".join(operation.requires.stages)
        found.append(
            passes(f"gates {named} are GO and fresh{f'; stages {stages} are good' if stages else ''}")
        )
    if operation.env is Tier.PRODUCTION:
        found.append(_window(view, runbook, now_us))
    now = parts if parts is not None else parts_of(runbook, operation.env)
    gates = {*operation.requires.gates, *(int(item.split(".")[0]) for item in operation.requires.items)}
    told = void(view, seen, sorted(gates), operation.env, now)
    if told:
        found.append(fails(told, soft=True))
    elif gates:
        found.append(passes("images, chart, values and migration are what was approved"))
    return found


def spec_of(operation: Operation) -> OperationSpecView:
    """Return an operation as the view has it."""
    return OperationSpecView(
        operation.id,
        operation.kind,
        operation.env,
        operation.title,
        operation.gate,
        operation.requires.gates,
        operation.requires.items,
        operation.requires.stages,
    )


def _window(view: LaunchView, runbook: Runbook, now_us: int) -> Finding:
    scope = runbook.scope
    now = moment(now_us)
    if (freeze := frozen(scope.freezes, now)) is not None:
        return fails(f"production is frozen {freeze.until}", soft=True)
    if outside_window(view.scope, now_us):
        message = f"{scope.window.start:%Y-%m-%d %H:%M} to {scope.window.end:%Y-%m-%d %H:%M %Z}"
        return fails(f"it is {now:%H:%M} UTC, outside the launch window ({message})", soft=True)
    return passes(f"inside the launch window, which ends at {scope.window.end:%H:%M %Z}")
