"""Samples of every graph: one event for each tick, and no number where there was none."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import TypeAlias

from checks.base import CouldNotLookError
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from console.engine.watch.source_health import record_source_health
from state.base.times import SECOND_US
from state.events.event import Draft
from state.events.samples import pack
from state.events.world import MetricBatch, MetricGap
from state.runbook.models import Graph, Runbook
from state.view.enums import Tier

BACKFILL_TICKS = 240
"""How far back, in ticks, samples are fetched that nobody was there to take."""
FIRST_TICKS = 40
"""What a new launch shows of the time before it."""
# Events per commit: an abort must not queue behind a backfill of 240.
_AT_ONCE = 20

Values: TypeAlias = Mapping[int, float | None]
"""By seconds since 1970."""


class Sampler:
    """Asks Prometheus for each series of each graph, at times that are multiples of the interval."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: ClientsPort) -> None:
        self._journal = journal
        self._graphs = runbook.graphs
        self._clients = clients
        self._step = max(1, round(runbook.bake.interval))
        self._blind = False

    async def run(self) -> None:
        """Sample at every interval of the clock, for ever."""
        clock = self._journal.clock
        while True:
            await self.tick()
            await clock.sleep(self._step - clock.wall_us() / SECOND_US % self._step)

    async def tick(self) -> None:
        """Take the samples that are due since the last ones."""
        now = self._journal.clock.wall_us() // SECOND_US
        end = now - now % self._step
        start = self._last(end) + self._step
        if start > end:
            return
        answers = await asyncio.gather(*(self._series(g, q, start, end) for g, q in self._queries()))
        failures: dict[Tier, str] = {}
        for (graph, _), answer in zip(self._queries(), answers, strict=True):
            if isinstance(answer, CouldNotLookError):
                failures.setdefault(graph.env, str(answer))
        tiers = {graph.env for graph in self._graphs}
        await self._tell(tiers, failures)
        if all(isinstance(answer, CouldNotLookError) for answer in answers):
            await self._gap(start, next(iter(failures.values()), "there are no graphs"))
            return
        self._blind = False
        await self._record(start, end, [{} if isinstance(a, CouldNotLookError) else a for a in answers])

    def _queries(self) -> list[tuple[Graph, int]]:
        return [(graph, index) for graph in self._graphs for index in range(len(graph.series))]

    def _last(self, end: int) -> int:
        """Return the time of the newest sample, in seconds, or where a first look begins."""
        points = [s.points[-1][0] for g in self._journal.view.graphs for s in g.series if s.points]
        if not points:
            return end - FIRST_TICKS * self._step
        last = max(points) // SECOND_US
        return max(last - last % self._step, end - BACKFILL_TICKS * self._step)

    async def _series(self, graph: Graph, index: int, start: int, end: int) -> Values | CouldNotLookError:
        try:
            client = self._clients.prometheus(graph.env)
            found = await client.query_range(graph.series[index].query, start, end, self._step)
        except CouldNotLookError as error:
            return error
        if len(found) != 1:
            return {}  # none, or several where one is expected: no number, never the first of many
        return {round(at): value if math.isfinite(value) else None for at, value in found[0].points}

    async def _record(self, start: int, end: int, answers: list[Values]) -> None:
        drafts = []
        for at in range(start, end + 1, self._step):
            values = iter([answer.get(at) for answer in answers])
            rows = [(graph.id, [next(values) for _ in graph.series]) for graph in self._graphs]
            drafts.append(Draft(MetricBatch(at * SECOND_US, pack(rows))))
        for first in range(0, len(drafts), _AT_ONCE):
            await self._journal.record_many(drafts[first : first + _AT_ONCE])

    async def _gap(self, start: int, reason: str) -> None:
        if self._blind or not self._graphs:
            return
        self._blind = True
        await self._journal.record(Draft(MetricGap(reason[:300], from_us=start * SECOND_US)))

    async def _tell(self, tiers: set[Tier], failures: Mapping[Tier, str]) -> None:
        for tier in sorted(tiers):
            failed = failures.get(tier)
            await record_source_health(
                self._journal, f"prometheus/{tier.value}", failed is None, failed or ""
            )
