"""The bake: after the production release only those seconds count that were seen to be good."""

from __future__ import annotations

from console.engine.record.journal import Journal
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.events.bake import BakeFinished, BakeProgress, BakeStarted
from state.events.event import Draft
from state.runbook.models import Runbook
from state.view.enums import (
    AlertState,
    BakeState,
    ConditionState,
    LaunchState,
    OperationKind,
    OperationState,
    Tier,
)
from state.view.launch import BakeView, LaunchView, OperationView
from state.view.pods import serves, unready
from state.view.rollbacks import newest_release

_LONGEST_STEP = 4
"""Intervals: a longer silence between two looks was not seen."""


class Bake:
    """Keeps the bake's clock. What it had counted is resumed from the log."""

    def __init__(self, journal: Journal, runbook: Runbook) -> None:
        self._journal = journal
        self._minimum_s = round(runbook.bake.minimum)
        self._maximum_s = round(runbook.bake.maximum)
        self._settle_us = int(runbook.bake.settle * SECOND_US)
        self._longest_us = int(_LONGEST_STEP * runbook.bake.interval * SECOND_US)
        self._last_us: int | None = None
        """When production was last seen good, on the clock that never jumps."""
        self._part_us = 0
        """Good microseconds that don't make a whole second yet."""

    async def tick(self) -> None:
        """Start, count, stop or end the bake by what the newest evaluation of the conditions says."""
        view = self._journal.view
        released = _release(view)
        if released is not None and _begins(view, released):
            self._last_us, self._part_us = None, 0
            await self._journal.record(Draft(BakeStarted(self._minimum_s, self._maximum_s)))
            view = self._journal.view
        bake = view.bake
        if bake is None or not bake.under_way:
            self._last_us = None
            return
        over = _over(view, bake)
        if over is not None:
            await self._finish(bake.good_s, *over)
            return
        await self._count(view, bake)

    async def _count(self, view: LaunchView, bake: BakeView) -> None:
        why = self._why_not(view, bake)
        now_us = self._journal.clock.mono_us()
        good_s = bake.good_s
        if not why and self._last_us is not None:
            self._part_us += min(now_us - self._last_us, self._longest_us)
            good_s += self._part_us // SECOND_US
            self._part_us %= SECOND_US
        self._last_us = None if why else now_us
        if good_s >= self._minimum_s:
            await self._finish(good_s, BakeState.DONE, "")
            return
        state = BakeState.STOPPED if why else BakeState.RUNNING
        if (bake.good_s, bake.state, bake.why) != (good_s, state, why):
            await self._journal.record(Draft(BakeProgress(good_s, state, why)))

    def _why_not(self, view: LaunchView, bake: BakeView) -> str:
        now_us = self._journal.clock.wall_us()
        if bake.overdue(now_us):
            longest = (bake.maximum_s + bake.extended_s) // 60
            seen = f"{bake.good_s // 60} of {bake.minimum_s // 60} min were seen good"
            return f"{longest} min are over and {seen}: extend the bake, finish it, or roll back"
        return _why_not(view) or unseen(view) or trouble(view, bake, now_us, self._settle_us)

    async def _finish(self, good_s: int, outcome: BakeState, why: str) -> None:
        self._last_us = None
        await self._journal.record(Draft(BakeFinished(good_s, outcome, why)))


def _release(view: LaunchView) -> OperationView | None:
    """Return the production release that stands, or None where the newest attempt didn't succeed."""
    newest = newest_release(view)
    if newest is None or newest.kind != OperationKind.DEPLOY or newest.state is not OperationState.SUCCEEDED:
        return None
    return newest


def _begins(view: LaunchView, released: OperationView) -> bool:
    bake = view.bake
    if bake is None or bake.started_us < released.finished_us:
        return True
    # Somebody acknowledged every trip and kept the release: it is watched from the start again.
    return bake.state is BakeState.TRIPPED and not _tripped(view)


def _over(view: LaunchView, bake: BakeView) -> tuple[BakeState, str] | None:
    """Return how and why the bake ends before its time, or None."""
    tripped = _tripped(view)
    if tripped:
        return BakeState.TRIPPED, tripped
    newest = newest_release(view)
    if newest is not None and newest.intended_us > bake.started_us:
        return BakeState.ENDED, f"{newest.id} was started"
    if view.state in {LaunchState.SCRUBBED, LaunchState.CLOSED}:
        return BakeState.ENDED, f"the launch is {view.state}"
    return None


def _tripped(view: LaunchView) -> str:
    return ", ".join(
        c.id
        for c in view.conditions
        if c.env == Tier.PRODUCTION and c.state is ConditionState.TRIPPED and not c.shadow
    )


def _why_not(view: LaunchView) -> str:
    """Return why these seconds don't count, or nothing where they do."""
    if view.hold is not None:
        return f"held by {view.hold.by}: {view.hold.reason}"
    watching = [c for c in view.conditions if c.env == Tier.PRODUCTION and not c.shadow]
    if not watching:
        return "no stop condition watches production"
    bad = [f"{c.id} is {c.state}" for c in watching if c.state is not ConditionState.OK]
    return ", ".join(bad)


def unseen(view: LaunchView) -> str:
    """Return what of production nobody sees, or nothing: what isn't seen isn't good.

    A source that nothing was heard of yet isn't seen either, and no pod at all is no pod that is ready.
    """
    env = Tier.PRODUCTION
    told = _lost(view, f"kubernetes/{env}")
    if told:
        return f"pods can't be seen: {told}"
    if told := _told(view, f"unreadable pods/{env}"):
        return f"not every pod can be seen: {told}"
    if not any(pod.env == env and serves(pod) for pod in view.pods.values()):
        return "pods can't be seen: there is none in production"
    told = _lost(view, f"alertmanager/{env}")
    return f"alerts can't be seen: {told}" if told else ""


def _told(view: LaunchView, name: str) -> str:
    source = view.sources.get(name)
    return source.reason if source is not None and not source.ok else ""


def _lost(view: LaunchView, name: str) -> str:
    source = view.sources.get(name)
    if source is None:
        return "nothing was heard of them yet"
    return "" if source.ok else source.reason or "they don't answer"


def trouble(view: LaunchView, bake: BakeView, now_us: int, settle_us: int) -> str:
    """Return what pods and alerts say against these seconds, or nothing."""
    restarted = [words for at, words in bake.restarts if now_us - at < settle_us]
    if restarted:
        return restarted[-1]
    if names := unready(view.pods.values(), Tier.PRODUCTION, now_us):
        return f"{plural(len(names), 'pod is', 'pods are')} not ready: {', '.join(names[:3])}"
    news = [a for key, a in view.alerts.items() if a.state is AlertState.FIRING and key not in bake.alerts]
    return f"alert {news[0].alert} fires: {news[0].summary}" if news else ""
