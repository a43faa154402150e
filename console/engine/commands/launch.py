"""The launch itself: hold, release, recycle, scrub, close; conditions, clock, consoles, the engine's end."""

from __future__ import annotations

from collections.abc import Callable

from console.engine.commands.handler import Desk, Effect, Order, RefusedError, phrase_of, plain_preview
from state.base.numbers import pace
from state.commands import Reply
from state.events.bake import ConditionAcknowledged
from state.events.event import Body, Draft, gate_key
from state.events.gates import GateRecycled
from state.events.launch import ConsoleTookOver, LaunchClosed, LaunchHeld, LaunchReleased, LaunchScrubbed
from state.events.log import ClockRate
from state.view.enums import ConditionState, GateStatus, LaunchState
from state.view.launch import LaunchView
from state.view.preview import Preview
from state.view.rollbacks import counting


def _idle(view: LaunchView) -> None:
    running = view.running()
    if running is not None:
        raise RefusedError(f"{running.id} is under way: abort it, or wait for its end")


async def _plan_hold(desk: Desk, order: Order) -> Preview:
    if desk.view.state is LaunchState.HELD and not counting(desk.view):
        raise RefusedError("the launch is held already")
    return plain_preview(order, from_what="running", to_what="held")


async def _hold(desk: Desk, order: Order) -> Reply:
    return await _with_reason(desk, order, LaunchHeld, "the launch is held")


async def _plan_release(desk: Desk, order: Order) -> Preview:
    hold = desk.view.hold
    if hold is None:
        raise RefusedError("the launch is not held")
    return plain_preview(order, from_what=f"held by {hold.by}: {hold.reason}", to_what="running")


async def _release(desk: Desk, order: Order) -> Reply:
    return await _with_reason(desk, order, LaunchReleased, "the hold is released")


async def _plan_scrub(desk: Desk, order: Order) -> Preview:
    _idle(desk.view)
    return plain_preview(
        order,
        environment="the whole launch",
        from_what=desk.view.state.value,
        to_what="scrubbed",
        blast=("nothing is deployed or rolled back", "nothing can be changed in this log afterwards"),
        phrase=phrase_of(desk.view),
    )


async def _scrub(desk: Desk, order: Order) -> Reply:
    return await _with_reason(desk, order, LaunchScrubbed, "the launch is scrubbed")


async def _plan_close(desk: Desk, order: Order) -> Preview:
    _idle(desk.view)
    now = desk.clock.wall_us()
    gates = ((gate.number, gate.status(now)) for gate in desk.view.gates)
    left = [f"gate {number} is {status}" for number, status in gates if status is not GateStatus.GO]
    if left:
        raise RefusedError(f"a launch closes with every gate GO ({', '.join(left)}); to end it now, scrub it")
    return plain_preview(order, from_what=desk.view.state.value, to_what="closed; the engine ends")


async def _close(desk: Desk, order: Order) -> Reply:
    await desk.journal.record(Draft(LaunchClosed(), actor=order.who.account))
    desk.stop("the launch is closed", order.who.account)
    return Reply(ok=True, message="the launch is closed; the engine ends")


def _gates_from(number: int, view: LaunchView) -> str:
    last = max((gate.number for gate in view.gates), default=number)
    return f"gates {number} to {last}" if last > number else f"gate {number}"


async def _plan_recycle(desk: Desk, order: Order) -> Preview:
    gate = order.gate(desk.view)
    _idle(desk.view)
    return plain_preview(
        order,
        to_what=f"gate {gate.number}",
        blast=(f"evidence and attestations of {_gates_from(gate.number, desk.view)} become stale",),
    )


async def _recycle(desk: Desk, order: Order) -> Reply:
    gate = order.gate(desk.view)
    body = GateRecycled(order.need("reason", "a reason"))
    await desk.journal.record(Draft(body, gate_key(gate.number), actor=order.who.account))
    return Reply(ok=True, message=f"back to gate {gate.number}")


async def _plan_acknowledge(desk: Desk, order: Order) -> Preview:
    name = order.need("condition", "a stop condition")
    condition = desk.view.condition(name)
    if condition is None:
        raise RefusedError(f"there is no stop condition {name}")
    if condition.state is not ConditionState.TRIPPED:
        raise RefusedError(f"{name} is {condition.state}: only a trip is acknowledged")
    return plain_preview(
        order, from_what="TRIPPED", to_what="acknowledged; it trips again if the breach lasts"
    )


async def _acknowledge(desk: Desk, order: Order) -> Reply:
    body = ConditionAcknowledged(order.text("condition"), order.text("comment"))
    await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"{order.text('condition')} is acknowledged")


async def _plan_rate(desk: Desk, order: Order) -> Preview:
    if not desk.clock.adjustable():
        raise RefusedError("this clock is the machine's own: it can't run faster")
    return plain_preview(order, from_what=pace(desk.clock.rate()))


async def _rate(desk: Desk, order: Order) -> Reply:
    given = order.need("rate", "a rate")
    try:
        rate = float(given)
    except ValueError:
        raise RefusedError(f"a rate is a number, not {given[:20]!r}") from None
    if not 0.01 <= rate <= 1000:
        raise RefusedError(f"a clock's rate is between 0.01 and 1000, not {rate:g}")
    await desk.journal.record(Draft(ClockRate(rate), actor=order.who.account))
    desk.clock.set_rate(rate)
    return Reply(ok=True, message=f"the clock runs {pace(rate)}")


async def _plan_stop(desk: Desk, order: Order) -> Preview:
    _idle(desk.view)
    return plain_preview(order, to_what="nothing is watched until an engine is started again")


async def _stop(desk: Desk, order: Order) -> Reply:
    desk.stop(order.need("reason", "a reason"), order.who.account)
    return Reply(ok=True, message="the engine ends")


async def _plan_take_over(desk: Desk, order: Order) -> Preview:
    own = next((c for c in desk.view.consoles if c.id == order.who.console), None)
    if own is None:
        raise RefusedError("only an attached console can take over")
    if own.drives:
        raise RefusedError("this console drives already")
    driver = next((c for c in desk.view.consoles if c.drives), None)
    before = f"{driver.account} on console {driver.id}" if driver is not None else "nobody drives"
    return plain_preview(order, from_what=before, to_what=f"{own.account} on console {own.id}")


async def _take_over(desk: Desk, order: Order) -> Reply:
    body = ConsoleTookOver(order.who.console, order.need("reason", "a reason"))
    await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message="this console drives")


async def _with_reason(desk: Desk, order: Order, said: Callable[[str], Body], told: str) -> Reply:
    body = said(order.need("reason", "a reason"))
    event = await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"{told}, event {event.seq}")


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
