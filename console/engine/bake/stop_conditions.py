"""Stop conditions, evaluated at every interval in every phase; a trip does what the runbook asks for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from console.engine.bake.on_trip import MayRollback, Rollback, Trips
from console.engine.bake.query_history import Gatherer, sample_drafts
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from state.base.times import SECOND_US
from state.conditions.evaluate import Judgement
from state.conditions.release import (
    Gathered,
    Release,
    changed_body,
    counted_from,
    distrust,
    judge,
    release_of,
    spec_of,
)
from state.events.event import Draft
from state.runbook.models import Runbook, StopCondition
from state.view.enums import ConditionState
from state.view.launch import ConditionView

__all__ = ["Conditions", "release_of"]

BACKFILL_STEPS = 4
"""How many recorded times before the release are made up for."""


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What was found of a condition at one moment, and of which release."""

    condition: StopCondition
    release: Release
    gathered: Gathered
    judged: Judgement


class Conditions:
    """Evaluates the stop conditions of a runbook."""

    def __init__(
        self,
        journal: Journal,
        runbook: Runbook,
        clients: ClientsPort,
        rollback: Rollback,
        may_rollback: MayRollback | None = None,
    ) -> None:
        self._journal = journal
        self._conditions = runbook.conditions
        self._step = max(1, round(runbook.bake.interval))
        self._gatherer = Gatherer(clients, self._step)
        self._trips = Trips(journal, rollback, may_rollback)

    async def tick(self) -> None:
        """Evaluate every condition once, and act on what tripped."""
        now_us = self._journal.clock.wall_us()
        looks = await asyncio.gather(*(self._look(c, now_us) for c in self._conditions))
        # Recorded before acting: `judge` must be able to find what a trip was based on.
        await self._remember(looks, now_us)
        for look in looks:
            await self._tell(look, now_us)
            if not look.condition.shadow:
                await self._trips.act(look.condition)

    async def _look(self, condition: StopCondition, now_us: int) -> _Evaluation:
        view = self._journal.view
        release = release_of(view, condition.env.value, now_us)
        spec = spec_of(condition, self._step)
        old = view.condition(condition.id)
        from_us = counted_from(spec, old, release, now_us)
        gathered = await self._gatherer.gather(condition, spec, release, from_us, now_us)
        doubt = distrust(self._journal.view, condition.env.value)
        judged = judge(spec, old, release, gathered, now_us, doubt=doubt)
        return _Evaluation(condition, release, gathered, judged)

    async def _remember(self, looks: list[_Evaluation], now_us: int) -> None:
        step_us = self._step * SECOND_US
        end_us = now_us // step_us * step_us
        view = self._journal.view
        active = [c for c in self._conditions if release_of(view, c.env.value, now_us).active]
        longest_s = max((c.for_ + c.max_age for c in active), default=0.0)
        earliest = end_us - max(BACKFILL_STEPS * step_us, int(longest_s) * SECOND_US // step_us * step_us)
        drafts = sample_drafts(
            [(look.condition, look.gathered) for look in looks],
            max(view.judged_us // step_us * step_us, earliest),
            end_us,
            step_us,
        )
        if drafts:
            await self._journal.record_many(drafts)

    async def _tell(self, look: _Evaluation, now_us: int) -> None:
        condition, judged = look.condition, look.judged
        view = self._journal.view
        old = view.condition(condition.id)
        release = release_of(view, condition.env.value, now_us)
        if release.seq != look.release.seq:
            return  # a deploy was intended meanwhile: this was judged of what was there before it
        active = release.active
        news = old is None or _shown(old) != _shown_new(judged, active, condition.threshold)
        # A breach is reported every tick: the screens show its running time.
        if not news and judged.state is not ConditionState.BREACHING:
            return
        body = changed_body(condition.id, old, judged, now_us, release)
        await self._journal.record(Draft(body))


def _shown(old: ConditionView) -> tuple[object, ...]:
    return old.state, _rounded(old.value, old.threshold), old.reason, old.active


def _shown_new(judged: Judgement, active: bool, threshold: float) -> tuple[object, ...]:
    return judged.state, _rounded(judged.value, threshold), judged.reason[:400], active


def _rounded(value: float | None, threshold: float) -> int | str | None:
    """Return what of a value is worth an event: its place in twentieths of the threshold."""
    if value is None:
        return None
    return round(value / threshold * 20) if threshold > 0 else f"{value:.2g}"
