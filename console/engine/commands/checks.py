"""Running checks: of an item, of a gate, all of them."""

from __future__ import annotations

from dataclasses import replace

from console.engine.checks.runner import CheckRef
from console.engine.commands.handler import Desk, Effect, Order, RefusedError, plain_preview
from state.base.numbers import plural
from state.commands import Reply
from state.view.enums import Danger
from state.view.preview import Preview


def _of_item(desk: Desk, order: Order) -> list[CheckRef]:
    item = order.item(desk.view)
    if not item.checks:
        raise RefusedError(f"item {item.id} has no automatic check: a person attests it")
    return desk.runner.checks([item.id])


def _of_gate(desk: Desk, order: Order) -> list[CheckRef]:
    gate = order.gate(desk.view)
    found = desk.runner.checks([item.id for item in gate.items])
    if not found:
        raise RefusedError(f"gate {gate.number} has no automatic checks: people attest its items")
    return found


def _of_launch(desk: Desk, _order: Order) -> list[CheckRef]:
    return desk.runner.checks([item.id for gate in desk.view.gates for item in gate.items])


_FINDERS = {"check.run": _of_item, "gate.run": _of_gate, "launch.run": _of_launch}


async def _plan(desk: Desk, order: Order) -> Preview:
    found = _FINDERS[order.spec.name](desk, order)
    preview = plain_preview(order, to_what=plural(len(found), "check runs", "checks run"))
    writing = [check for check in found if check.leaves_traces]
    if not writing:
        return preview
    traces = dict.fromkeys(f"{check.item} {check.spec.kind} leaves {check.leaves}" for check in writing)
    return replace(preview, danger=Danger.CAUTION, blast=tuple(traces))


async def _deed(desk: Desk, order: Order) -> Reply:
    found = _FINDERS[order.spec.name](desk, order)
    started = desk.runner.start(found, order.who.account)
    already = len(found) - len(started)
    told = plural(len(started), "check started", "checks started") + (
        f", {already} run already" if already else ""
    )
    return Reply(ok=True, message=told, result={"checks": started})


EFFECTS = {name: Effect(_plan, _deed) for name in _FINDERS}
