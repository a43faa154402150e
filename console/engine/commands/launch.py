"""The launch itself: hold, release, recycle, scrub, close; conditions, clock, consoles, the engine's end."""

from __future__ import annotations

from collections.abc import Callable

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from state.base.numbers import pace
from state.base.times import clock
from state.commands import Reply
from state.events.bake import ConditionAcknowledged
from state.events.event import Body, Draft, gate_key
from state.events.gates import GateRecycled
from state.events.launch import ConsoleTookOver, LaunchClosed, LaunchHeld, LaunchReleased, LaunchScrubbed
from state.events.log import ClockRate
from state.view.closing import obstacles
from state.view.enums import ConditionState, LaunchState
from state.view.launch import LaunchView
from state.view.preview import Preview
from state.view.rollbacks import counting


def _idle(view: LaunchView) -> None:
    running = view.running()
    if running is not None:
        raise CommandRefusedError(f"{running.id} is under way: abort it, or wait for its end")


async def _plan_hold(context: CommandContext, request: CommandRequest) -> Preview:
    if context.view.state is LaunchState.HELD and not counting(context.view):
        raise CommandRefusedError("the launch is held already")
    return plain_preview(request, from_what="running", to_what="held")


async def _hold(context: CommandContext, request: CommandRequest) -> Reply:
    return await _with_reason(context, request, LaunchHeld, "the launch is held")


async def _plan_release(context: CommandContext, request: CommandRequest) -> Preview:
    hold = context.view.hold
    if hold is None:
        raise CommandRefusedError("the launch is not held")
    return plain_preview(request, from_what=f"held by {hold.by}: {hold.reason}", to_what="running")


async def _release(context: CommandContext, request: CommandRequest) -> Reply:
    return await _with_reason(context, request, LaunchReleased, "the hold is released")


async def _plan_scrub(context: CommandContext, request: CommandRequest) -> Preview:
    _idle(context.view)
    return plain_preview(
        request,
        environment="the whole launch",
        from_what=context.view.state.value,
        to_what="scrubbed",
        blast=("nothing is deployed or rolled back", "nothing can be changed in this log afterwards"),
        phrase="scrub",
    )


async def _scrub(context: CommandContext, request: CommandRequest) -> Reply:
    reply = await _with_reason(context, request, LaunchScrubbed, "the launch is scrubbed; the engine ends")
    context.stop("the launch is scrubbed", request.who.account)
    return reply


async def _plan_close(context: CommandContext, request: CommandRequest) -> Preview:
    view, now = context.view, context.clock.wall_us()
    left = [*obstacles(view, now)]
    if left:
        raise CommandRefusedError(f"the launch can't be closed: {'; '.join(left)}. To end it now, scrub it")
    gates = tuple(
        f"gate {gate.number} {gate.title}: GO{f' at {clock(gate.used_us, seconds=False)}' if gate.used_us else ''}"
        for gate in view.gates
    )
    return plain_preview(
        request,
        from_what=view.state.value,
        to_what="closed: the log is sealed and the engine stops",
        checks=gates,
    )


async def _close(context: CommandContext, request: CommandRequest) -> Reply:
    await context.journal.record(Draft(LaunchClosed(), actor=request.who.account))
    context.stop("the launch is closed", request.who.account)
    return Reply(ok=True, message="the launch is closed: the log is sealed and the engine stops")


def _gates_from(number: int, view: LaunchView) -> str:
    last = max((gate.number for gate in view.gates), default=number)
    return f"gates {number} to {last}" if last > number else f"gate {number}"


async def _plan_recycle(context: CommandContext, request: CommandRequest) -> Preview:
    gate = request.gate(context.view)
    _idle(context.view)
    return plain_preview(
        request,
        to_what=f"gate {gate.number}",
        blast=(f"evidence and attestations of {_gates_from(gate.number, context.view)} become stale",),
    )


async def _recycle(context: CommandContext, request: CommandRequest) -> Reply:
    gate = request.gate(context.view)
    body = GateRecycled(request.need("reason", "a reason"))
    await context.journal.record(Draft(body, gate_key(gate.number), actor=request.who.account))
    return Reply(ok=True, message=f"back to gate {gate.number}")


async def _plan_acknowledge(context: CommandContext, request: CommandRequest) -> Preview:
    name = request.need("condition", "a stop condition")
    condition = context.view.condition(name)
    if condition is None:
        raise CommandRefusedError(f"there is no stop condition {name}")
    if condition.state is not ConditionState.TRIPPED:
        raise CommandRefusedError(f"{name} is {condition.state}: only a trip is acknowledged")
    return plain_preview(
        request, from_what="TRIPPED", to_what="acknowledged; it trips again if the breach lasts"
    )


async def _acknowledge(context: CommandContext, request: CommandRequest) -> Reply:
    body = ConditionAcknowledged(request.text("condition"), request.text("comment"))
    await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"{request.text('condition')} is acknowledged")


async def _plan_rate(context: CommandContext, request: CommandRequest) -> Preview:
    if not context.clock.adjustable():
        raise CommandRefusedError("this clock is the machine's own: it can't run faster")
    return plain_preview(request, from_what=pace(context.clock.rate()))


async def _rate(context: CommandContext, request: CommandRequest) -> Reply:
    given = request.need("rate", "a rate")
    try:
        rate = float(given)
    except ValueError:
        raise CommandRefusedError(f"a rate is a number, not {given[:20]!r}") from None
    if not 0.01 <= rate <= 1000:
        raise CommandRefusedError(f"a clock's rate is between 0.01 and 1000, not {rate:g}")
    await context.journal.record(Draft(ClockRate(rate), actor=request.who.account))
    context.clock.set_rate(rate)
    return Reply(ok=True, message=f"the clock runs {pace(rate)}")


async def _plan_stop(context: CommandContext, request: CommandRequest) -> Preview:
    _idle(context.view)
    return plain_preview(request, to_what="nothing is watched until an engine is started again")


async def _stop(context: CommandContext, request: CommandRequest) -> Reply:
    context.stop(request.need("reason", "a reason"), request.who.account)
    return Reply(ok=True, message="the engine stops")


async def _plan_take_over(context: CommandContext, request: CommandRequest) -> Preview:
    own = next((c for c in context.view.consoles if c.id == request.who.console), None)
    if own is None:
        raise CommandRefusedError("only an attached console can take over")
    if own.drives:
        raise CommandRefusedError("this console drives already")
    driver = next((c for c in context.view.consoles if c.drives), None)
    before = f"{driver.account} on console {driver.id}" if driver is not None else "no driver"
    return plain_preview(request, from_what=before, to_what=f"{own.account} on console {own.id}")


async def _take_over(context: CommandContext, request: CommandRequest) -> Reply:
    body = ConsoleTookOver(request.who.console, request.need("reason", "a reason"))
    await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message="this console drives")


async def _with_reason(
    context: CommandContext, request: CommandRequest, said: Callable[[str], Body], message: str
) -> Reply:
    body = said(request.need("reason", "a reason"))
    event = await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"{message}, event {event.seq}")


EFFECTS = {
    "launch.hold": Effect(_plan_hold, _hold),
    "launch.release": Effect(_plan_release, _release),
    "launch.scrub": Effect(_plan_scrub, _scrub),
    "launch.close": Effect(_plan_close, _close),
    "gate.recycle": Effect(_plan_recycle, _recycle),
    "condition.acknowledge": Effect(_plan_acknowledge, _acknowledge),
    "clock.rate": Effect(_plan_rate, _rate),
    "engine.stop": Effect(_plan_stop, _stop),
    "console.take_over": Effect(_plan_take_over, _take_over),
}
