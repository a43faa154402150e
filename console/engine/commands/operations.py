"""Operations: run one, abort it, recover one whose end nobody saw."""

from __future__ import annotations

from dataclasses import replace

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from console.engine.ports import ENGINE, Granted, Who
from state.commands import Reply
from state.view.enums import tier_of
from state.view.first_launch import taken_up
from state.view.launch import LaunchView, OperationView
from state.view.locks import hold_words
from state.view.people import role_problem
from state.view.preview import Preview
from state.view.rollbacks import is_way_back


async def _plan_run(context: CommandContext, request: CommandRequest) -> Preview:
    name = request.need("operation", "an operation")
    _not_held(context.view, name)
    _has_role(context.view, name, request.who)
    return await context.operations.preview(name, request.who)


def _has_role(view: LaunchView, name: str, who: Who) -> None:
    """Refuse to somebody without the role that the runbook asks for; what the engine does by itself has none."""
    spec = next((one for one in view.operation_specs if one.id == name), None)
    if spec is not None and who != ENGINE and (problem := role_problem(view, spec.role, who.account)):
        raise CommandRefusedError(f"{name}: {problem}")


def _not_held(view: LaunchView, name: str) -> None:
    """Refuse to go forward while the launch is held; the way back stays open."""
    held = hold_words(view)
    if held and not is_way_back(view, name):
        raise CommandRefusedError(f"{held}: release the hold first (h)")


async def _run(context: CommandContext, request: CommandRequest) -> Reply:
    one = request.granted
    granted = None if one is None else Granted(one.seq, one.reason, one.granted_by, one.over)
    return await context.operations.start(request.text("operation"), request.who, granted, request.inputs_sha)


async def _plan_abort(context: CommandContext, request: CommandRequest) -> Preview:
    running = context.view.running()
    if running is None:
        raise CommandRefusedError("no operation is under way")
    return plain_preview(
        request,
        environment=running.env,
        tier=tier_of(running.env),
        from_what=f"{running.id} runs",
        to_what="aborted",
    )


async def _abort(context: CommandContext, request: CommandRequest) -> Reply:
    return await context.operations.abort(request.who, request.need("reason", "a reason"))


async def _plan_recover(context: CommandContext, request: CommandRequest) -> Preview:
    last = _recoverable(context.view)
    choice = request.text("choice")
    if not choice:
        return plain_preview(
            request, environment=last.env, tier=tier_of(last.env), from_what=last.verdict, checks=last.offers
        )
    if choice not in last.offers:
        raise CommandRefusedError(f"{choice[:40]!r} is not on offer; on offer are {', '.join(last.offers)}")
    name = taken_up(context.view, last, choice)
    _not_held(context.view, name)
    _has_role(context.view, name, request.who)
    preview = await context.operations.preview(name, request.who)
    return replace(preview, name=request.spec.name, title=request.heading, override_allowed=False)


def _recoverable(view: LaunchView) -> OperationView:
    last = view.offering()
    if last is None or view.running() is not None:
        raise CommandRefusedError("no operation waits to be recovered")
    return last


async def _recover(context: CommandContext, request: CommandRequest) -> Reply:
    return await context.operations.recover(
        request.need("choice", "a choice"), request.who, request.inputs_sha
    )


EFFECTS = {
    "operation.run": Effect(_plan_run, _run),
    "operation.abort": Effect(_plan_abort, _abort),
    "operation.recover": Effect(_plan_recover, _recover),
}
