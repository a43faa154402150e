"""What a tripped or a blind stop condition leads to: a hold, or a rollback after a countdown that a hold stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.engine.record.journal import Journal
from state.base.times import SECOND_US
from state.events.bake import ConditionCountdown
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
    """Acts for the engine on what conditions say. Blind is never a reason to roll back."""

    def __init__(self, journal: Journal, rollback: Rollback, may_rollback: MayRollback | None) -> None:
        self._journal = journal
        self._rollback = rollback
        self._may_rollback = may_rollback
        self._answered: set[tuple[str, int]] = set()
        """Trips and blind stretches that were acted upon, by condition and beginning."""

    async def act(self, condition: StopCondition) -> None:
        """Do what the runbook asks for, if anything is to be done now."""
        now = self._journal.view.condition(condition.id)
        if now is None or not now.active:
            return
        if now.state is ConditionState.TRIPPED:
            await self._tripped(condition, now)
        elif now.state.blind:
            await self._blind(condition, now)

    async def _tripped(self, condition: StopCondition, now: ConditionView) -> None:
        key = (condition.id, now.tripped_us)
        if condition.on_trip is OnTrip.ASK or key in self._answered:
            return
        why = f"stop condition {condition.id} tripped"
        if condition.on_trip is OnTrip.ROLLBACK and condition.env is Tier.PRODUCTION:
            stays = await self._rolls_back(condition, now)
            if stays is None:
                return
            why = f"{stays}; {why}" if stays else why
        self._answered.add(key)
        await self._hold(why)

    async def _rolls_back(self, condition: StopCondition, now: ConditionView) -> str | None:
        """Count down and roll back: None. Where a hold is what remains: what to say of it beside the trip."""
        view = self._journal.view
        since = rollbacks_since(view, condition.env, now.tripped_us)
        if any(o.state is OperationState.SUCCEEDED for o in since):
            self._answered.add((condition.id, now.tripped_us))
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
            self._answered.add((condition.id, now.tripped_us))
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
        key = (condition.id, now.since_us)
        if not baking or blind_us < condition.blind_grace * SECOND_US or key in self._answered:
            return
        self._answered.add(key)
        await self._hold(
            f"stop condition {condition.id} is blind for {blind_us // SECOND_US} s: {now.reason}"
        )

    async def _hold(self, reason: str) -> None:
        if self._journal.view.state is LaunchState.RUNNING:
            await self._journal.record(Draft(LaunchHeld(reason[:400])))


def _hopeless(view: LaunchView, env: str, tripped_us: int) -> str:
    """Return why a rollback by itself would not help after a trip, or nothing.

    The engine's own is tried once for a trip: what made it fail would make it fail again. That it was tried is read
    from the log, so that an engine that was started anew knows it too.
    """
    if (own := failed_by_itself(view, env, tripped_us)) is not None:
        ended = "has no known end" if own.state is OperationState.UNKNOWN else own.state.value
        return f"automatic rollback {ended}: {own.verdict}"
    return f"{env} was rolled back already" if was_back_before(view, env, tripped_us) else ""
