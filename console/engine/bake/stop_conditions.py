"""Stop conditions, evaluated at every interval in every phase; a trip does what the runbook asks for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from console.engine.bake.on_trip import MayRollback, Rollback, Trips
from console.engine.bake.query_history import Gatherer, sample_drafts
from console.engine.bake.selector_watch import SelectorWatch
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from state.base.times import SECOND_US
from state.conditions.evaluate import Judgement
from state.conditions.look_back import LONGEST_US, judged_now, judged_until, reach_us
from state.conditions.release import (
    Gathered,
    Release,
    changed_body,
    counted_from,
    distrust,
    judge,
    release_of,
    replaced,
    spec_of,
)
from state.events.event import Draft
from state.runbook.models import Runbook, StopCondition
from state.view.enums import ConditionState
from state.view.launch import ConditionView

__all__ = ["Conditions", "release_of"]

_TOGETHER = 500
"""Events that are written at once, where a long time is made up for."""
BACKFILL_STEPS = 4
"""How many recorded times before the release are made up for."""


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What was found of a condition at one moment, and of which release."""

    condition: StopCondition
    release: Release
    gathered: Gathered
    judged: Judgement
    before_us: int
    """Until when it had been judged before."""
    judged_us: int
    """Until when it is judged now."""


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
        self._selectors = SelectorWatch(clients, runbook.conditions)
        self._trips = Trips(journal, rollback, may_rollback)
        self._judged: dict[str, int] = {}
        """Until when this engine judged each condition, by its id."""

    async def tick(self) -> None:
        """Evaluate every condition once, and act on what tripped."""
        now_us = self._journal.clock.wall_us()
        await self._selectors.tick(now_us)
        looks = await asyncio.gather(*(self._look(c, now_us) for c in self._conditions))
        # Told before the samples: they say what is judged, so a trip must be in the log when they are.
        for look in looks:
            await self._tell(look, now_us)
        # Recorded before acting: `judge` must be able to find what a trip was based on.
        await self._remember(looks, now_us)
        for look in looks:
            self._judged[look.condition.id] = look.judged_us
            if not look.condition.shadow:
                await self._trips.act(look.condition)

    async def _look(self, condition: StopCondition, now_us: int) -> _Evaluation:
        view = self._journal.view
        release = release_of(view, condition.env.value, now_us)
        spec = spec_of(condition, self._step)
        old = view.condition(condition.id)
        from_us = counted_from(spec, old, release, now_us)
        if old is not None and old.state is ConditionState.TRIPPED:
            from_us = max(from_us, now_us - reach_us(spec))  # where the breach began is known
        before_us = self._judged.get(condition.id, judged_until(view, old)) if release.active else now_us
        gathered = await self._gatherer.gather(condition, spec, release, from_us, now_us, judged_us=before_us)
        doubt = distrust(self._journal.view, condition.env.value)
        lame = self._selectors.wrong(condition)
        judged = judge(spec, old, release, gathered, now_us, doubt=doubt, lame=lame)
        judged_us = judged_now(spec, gathered, before_us, now_us)
        return _Evaluation(condition, release, gathered, judged, before_us, judged_us)

    async def _remember(self, looks: list[_Evaluation], now_us: int) -> None:
        step_us = self._step * SECOND_US
        end_us = now_us // step_us * step_us
        view = self._journal.view
        known_us = view.judged_us // step_us * step_us
        recorded = []
        for look in looks:
            active = release_of(view, look.condition.env.value, now_us).active
            first_us = end_us - (LONGEST_US if active else BACKFILL_STEPS * step_us)
            # What a source tells later of a time for which it had nothing is recorded once more.
            again_us = max(look.before_us // step_us * step_us, look.gathered.since_us - step_us)
            after_us = min(known_us, again_us) if known_us else again_us
            recorded.append((look.condition, look.gathered, max(first_us, after_us)))
        drafts = sample_drafts(recorded, known_us, end_us, step_us)
        for index in range(0, len(drafts), _TOGETHER):
            await self._journal.record_many(drafts[index : index + _TOGETHER])

    async def _tell(self, look: _Evaluation, now_us: int) -> None:
        condition, judged = look.condition, look.judged
        view = self._journal.view
        old = view.condition(condition.id)
        release = release_of(view, condition.env.value, now_us)
        if release.seq != look.release.seq:
            return  # a deploy was intended meanwhile: this was judged of what was there before it
        body = changed_body(condition.id, old, judged, now_us, release, judged_us=look.judged_us)
        # A breach is reported every tick: the screens show its running time.
        if (
            judged.state is not ConditionState.BREACHING
            and old is not None
            and _shown(old) == _shown(replaced(old, body))
        ):
            return
        await self._journal.record(Draft(body))


def _shown(one: ConditionView) -> tuple[object, ...]:
    return (
        one.state,
        _rounded(one.value, one.threshold),
        one.reason,
        one.active,
        one.warns,
        bool(one.judged_us),
    )


def _rounded(value: float | None, threshold: float) -> int | str | None:
    """Return what of a value is worth an event: its place in twentieths of the threshold."""
    if value is None:
        return None
    return round(value / threshold * 20) if threshold > 0 else f"{value:.2g}"
