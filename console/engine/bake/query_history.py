"""What a stop condition is judged by, fetched from Prometheus: its history, a second source, its baseline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from state.base.text import line
from state.base.times import SECOND_US
from state.conditions.evaluate import Baseline, ConditionSpec, Samples, Source, baselines
from state.conditions.release import Gathered, Release
from state.conditions.samples import LONGEST, Moment, source_at, spell
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
        self, condition: StopCondition, spec: ConditionSpec, release: Release, from_us: int, now_us: int
    ) -> Gathered:
        """Return the history that ``for`` is measured over, and what it is held against."""
        end = now_us // SECOND_US // self._step * self._step
        # Longer than ``for``: the newest sample may lag by max_age, and the breach's start must be visible.
        pad = spec.max_age_s + 4 * self._step
        begin = max(from_us / SECOND_US, now_us / SECOND_US - spec.for_s - pad)
        start = min(end, int(begin // self._step * self._step))
        asked = [self._source(condition.env, condition.bad, condition.total, condition.value, start, end)]
        two = condition.second
        if two is not None:
            asked.append(self._source(condition.env, two.bad, two.total, two.value, start, end))
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
        return await self._source(condition.env, condition.bad, condition.total, condition.value, start, end)

    async def _source(
        self, env: Tier, bad: str | None, total: str | None, value: str | None, start: int, end: int
    ) -> Source:
        if total is None:
            return Source(await self._range(env, value or "", start, end))
        both = await asyncio.gather(
            self._range(env, bad or "", start, end), self._range(env, total, start, end)
        )
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
    gathered: Sequence[tuple[StopCondition, Gathered]], after_us: int, end_us: int, step_us: int
) -> list[Draft]:
    """Return what conditions are judged by at each time in (``after_us``, ``end_us``], to be judged again later."""
    drafts = []
    for at in range(after_us + step_us, end_us + 1, step_us):
        lines = [f"{condition.id}={spell(_moment(condition, got, at))}" for condition, got in gathered]
        drafts += [Draft(ConditionSamples(at, one)) for one in _short(lines)]
    return drafts


def _moment(condition: StopCondition, got: Gathered, at: int) -> Moment:
    bad, total = source_at(got.source, at)
    second = None if got.second is None else source_at(got.second, at)
    relative = condition.baseline is not None
    before = (got.baseline or {}).get(at)
    return Moment(bad, total, condition.value is None, second, before, relative)


def _short(parts: Sequence[str]) -> list[str]:
    """Join parts to texts that each make a small event."""
    texts: list[str] = []
    for part in parts:
        if texts and len(texts[-1]) + len(part) < LONGEST:
            texts[-1] += f";{part}"
        else:
            texts.append(part)
    return texts
