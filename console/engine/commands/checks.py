"""Running checks: of an item, of a gate, all of them."""

from __future__ import annotations

from dataclasses import replace

from checks.looks import CheckRef
from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from state.base.numbers import plural
from state.commands import Reply
from state.view.enums import Danger
from state.view.preview import Preview


def _of_item(context: CommandContext, request: CommandRequest) -> list[CheckRef]:
    item = request.item(context.view)
    if not item.checks:
        raise CommandRefusedError(f"item {item.id} has no automatic check: a person attests it")
    return context.runner.checks([item.id])


def _of_gate(context: CommandContext, request: CommandRequest) -> list[CheckRef]:
    gate = request.gate(context.view)
    found = context.runner.checks([item.id for item in gate.items])
    if not found:
        raise CommandRefusedError(f"gate {gate.number} has no automatic checks: people attest its items")
    return found


def _of_stage(context: CommandContext, request: CommandRequest) -> list[CheckRef]:
    stage = request.stage(context.view)
    found = context.runner.stage_checks([stage.id])
    if not found:
        raise CommandRefusedError(
            f"stage {stage.id} has no checks of its own: it stands on items and operations"
        )
    return found


def _of_launch(context: CommandContext, _order: CommandRequest) -> list[CheckRef]:
    return [
        *context.runner.checks([item.id for gate in context.view.gates for item in gate.items]),
        *context.runner.stage_checks([stage.id for stage in context.view.stages]),
    ]


_FINDERS = {"check.run": _of_item, "gate.run": _of_gate, "stage.run": _of_stage, "launch.run": _of_launch}


async def _plan(context: CommandContext, request: CommandRequest) -> Preview:
    found = _FINDERS[request.spec.name](context, request)
    preview = plain_preview(request, to_what=plural(len(found), "check runs", "checks run"))
    writing = [check for check in found if check.leaves_traces]
    if not writing:
        return preview
    traces = dict.fromkeys(f"{check.item} {check.spec.kind} leaves {check.leaves}" for check in writing)
    return replace(preview, danger=Danger.CAUTION, blast=tuple(traces))


async def _deed(context: CommandContext, request: CommandRequest) -> Reply:
    found = _FINDERS[request.spec.name](context, request)
    started = context.runner.start(found, request.who.account)
    already = len(found) - len(started)
    message = plural(len(started), "check started", "checks started") + (
        f", {already} run already" if already else ""
    )
    return Reply(ok=True, message=message, result={"checks": started})


EFFECTS = {name: Effect(_plan, _deed) for name in _FINDERS}
