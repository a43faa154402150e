"""What a stop condition is judged by, fetched from Prometheus: its history, a second source, its baseline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from state.base.text import line
from state.base.times import SECOND_US
from state.conditions.evaluate import Baseline, ConditionSpec, Samples, Source, baselines
from state.conditions.look_back import LONGEST_US, POINTS, after, began_earlier, reach_us
from state.conditions.release import Gathered, Release, spec_of
from state.conditions.samples import LONGEST, ByTime, Moment, spell
from state.events.bake import ConditionSamples
from state.events.event import Draft
from state.runbook.conditions import StopCondition
from state.view.enums import Tier


class Gatherer:
    """Asks for samples at times that are multiples of the interval, so that each answer is about the same times."""

    def __init__(self, clients: ClientsPort, step: int) -> None:
        self._clients = clients
        self._step = step
        self._before: dict[tuple[str, int], Source] = {}
        """Baselines before the launch, which no longer change, by condition and time."""

    async def gather(
        self,
        condition: StopCondition,
        spec: ConditionSpec,
        release: Release,
        from_us: int,
        now_us: int,
        *,
        judged_us: int | None = None,
    ) -> Gathered:
        """Return the history that ``for`` is measured over, and what it is held against.

        Everything after ``from_us`` counts; what was judged until ``judged_us`` (None: until now) is asked for again
        only as far as it matters: see ``state.conditions.look_back``.
        """
        end = self._whole(now_us)
        earliest = self._whole(max(from_us, now_us - LONGEST_US))
        last_us = now_us if judged_us is None else min(judged_us, now_us)
        start = min(end, max(earliest, self._whole(last_us - reach_us(spec))))
        found = await self._pieces(condition, spec, release, start, end)
        since_us = start * SECOND_US
        while start > earliest and began_earlier(spec, found):
            before = max(earliest, start - POINTS * self._step)
            found = after(await self._piece(condition, spec, release, before, start - self._step), found)
            start = before
        return replace(found, since_us=since_us)

    def _whole(self, at_us: int) -> int:
        """Return the newest time of a sample that is not after a moment, in seconds."""
        return at_us // SECOND_US // self._step * self._step

    async def _pieces(
        self, condition: StopCondition, spec: ConditionSpec, release: Release, start: int, end: int
    ) -> Gathered:
        """Return a stretch of history, asked for in pieces that no server refuses."""
        first = min(end, start + (POINTS - 1) * self._step)
        found = await self._piece(condition, spec, release, start, first)
        while first < end:
            start, first = first + self._step, min(end, first + POINTS * self._step)
            found = after(found, await self._piece(condition, spec, release, start, first))
        return found

    async def _piece(
        self, condition: StopCondition, spec: ConditionSpec, release: Release, start: int, end: int
    ) -> Gathered:
        asked = [self._source(condition.env, condition.main, condition.total, start, end)]
        two = condition.second
        if two is not None:
            asked.append(self._source(condition.env, two.main, two.total, start, end))
        found = await asyncio.gather(*asked)
        baseline = await self._baseline(condition, spec, release, start, end)
        return Gathered(found[0], found[1] if two is not None else None, baseline)

    async def _baseline(
        self, condition: StopCondition, spec: ConditionSpec, release: Release, start: int, end: int
    ) -> Baseline | None:
        if condition.baseline is None:
            return None
        span, times = int(spec.span_s), range(start, end + 1, self._step)
        if spec.offset_s is None:
            last = release.before_us // SECOND_US // self._step * self._step
            key = (condition.id, last)
            source = self._before.get(key) or await self._earlier(condition, last - span, last)
            if release.active and not source.main.error:
                self._before[key] = source
        else:
            offset = int(spec.offset_s)
            source = await self._earlier(condition, start - offset - span, end - offset)
        return baselines(spec, source, [at * SECOND_US for at in times])

    async def _earlier(self, condition: StopCondition, start: int, end: int) -> Source:
        return await self._source(condition.env, condition.main, condition.total, start, end)

    async def _source(self, env: Tier, main: str, total: str | None, start: int, end: int) -> Source:
        if total is None:
            return Source(await self._range(env, main, start, end))
        both = await asyncio.gather(self._range(env, main, start, end), self._range(env, total, start, end))
        return Source(*both)

    async def _range(self, env: Tier, query: str, start: int, end: int) -> Samples:
        try:
            found = await self._clients.prometheus(env).query_range(query, start, end, self._step)
        except CouldNotLookError as error:
            return Samples(error=str(error))
        names = tuple(
            line(", ".join(f"{k}={v}" for k, v in sorted(one.labels.items())), 200) for one in found
        )
        series = tuple(tuple((round(at * SECOND_US), v) for at, v in one.points) for one in found)
        return Samples(series, names=names)


def sample_drafts(
    gathered: Sequence[tuple[StopCondition, Gathered, int]], known_us: int, end_us: int, step_us: int
) -> list[Draft]:
    """Return what conditions are judged by at each time until ``end_us``, to be judged again later.

    Samples until ``known_us`` are recorded already; with each condition comes the moment after which those are
    recorded once more that weren't there then.
    """
    drafts = []
    begin_us = min((after_us for _, _, after_us in gathered), default=end_us)
    moments = [(c.id, after_us, _moments(c, got, step_us)) for c, got, after_us in gathered]
    for at in range(begin_us + step_us, end_us + 1, step_us):
        lines = []
        for name, after_us, moment in moments:
            if at > after_us and ((told := moment(at)).seen or at > known_us):
                lines.append(f"{name}={spell(told)}")
        drafts += [Draft(ConditionSamples(at, one)) for one in _short(lines)]
    return drafts


def _moments(condition: StopCondition, got: Gathered, step_us: int) -> Callable[[int], Moment]:
    spec = spec_of(condition, step_us / SECOND_US)
    main = ByTime(spec, got.source)
    second = None if got.second is None else ByTime(spec, got.second)

    def moment(at: int) -> Moment:
        bad, total = main.pair(at)
        two = None if second is None else second.pair(at)
        before = (got.baseline or {}).get(at)
        return Moment(bad, total, spec.ratio, two, before, condition.baseline is not None)

    return moment


def _short(parts: Sequence[str]) -> list[str]:
    """Join parts to texts that each make a small event."""
    texts: list[str] = []
    for part in parts:
        if texts and len(texts[-1]) + len(part) < LONGEST:
            texts[-1] += f";{part}"
        else:
            texts.append(part)
    return texts
