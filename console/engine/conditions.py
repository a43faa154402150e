"""Stop conditions, evaluated at every interval in every phase; a trip does what the runbook asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from checks.base import CouldNotLookError
from console.engine.journal import Journal
from console.engine.ports import SystemsPort
from state.clock import SECOND_US
from state.conditions import ConditionSpec, Judgement, Samples, evaluate
from state.events import Draft, Kind
from state.fields import JsonObject, decimal_text
from state.runbook.environment import Tier
from state.runbook.models import OnTrip, Runbook, StopCondition
from state.verdict import ConditionState, LaunchState, OperationState
from state.view import ConditionView, LaunchView

Rollback = Callable[[str], Awaitable[bool]]
"""Starts the rollback for a condition by the engine's own command; False where it was refused."""

_RELEASING = frozenset({"deploy", "rollback"})


@dataclass(frozen=True, slots=True)
class Release:
    """Since when conditions count for an environment."""

    at_us: int
    active: bool


def release_of(view: LaunchView, env: str, now_us: int) -> Release:
    """Return since when an environment's conditions count: from the newest release, or what runs there."""
    there = [o for o in view.operations if o.env == env]
    newest = next((o for o in reversed(there) if o.kind in _RELEASING), None)
    if newest is not None:
        done = newest.state is OperationState.SUCCEEDED
        return Release(newest.finished_us if done else newest.intended_us, active=True)
    if there and not there[-1].state.ended:
        return Release(there[-1].intended_us, active=True)
    return Release(now_us, active=False)


