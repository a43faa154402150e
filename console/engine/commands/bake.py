"""The watch after a release: mute a condition for a while, extend the bake, finish it early. Each is a deviation."""

from __future__ import annotations

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.commands import Reply
from state.events.bake import BakeExtended, BakeFinished, ConditionMuted
from state.events.event import Draft
from state.view.enums import BakeState, ConditionState, Tier, tier_of
from state.view.launch import BakeView, ConditionView, LaunchView
from state.view.preview import Preview

LONGEST_MUTE_MIN = 30
LONGEST_EXTENSION_MIN = 240

_BAKE = "launch.bake"
"""The kind of check that wants the minimum seen good: a bake that a person finishes doesn't pass it."""


_TWO = "a mute takes a second person"


def _condition(context: CommandContext, request: CommandRequest) -> ConditionView:
    name = request.need("condition", "a stop condition")
    found = context.view.condition(name)
    if found is None:
        raise CommandRefusedError(f"there is no stop condition {name}")
    if found.state is ConditionState.TRIPPED:
        raise CommandRefusedError(f"{name} is TRIPPED: a trip is acknowledged, not muted")
    return found


async def _plan_mute(context: CommandContext, request: CommandRequest) -> Preview:
    condition = _condition(context, request)
    minutes = request.whole("minutes", "minutes", LONGEST_MUTE_MIN) if request.text("minutes") else 0
    length = f"for {plural(minutes, 'minute')}" if minutes else f"for at most {LONGEST_MUTE_MIN} minutes"
    return plain_preview(
        request,
        allowed=False,
        reason=_TWO,
        override_allowed=True,
        against=(_TWO,),
        environment=condition.env,
        tier=tier_of(condition.env),
        from_what=condition.state.value,
        to_what=f"MUTED, {length}",
        blast=(
            "it is evaluated and recorded, and stops nothing meanwhile",
            "a breach that began meanwhile trips it when the mute ends",
            "the bake's clock stands still",
        ),
        phrase=f"mute {condition.id}",
    )


async def _mute(context: CommandContext, request: CommandRequest) -> Reply:
    condition = _condition(context, request)
    minutes = request.whole("minutes", "minutes", LONGEST_MUTE_MIN)
    reason, granted = request.need("reason", "a reason"), request.granted
    if granted is None:
        raise CommandRefusedError(_TWO)
    until_us = context.clock.wall_us() + minutes * 60 * SECOND_US
    body = ConditionMuted(condition.id, reason, until_us, granted.granted_by, granted.seq)
    await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"{condition.id} is muted for {plural(minutes, 'minute')}: a deviation")


def _bake(view: LaunchView) -> BakeView:
    bake = view.bake
    if bake is None or not bake.under_way:
        raise CommandRefusedError("no bake is under way")
    return bake


async def _plan_extend(context: CommandContext, request: CommandRequest) -> Preview:
    bake = _bake(context.view)
    longest = (bake.maximum_s + bake.extended_s) // 60
    return plain_preview(request, from_what=f"at most {longest} min", to_what="longer: a deviation")


async def _extend(context: CommandContext, request: CommandRequest) -> Reply:
    _bake(context.view)
    minutes = request.whole("minutes", "minutes", LONGEST_EXTENSION_MIN)
    body = BakeExtended(minutes, request.need("reason", "a reason"))
    await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"the bake may last {minutes} minutes longer")


async def _plan_finish(context: CommandContext, request: CommandRequest) -> Preview:
    bake, gates = _bake(context.view), context.view.gates
    judged = [i.id for gate in gates for i in gate.items if _BAKE in {check.kind for check in i.checks}]
    still = f"; item {' '.join(judged)} is not passed by this" if judged else ""
    return plain_preview(
        request,
        environment=Tier.PRODUCTION,
        tier=Tier.PRODUCTION,
        from_what=f"{bake.good_s // 60} of {bake.minimum_s // 60} min healthy",
        to_what=f"finished{still}",
        blast=("nobody counts good seconds any more; the stop conditions stay on watch",),
        phrase="end the bake",
    )


async def _finish(context: CommandContext, request: CommandRequest) -> Reply:
    bake = _bake(context.view)
    body = BakeFinished(bake.good_s, BakeState.FINISHED, request.need("reason", "a reason"))
    await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"the bake is finished after {bake.good_s} s seen good: a deviation")


EFFECTS = {
    "condition.mute": Effect(_plan_mute, _mute),
    "bake.extend": Effect(_plan_extend, _extend),
    "bake.finish": Effect(_plan_finish, _finish),
}
