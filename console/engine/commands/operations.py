"""Operations: run one, abort it, recover one whose end nobody saw."""

from __future__ import annotations

from dataclasses import replace

from console.engine.commands.handler import Desk, Effect, Order, RefusedError, plain_preview
from state.commands import Confirmation, Reply
from state.view.enums import OperationKind, tier_of
from state.view.launch import LaunchView, OperationView
from state.view.locks import hold_words
from state.view.people import second_problem
from state.view.preview import Preview
from state.view.rollbacks import is_way_back, way_back


async def _plan_run(desk: Desk, order: Order) -> Preview:
    name = order.need("operation", "an operation")
    _not_held(desk.view, name)
    return await desk.operations.preview(name, order.who)


def _not_held(view: LaunchView, name: str) -> None:
    """Refuse to go forward while the launch is held; the way back stays open."""
    held = hold_words(view)
    if held and not is_way_back(view, name):
        raise RefusedError(f"{held}: release the hold first (h)")


async def _run(desk: Desk, order: Order) -> Reply:
    return await desk.operations.start(order.text("operation"), order.who, override_of(desk.view, order))


def override_of(view: LaunchView, order: Order) -> Confirmation | None:
    """Return the override that a confirmation carries, or None where it carries none.

    Raises RefusedError where the reason or the second person doesn't do.
    """
    given = order.confirmation
    if not given.override_reason.strip() and not given.override_second.strip():
        return None
    if not given.override_reason.strip():
        raise RefusedError("an override needs a reason")
    problem = second_problem(view, order.who.account, given.override_second)
    if problem:
        raise RefusedError(f"an override needs a second person: {problem}")
    # Nobody proved that the second person was there, and the log says so.
    return replace(given, override_second=f"{given.override_second.strip()} (self-declared)")


async def _plan_abort(desk: Desk, order: Order) -> Preview:
    running = desk.view.running()
    if running is None:
        raise RefusedError("no operation is under way")
    return plain_preview(
        order,
        environment=running.env,
        tier=tier_of(running.env),
        from_what=f"{running.id} runs",
        to_what="aborted",
    )


async def _abort(desk: Desk, order: Order) -> Reply:
    return await desk.operations.abort(order.who, order.need("reason", "a reason"))


async def _plan_recover(desk: Desk, order: Order) -> Preview:
    last = _recoverable(desk.view)
    choice = order.text("choice")
    if not choice:
        return plain_preview(
            order, environment=last.env, tier=tier_of(last.env), from_what=last.verdict, checks=last.offers
        )
    if choice not in last.offers:
        raise RefusedError(f"{choice[:40]!r} is not on offer; on offer are {', '.join(last.offers)}")
    name = way_back(desk.view, last.env) if choice == OperationKind.ROLLBACK else last.id
    _not_held(desk.view, name)
    preview = await desk.operations.preview(name, order.who)
    return replace(preview, name=order.spec.name, title=order.heading, override_allowed=False)


def _recoverable(view: LaunchView) -> OperationView:
    last = view.offering()
    if last is None or view.running() is not None:
        raise RefusedError("no operation waits to be recovered")
    return last


async def _recover(desk: Desk, order: Order) -> Reply:
    return await desk.operations.recover(order.need("choice", "a choice"), order.who)


EFFECTS = {
    "operation.run": Effect(_plan_run, _run),
    "operation.abort": Effect(_plan_abort, _abort),
    "operation.recover": Effect(_plan_recover, _recover),
}
