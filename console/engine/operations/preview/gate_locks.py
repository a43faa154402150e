"""What the launch itself says about an operation: gates, window, freezes, approvals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.engine.operations.helm.private_copy import Parts
from console.engine.operations.preview.approvals import Seen, parts_of, void
from console.engine.operations.preview.finding import Finding, fails, passes
from state.base.numbers import plural
from state.base.times import moment
from state.runbook.models import Operation, Runbook
from state.runbook.window import frozen
from state.view.enums import OperationKind, Tier, Verdict
from state.view.launch import LaunchView, OperationSpecView
from state.view.locks import WAYS_BACK, outside_window
from state.view.locks import locks as known


def locks(
    view: LaunchView,
    runbook: Runbook,
    operation: Operation,
    seen: Sequence[Seen],
    now_us: int,
    *,
    parts: Parts | None = None,
) -> list[Finding]:
    """Return what the launch says. Nothing of it holds for a way back, which is never locked.

    ``parts`` are those of what would run, where it was copied already; else of what is there now.
    """
    if operation.kind in WAYS_BACK:
        return []
    closed = known(view, spec_of(operation), now_us)
    found = [fails(lock.words, soft=True) for lock in closed if lock.kind.by_judgement]
    if operation.requires.gates and not found:
        found.append(passes(_open(view, operation, now_us)))
    if operation.kind is OperationKind.DEPLOY and operation.env is Tier.PRODUCTION:
        found += _deferred(view, operation, now_us)
    found += [fails(lock.words, soft=True) for lock in closed if lock.kind.by_release]
    if operation.env is Tier.PRODUCTION:
        found += _window(view, runbook, operation, now_us)
    now = parts if parts is not None else parts_of(runbook, operation.env)
    gates = {*operation.requires.gates, *(int(item.split(".")[0]) for item in operation.requires.items)}
    told = void(view, seen, sorted(gates), operation.env, now)
    if told:
        found.append(fails(told, soft=True))
    elif gates and _approved(view, gates):
        found.append(passes("images, chart, values and migration are what was approved"))
    elif gates:
        found.append(
            passes("nobody approved images, chart, values or migration: no item of these gates was attested")
        )
    return found


def _approved(view: LaunchView, gates: set[int]) -> bool:
    return any(w.go for gate in view.gates if gate.number in gates for i in gate.items for w in i.words)


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
        operation.role or "",
    )


def _open(view: LaunchView, operation: Operation, now_us: int) -> str:
    """Return that the gates keep nothing locked, and how many of their checks wait for a first deploy."""
    numbers = operation.requires.gates
    named, stages = ", ".join(map(str, numbers)), ", ".join(operation.requires.stages)
    count = sum(gate.deferred(now_us) for gate in view.gates if gate.number in numbers)
    waived = [
        i.id
        for gate in view.gates
        if gate.number in numbers
        for i in gate.items
        if i.verdict(now_us) is Verdict.WAIVED
    ]
    past = (
        f", with {plural(len(waived), 'item')} waived ({', '.join(waived[:6])}{' …' if len(waived) > 6 else ''})"
        if waived
        else ""
    )
    later = f", {count} deferred until after this first deploy" if count else ""
    return f"gates {named} are GO and fresh{past}{later}{f'; stages {stages} are good' if stages else ''}"


def _deferred(view: LaunchView, operation: Operation, now_us: int) -> Iterator[Finding]:
    """Yield, one by one, what a first deploy goes ahead without."""
    for gate in view.gates:
        if gate.number not in operation.requires.gates:
            continue
        for item in gate.items:
            for check in item.checks:
                if check.counts and check.at(now_us) is Verdict.DEFERRED:
                    yield Finding(
                        Verdict.DEFERRED, f"item {item.id} is judged after this deploy: {check.summary}"
                    )


def _window(view: LaunchView, runbook: Runbook, operation: Operation, now_us: int) -> Iterator[Finding]:
    scope = runbook.scope
    now = moment(now_us)
    if (freeze := frozen(scope.freezes, now)) is not None:
        yield fails(f"production is frozen {freeze.until}", soft=True)
        return
    if operation.kind is OperationKind.PREPARE:
        return  # nothing that runs is changed: days before is fine
    if outside_window(view.scope, now_us):
        message = f"{scope.window.start:%Y-%m-%d %H:%M} to {scope.window.end:%Y-%m-%d %H:%M %Z}"
        # Without the time of day: a grant is for these very words, and would end with the minute.
        yield fails(f"it is outside the launch window ({message})", soft=True)
    else:
        yield passes(f"inside the launch window, which ends at {scope.window.end:%H:%M %Z}")