class Conditions:
    """Evaluates the stop conditions of a runbook."""

    def __init__(self, journal: Journal, runbook: Runbook, systems: SystemsPort, rollback: Rollback) -> None:
        self._journal = journal
        self._runbook = runbook
        self._systems = systems
        self._rollback = rollback
        self._step = max(1, round(runbook.bake.interval))
        self._answered: set[tuple[str, int]] = set()
        """Trips and blind stretches that were acted upon, by condition and beginning."""

    async def tick(self) -> None:
        """Evaluate every condition once, and act on what tripped."""
        now_us = self._journal.clock.wall_us()
        judged = await asyncio.gather(*(self._judge(c, now_us) for c in self._runbook.conditions))
        for condition, judgement in zip(self._runbook.conditions, judged, strict=True):
            await self._tell(condition, judgement, now_us)
            await self._act(condition)

    async def _judge(self, condition: StopCondition, now_us: int) -> Judgement:
        view = self._journal.view
        release = release_of(view, condition.env.value, now_us)
        spec = self._spec(condition)
        old = view.condition(condition.id)
        from_us = release.at_us if release.active else now_us - int(spec.for_s * SECOND_US)
        if old is not None and old.state is ConditionState.OK:
            # What was OK or acknowledged then is no breach now: the two steps are the newest samples.
            known_us = old.since_us - int((spec.warmup_s + 2 * self._step) * SECOND_US)
            from_us = max(from_us, known_us)
        main, total = await self._fetch(condition, spec, from_us, now_us)
        if not release.active:
            calm = evaluate(spec, main, total, now_us, from_us - int(spec.warmup_s * SECOND_US))
            reason = f"not released yet; now {calm.state}" + (f": {calm.reason}" if calm.reason else "")
            return Judgement(ConditionState.WARMUP, calm.value, reason=reason)
        return evaluate(spec, main, total, now_us, from_us, _latched(old))

    def _spec(self, condition: StopCondition) -> ConditionSpec:
        return ConditionSpec(
            id=condition.id,
            ratio=condition.value is None,
            threshold=condition.threshold,
            for_s=condition.for_,
            step_s=self._step,
            window_s=condition.window,
            min_events=condition.min_events,
            bad_absent_is_zero=condition.bad_absent_is_zero,
            reduce=condition.reduce,
            max_age_s=condition.max_age,
            warmup_s=condition.warmup,
            min_coverage=condition.min_coverage,
        )

    async def _fetch(
        self, condition: StopCondition, spec: ConditionSpec, from_us: int, now_us: int
    ) -> tuple[Samples, Samples | None]:
        """Return the history that ``for`` is measured over, at times that are multiples of the interval."""
        end = now_us // SECOND_US // self._step * self._step
        pad = spec.max_age_s + 4 * self._step
        start = max(from_us / SECOND_US, now_us / SECOND_US - spec.for_s - pad)
        start_s = int(start // self._step * self._step)
        main = condition.value or condition.bad or ""
        if condition.total is None:
            return await self._range(condition.env, main, start_s, end), None
        both = await asyncio.gather(
            self._range(condition.env, main, start_s, end),
            self._range(condition.env, condition.total, start_s, end),
        )
        return both[0], both[1]

    async def _range(self, env: Tier, query: str, start: int, end: int) -> Samples:
        try:
            found = await self._systems.prometheus(env).query_range(query, start, max(start, end), self._step)
        except CouldNotLookError as error:
            return Samples(error=str(error))
        return Samples(tuple(tuple((round(at * SECOND_US), v) for at, v in one.points) for one in found))

    async def _tell(self, condition: StopCondition, judged: Judgement, now_us: int) -> None:
        view = self._journal.view
        old = view.condition(condition.id)
        active = release_of(view, condition.env.value, now_us).active
        news = old is None or _shown(old) != _shown_new(judged, active, condition.threshold)
        if not news and judged.state is not ConditionState.BREACHING:
            return
        value = None if judged.value is None else decimal_text(judged.value)
        body: JsonObject = {
            "id": condition.id,
            "state": judged.state.value,
            "value": value,
            "elapsed_s": int(judged.elapsed_s),
            "since_us": _since(old, judged, now_us),
            "reason": judged.reason[:400],
            "at_us": now_us,
            "active": active,
        }
        await self._journal.record(Draft(Kind.CONDITION_CHANGED, body))

    async def _act(self, condition: StopCondition) -> None:
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
        view = self._journal.view
        if condition.on_trip is OnTrip.ROLLBACK and condition.env is Tier.PRODUCTION:
            since = [o for o in view.operations if o.kind == "rollback" and o.intended_us >= now.tripped_us]
            if since:
                self._answered.add(key)
                return
            if view.running() is not None:
                return  # one operation at a time: asked again at the next interval
            self._answered.add(key)
            if await self._rollback(condition.id):
                return
        self._answered.add(key)
        await self._hold(f"stop condition {condition.id} tripped")

    async def _blind(self, condition: StopCondition, now: ConditionView) -> None:
        view = self._journal.view
        baking = view.bake is not None and view.bake.state in {"running", "stopped"}
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
            await self._journal.record(Draft(Kind.LAUNCH_HELD, {"reason": reason[:400]}))


def _latched(old: ConditionView | None) -> Judgement | None:
    if old is None or old.state is not ConditionState.TRIPPED:
        return None
    return Judgement(ConditionState.TRIPPED, old.value, old.elapsed_s, old.since_us)


def _shown(old: ConditionView) -> tuple[object, ...]:
    return old.state, _rounded(old.value, old.threshold), old.reason, old.active


def _shown_new(judged: Judgement, active: bool, threshold: float) -> tuple[object, ...]:
    return judged.state, _rounded(judged.value, threshold), judged.reason[:400], active


def _rounded(value: float | None, threshold: float) -> int | str | None:
    """Return what of a value is worth an event: its place in twentieths of the threshold."""
    if value is None:
        return None
    return round(value / threshold * 20) if threshold > 0 else f"{value:.2g}"


def _since(old: ConditionView | None, judged: Judgement, now_us: int) -> int:
    """Return when the breach began, or else when this state (for blind ones: blindness) was entered."""
    if judged.state in {ConditionState.BREACHING, ConditionState.TRIPPED} and judged.since_us:
        return judged.since_us
    if old is None or not old.since_us:
        return now_us
    same = old.state is judged.state or (old.state.blind and judged.state.blind)
    return old.since_us if same else now_us
