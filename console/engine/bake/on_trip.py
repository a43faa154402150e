"""What a tripped or a blind stop condition leads to: a hold, or a rollback after a countdown that a hold stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.engine.record.journal import Journal
from state.base.times import SECOND_US
from state.events.bake import ConditionAnswered, ConditionCountdown
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.runbook.models import OnTrip, StopCondition
from state.view.enums import ConditionState, LaunchState, OperationState, Tier
from state.view.launch import ConditionView, LaunchView
from state.view.rollbacks import ENGINE, failed_by_itself, rollbacks_since, was_back_before

Rollback = Callable[[str], Awaitable[bool]]
"""Starts the rollback for a condition by the engine's own command; False where it was refused."""
MayRollback = Callable[[], Awaitable[str]]
"""Returns why a rollback would be refused now (a migration's interlock), or nothing."""

LATE_S = 60
"""A countdown that ended longer ago was not watched by anybody: it begins again."""


class Trips:
    """Acts for the engine on what conditions say, once for each trip and each blindness; the log knows what it did.

    Blind is never a reason to roll back.
    """

    def __init__(self, journal: Journal, rollback: Rollback, may_rollback: MayRollback | None) -> None:
        self._journal = journal
        self._rollback = rollback
        self._may_rollback = may_rollback

    async def act(self, condition: StopCondition) -> None:
        """Do what the runbook asks for, if anything is to be done now."""
        now = self._journal.view.condition(condition.id)
        if now is None or not now.active or now.answered:
            return
        if now.state is ConditionState.TRIPPED:
            await self._tripped(condition, now)
        elif now.state.blind:
            await self._blind(condition, now)

    async def _tripped(self, condition: StopCondition, now: ConditionView) -> None:
        if condition.on_trip is OnTrip.ASK:
            return
        why = f"stop condition {condition.id} tripped"
        if condition.on_trip is OnTrip.ROLLBACK and condition.env is Tier.PRODUCTION:
            stays = await self._rolls_back(condition, now)
            if stays is None:
                return
            why = f"{stays}; {why}" if stays else why
        await self._hold(now, why)

    async def _rolls_back(self, condition: StopCondition, now: ConditionView) -> str | None:
        """Count down and roll back: None. Where a hold is what remains: what to say of it beside the trip."""
        view = self._journal.view
        since = rollbacks_since(view, condition.env, now.tripped_us)
        if any(o.state is OperationState.SUCCEEDED for o in since):
            await self._journal.record(_answered(now, f"{condition.env} was rolled back"))
            return None
        running = view.running()
        if running is not None and running in since:
            return None  # how it ends is looked at when it has ended, our own one's end too
        if now.disarmed:
            return ""
        if running is None and (hopeless := _hopeless(view, condition.env, now.tripped_us)):
            await self._countdown(condition.id, 0, hopeless)
            return hopeless
        if view.hold is not None and view.hold.by != ENGINE:
            await self._countdown(condition.id, 0, f"held by {view.hold.by}")
            return ""
        if running is not None:
            return None  # one operation at a time: asked again at the next interval
        return await self._begins(condition, now)

    async def _begins(self, condition: StopCondition, now: ConditionView) -> str | None:
        now_us = self._journal.clock.wall_us()
        if condition.rollback_after and not self._ran_out(now, now_us):
            return None if await self._count(condition, now, now_us) else ""
        if await self._rollback(condition.id):
            return None
        await self._countdown(condition.id, 0, "the rollback was refused")
        return ""

    def _ran_out(self, now: ConditionView, now_us: int) -> bool:
        return (
            bool(now.rolls_back_us) and now.rolls_back_us <= now_us < now.rolls_back_us + LATE_S * SECOND_US
        )

    async def _count(self, condition: StopCondition, now: ConditionView, now_us: int) -> bool:
        if now.rolls_back_us > now_us:
            return True
        refused = "" if self._may_rollback is None else await self._may_rollback()
        if refused:
            # The command itself says so in the log, with the engine as the one who was refused.
            await self._rollback(condition.id)
            await self._countdown(condition.id, 0, refused)
            return False
        until_us = now_us + int(condition.rollback_after * SECOND_US)
        await self._countdown(condition.id, until_us, "")
        return True

    async def _countdown(self, condition: str, until_us: int, reason: str) -> None:
        await self._journal.record(Draft(ConditionCountdown(condition, until_us, reason[:400])))

    async def _blind(self, condition: StopCondition, now: ConditionView) -> None:
        view = self._journal.view
        baking = view.bake is not None and view.bake.under_way
        blind_us = self._journal.clock.wall_us() - now.since_us
        if not baking or blind_us < condition.blind_grace * SECOND_US:
            return
        await self._hold(
            now, f"stop condition {condition.id} is blind for {blind_us // SECOND_US} s: {now.reason}"
        )

    async def _hold(self, now: ConditionView, reason: str) -> None:
        """Hold the launch, and say that this was the answer, both or neither: an engine may end between the two."""
        if self._journal.view.state is LaunchState.RUNNING:
            held = Draft(LaunchHeld(reason[:400]))
            await self._journal.record_many((held, _answered(now, "the launch is held for it")))
        else:
            await self._journal.record(_answered(now, f"the launch was {self._journal.view.state} already"))


def _answered(now: ConditionView, how: str) -> Draft:
    return Draft(ConditionAnswered(now.id, now.release, how))


def _hopeless(view: LaunchView, env: str, tripped_us: int) -> str:
    """Return why a rollback by itself would not help after a trip, or nothing.

    The engine's own is tried once for a trip: what made it fail would make it fail again. That it was tried is read
    from the log, so that an engine that was started anew knows it too.
    """
    if (own := failed_by_itself(view, env, tripped_us)) is not None:
        ended = "has no known end" if own.state is OperationState.UNKNOWN else own.state.value
        return f"automatic rollback {ended}: {own.verdict}"
    return f"{env} was rolled back already" if was_back_before(view, env, tripped_us) else ""
