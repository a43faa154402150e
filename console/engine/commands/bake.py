"""The watch after a release: mute a condition for a while, extend the bake, finish it early. Each is a deviation."""

from __future__ import annotations

from console.engine.commands.handler import Desk, Effect, Order, RefusedError, phrase_of, plain_preview
from state.base.times import SECOND_US
from state.commands import Reply
from state.events.bake import BakeExtended, BakeFinished, ConditionMuted
from state.events.event import Draft
from state.view.enums import BakeState, ConditionState, Tier, tier_of
from state.view.launch import BakeView, ConditionView, LaunchView
from state.view.preview import Preview

LONGEST_MUTE_MIN = 30
LONGEST_EXTENSION_MIN = 240


def _minutes(order: Order, longest: int) -> int:
    told = order.need("minutes", "a number of minutes")
    if not told.isdecimal() or not 1 <= int(told[:9]) <= longest:
        raise RefusedError(f"{order.spec.name} takes 1 to {longest} minutes, not {told[:20]!r}")
    return int(told)


def _condition(desk: Desk, order: Order) -> ConditionView:
    name = order.need("condition", "a stop condition")
    found = desk.view.condition(name)
    if found is None:
        raise RefusedError(f"there is no stop condition {name}")
    if found.state is ConditionState.TRIPPED:
        raise RefusedError(f"{name} is TRIPPED: a trip is acknowledged, not muted")
    return found


async def _plan_mute(desk: Desk, order: Order) -> Preview:
    condition = _condition(desk, order)
    return plain_preview(
        order,
        environment=condition.env,
        tier=tier_of(condition.env),
        from_what=condition.state.value,
        to_what=f"MUTED, for at most {LONGEST_MUTE_MIN} minutes",
        blast=(
            "it is evaluated and recorded, and stops nothing meanwhile",
            "a breach that began meanwhile trips it when the mute ends",
            "the bake's clock stands still",
        ),
        phrase=phrase_of(desk.view),
    )


async def _mute(desk: Desk, order: Order) -> Reply:
    condition = _condition(desk, order)
    minutes = _minutes(order, LONGEST_MUTE_MIN)
    until_us = desk.clock.wall_us() + minutes * 60 * SECOND_US
    body = ConditionMuted(condition.id, order.need("reason", "a reason"), until_us)
    await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"{condition.id} is muted for {minutes} minutes: a deviation")


def _bake(view: LaunchView) -> BakeView:
    bake = view.bake
    if bake is None or not bake.under_way:
        raise RefusedError("no bake is under way")
    return bake


async def _plan_extend(desk: Desk, order: Order) -> Preview:
    bake = _bake(desk.view)
    longest = (bake.maximum_s + bake.extended_s) // 60
    return plain_preview(order, from_what=f"at most {longest} min", to_what="longer: a deviation")


async def _extend(desk: Desk, order: Order) -> Reply:
    _bake(desk.view)
    minutes = _minutes(order, LONGEST_EXTENSION_MIN)
    body = BakeExtended(minutes, order.need("reason", "a reason"))
    await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"the bake may last {minutes} minutes longer")


async def _plan_finish(desk: Desk, order: Order) -> Preview:
    bake = _bake(desk.view)
    return plain_preview(
        order,
        environment=Tier.PRODUCTION,
        tier=Tier.PRODUCTION,
        from_what=f"{bake.good_s // 60} of {bake.minimum_s // 60} min seen good",
        to_what="finished; item 9.4 is not passed by this",
        blast=("nobody counts good seconds any more; the stop conditions stay on watch",),
        phrase=phrase_of(desk.view),
    )


async def _finish(desk: Desk, order: Order) -> Reply:
    bake = _bake(desk.view)
    body = BakeFinished(bake.good_s, BakeState.FINISHED, order.need("reason", "a reason"))
    await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"the bake is finished after {bake.good_s} s seen good: a deviation")


EFFECTS = {
    "condition.mute": Effect(_plan_mute, _mute),
    "bake.extend": Effect(_plan_extend, _extend),
    "bake.finish": Effect(_plan_finish, _finish),
}
