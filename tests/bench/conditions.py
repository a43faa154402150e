"""``python -m tests.bench.conditions``: generated hours, judged as the engine does it and by the slow reference.

Each scenario is a release of some hours: counters of pods that restart, blips, outages, flapping, quiet times, lost
scrapes, long holes, and samples that come late. An engine looks at every interval, from the window that it asks
Prometheus for, with its latch; it sleeps, it is started anew, its Prometheus can't be reached for a while, and each
trip is acknowledged at once. The reference knows, at each of these looks, every sample that has arrived since the
release, and tries every pair of times. A difference is a look at which they don't say the same: whether it tripped,
and at each tenth look the whole state. Every scenario has a seed of its own, which is printed where they differ.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, cast

from checks.clients.prometheus import RangeSeries
from checks.errors import CouldNotLookError
from console.engine.bake.query_history import Gatherer
from console.engine.ports import ClientsPort
from state.conditions.evaluate import SECOND_US
from state.conditions.look_back import judged_now, judged_until
from state.conditions.points import ConditionSpec
from state.conditions.release import Release, changed_body, counted_from, judge, replaced, spec_of
from state.runbook.conditions import StopCondition
from state.view.enums import ConditionState
from state.view.launch import ConditionView, LaunchView
from tests.state.conditions.reference import Seen, Series, seen_at, state, trips

STEP = 15
START = 1_795_000_005
PODS = 2
LATEST_S = 120
"""How late a sample comes at most: as late as one is still judged."""
_NOTHING = {ConditionState.STALE, ConditionState.NO_DATA}
"""Both say that there is no sample: the engine tells an old one from none only as far back as it asks."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a run found."""

    hours: float
    looks: int
    trips: int
    differences: tuple[str, ...]


@dataclass(slots=True)
class Story:
    """A generated release: samples by query and series, and when each arrives."""

    condition: StopCondition
    steps: int
    series: dict[str, list[dict[int, float]]]
    late: dict[int, int] = field(default_factory=dict)
    """By the seconds of a sample: how many seconds later it is there."""
    away: set[int] = field(default_factory=set)
    """Looks that no engine takes."""
    anew: set[int] = field(default_factory=set)
    """Looks before which the engine was started anew."""
    refused: set[int] = field(default_factory=set)
    """Looks at which Prometheus can't be reached."""


def measure(hours: float, seed: int) -> Figure:
    """Judge scenarios of ``hours`` in all."""
    done, number, looks, tripped = 0.0, 0, 0, 0
    differences: list[str] = []
    while done < hours:
        own = seed * 1_000_000 + number
        story = tell(random.Random(own))
        found = asyncio.run(_Run(story, own).judged())
        done, number = done + story.steps * STEP / 3600, number + 1
        looks, tripped = looks + found.looks, tripped + found.trips
        differences += found.differences
    return Figure(done, looks, tripped, tuple(differences))


def tell(rng: random.Random) -> Story:
    """Generate a release."""
    steps = round(rng.choice([1.0, 2.0, 2.0, 3.0, 5.0]) * 3600 / STEP)
    condition = _condition(rng)
    spans = list(_spans(rng, steps))
    story = Story(
        condition, steps, _latency(rng, steps, spans) if condition.value else _traffic(rng, steps, spans)
    )
    for kind, span in spans:
        for index in span:
            at = START + index * STEP
            if kind == "late":
                story.late[at] = rng.randint(0, LATEST_S)
            elif kind in {"asleep", "dead"}:
                story.away.add(index)
            elif kind == "refused":
                story.refused.add(index)
        if kind == "dead":
            story.anew.add(span.stop)
    return story


def _condition(rng: random.Random) -> StopCondition:
    shape: dict[str, object] = rng.choice(
        [
            {
                "bad": "rate(bad[1m])",
                "total": "rate(total[1m])",
                "threshold": rng.choice([0.01, 0.02, 0.05, 0.3]),
            },
            {"bad": "increase(bad[1m])", "total": "increase(total[1m])", "threshold": 0.02},
            {"good": "rate(good[1m])", "total": "rate(total[1m])", "below": rng.choice([0.99, 0.7])},
            {"value": "latency", "unit": "seconds", "threshold": 0.3, "reduce": "any"},
        ]
    )
    return StopCondition.model_validate(
        {
            "id": "c",
            "title": "c",
            "for": rng.choice([240, 250, 300, 600]),
            "bad_absent_is_zero": "bad" in shape and rng.random() < 0.5,
            "warmup": rng.choice([0, 60]),
            "min_coverage": rng.choice([0.6, 0.8, 1.0]),
            **shape,
        }
    )


_KINDS = {
    "blip": (1, 3), "outage": (5, 60), "near": (5, 60), "flap": (5, 60), "hole": (1, 12), "long hole": (20, 120),
    "nan": (1, 20), "quiet": (2, 40), "restart": (1, 1), "late": (2, 60), "asleep": (1, 8), "dead": (1, 30),
    "refused": (1, 40),
}  # fmt: skip


def _spans(rng: random.Random, steps: int) -> Iterator[tuple[str, range]]:
    """Yield what goes on when: some things by themselves, and an engine that is away or blind around outages."""
    for _ in range(rng.randint(2, 4 + steps // 120)):
        kind, start = rng.choice(sorted(_KINDS)), rng.randrange(steps)
        length = rng.randint(*_KINDS[kind])
        if kind in {"asleep", "dead", "refused"} and rng.random() < 0.3:
            length = rng.randint(40, max(41, steps // 2))
        yield kind, range(start, min(steps, start + length))
        if kind == "outage" and rng.random() < 0.7:
            inside = start + rng.randint(0, length)
            other = rng.choice(["hole", "hole", "long hole", "asleep", "dead", "refused", "late", "nan"])
            yield other, range(inside, min(steps, inside + rng.randint(*_KINDS[other])))


def _traffic(
    rng: random.Random, steps: int, spans: Sequence[tuple[str, range]]
) -> dict[str, list[dict[int, float]]]:
    """Count requests of pods, which restart, and take rates and increases over the scrapes that weren't lost."""
    share, rate, lost, torn = [0.001] * steps, [20.0] * steps, set[int](), set[int]()
    starts = [{0} for _ in range(PODS)]
    for kind, span in spans:
        bad = rng.choice([0.06, 0.3, 0.5, 1.0])
        for index in span:
            if kind in {"blip", "outage"}:
                share[index] = bad
            elif kind == "near":
                share[index] = rng.choice([0.01, 0.02, 0.05, 0.1 + 0.2])
            elif kind == "flap":
                share[index] = rng.choice([0.0, 0.35])
            elif kind == "quiet":
                rate[index] = rng.choice([0.0, 0.1])
            elif kind == "nan":
                torn.add(index)
            elif kind == "restart":
                starts[rng.randrange(PODS)].add(index)
        if kind in {"hole", "long hole"}:
            lost |= set(span)
    lost |= {index for index in range(steps) if rng.random() < 0.01}
    found: dict[str, list[dict[int, float]]] = {}
    for name in ("bad", "good", "total"):
        parts = {"bad": share, "good": [1 - s for s in share], "total": [1.0] * steps}[name]
        each = [rate[index] * parts[index] * STEP / PODS for index in range(steps)]
        increases = _increases(each, starts, lost, steps)
        values = {at: math.nan if at in torn and name != "total" else v for at, v in increases.items()}
        found[f"increase({name}[1m])"] = [{START + i * STEP: v for i, v in values.items()}]
        found[f"rate({name}[1m])"] = [{START + i * STEP: v / 60 for i, v in values.items()}]
    return found


def _increases(
    each: Sequence[float], starts: Sequence[set[int]], lost: set[int], steps: int
) -> dict[int, float]:
    """Return the increase over a minute by step, of counters that begin anew at zero where a pod starts."""
    counters = []
    for begins in starts:
        value, counter = 0.0, list[float]()
        for index in range(steps):
            value = 0.0 if index in begins else value + each[index]
            counter.append(value)
        counters.append(counter)
    found = {}
    for index in range(steps):
        scraped = [i for i in range(max(0, index - 4), index + 1) if i not in lost]
        if len(scraped) < 2:
            continue
        grown = sum(
            counter[b] - counter[a] if counter[b] >= counter[a] else counter[b]
            for counter in counters
            for a, b in pairwise(scraped)
        )
        found[index] = grown * 4 / (scraped[-1] - scraped[0])
    return found


def _latency(
    rng: random.Random, steps: int, spans: Sequence[tuple[str, range]]
) -> dict[str, list[dict[int, float]]]:
    """Return a latency by pod; idle pods give NaN."""
    pods: list[dict[int, float]] = [{START + i * STEP: 0.1 for i in range(steps)} for _ in range(PODS)]
    for kind, span in spans:
        which, bad = rng.randrange(PODS), rng.choice([0.5, 0.1 + 0.2, 0.31])
        for at in (START + index * STEP for index in span):
            if kind in {"blip", "outage"}:
                pods[which][at] = bad
            elif kind == "near":
                pods[which][at] = rng.choice([0.3, 0.1 + 0.2])
            elif kind == "flap":
                pods[which][at] = rng.choice([0.0, 0.35])
            elif kind in {"nan", "quiet"}:
                pods[which][at] = math.nan
            elif kind in {"hole", "long hole"}:
                for pod in pods:
                    pod.pop(at, None)
            elif kind == "restart":
                pods[which].pop(at, None)
    return {"latency": pods}


class _Prometheus:
    """What a story's Prometheus knows at a moment, as the engine's client gives it."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.now = START
        self.refuses = False

    def prometheus(self, _env: object) -> _Prometheus:
        return self

    async def query_range(self, query: str, start: int, end: int, step: int) -> list[RangeSeries]:
        if self.refuses:
            raise CouldNotLookError("refused")
        assert (end - start) // step < 11_000, "more points than a server gives"
        assert start % step == end % step == START % step
        late = self._story.late
        found = []
        for index, series in enumerate(self._story.series[query]):
            times = range(max(start, START), end + 1, step)
            points = tuple(
                (float(t), series[t]) for t in times if t in series and t + late.get(t, 0) <= self.now
            )
            if points:
                found.append(RangeSeries({"pod": str(index)}, points))
        return found


class _Run:
    """One engine after another, and the reference beside them."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story, self._seed = story, seed
        self._spec: ConditionSpec = spec_of(story.condition, STEP)
        self._prometheus = _Prometheus(story)
        self._gatherer = Gatherer(cast("ClientsPort", self._prometheus), STEP)
        self._old = ConditionView("c", "c", "production", "ratio", 0.0, 0, "ask", "")
        self._judged: int | None = None
        self._judged_us = 0
        self._seen = self._all_seen()
        self._counted_us = START * SECOND_US + int(self._spec.warmup_s * SECOND_US)
        self.looks, self.trips = 0, 0
        self.differences: list[str] = []

    async def judged(self) -> _Run:
        for index in range(self._story.steps):
            if index in self._story.anew:
                self._judged = None
            if index not in self._story.away:
                await self._look(index)
        return self

    async def _look(self, index: int) -> None:
        now = START + index * STEP
        now_us = now * SECOND_US
        refused = index in self._story.refused
        self._prometheus.now, self._prometheus.refuses = now, refused
        self.looks += 1
        found = await self._engine(now_us)
        if refused or now_us < self._counted_us:
            return
        seen = self._known(now_us)
        if self.looks % 10 == 0:
            wanted = state(self._spec, seen, now_us)
            same = found is wanted or {found, wanted} == _NOTHING
        else:
            wanted = ConditionState.TRIPPED if self._tripped(seen) else ConditionState.OK
            same = (found is ConditionState.TRIPPED) == (wanted is ConditionState.TRIPPED)
        if not same:
            self.differences.append(f"seed {self._seed}, look {index}: {found} instead of {wanted}")
        if found is ConditionState.TRIPPED:
            self._acknowledge(now_us)

    async def _engine(self, now_us: int) -> ConditionState:
        """Judge as ``console.engine.bake.stop_conditions`` does."""
        condition, spec, old = self._story.condition, self._spec, self._old
        release = Release(START * SECOND_US, active=True)
        known = judged_until(LaunchView(judged_us=self._judged_us), old)
        before_us = known if self._judged is None else self._judged
        from_us = counted_from(spec, old, release, now_us)
        got = await self._gatherer.gather(condition, spec, release, from_us, now_us, judged_us=before_us)
        told = judge(spec, old, release, got, now_us)
        self._judged = judged_now(spec, got, before_us, now_us)
        body = changed_body("c", old, told, now_us, release, judged_us=self._judged)
        self._old, self._judged_us = replaced(old, body), now_us
        return told.state

    def _acknowledge(self, now_us: int) -> None:
        """The two newest samples count on, as after an acknowledgement by a person."""
        self.trips += 1
        self._old = replace(self._old, state=ConditionState.OK, since_us=now_us, acknowledged_us=now_us)
        self._counted_us = max(self._counted_us, now_us - 2 * STEP * SECOND_US)

    def _all_seen(self) -> list[tuple[Seen, int]]:
        """Return what the reference sees of each time, and from when on."""
        story = self._story
        us: dict[str, list[Series]] = {
            query: [{at * SECOND_US: v for at, v in one.items()} for one in series]
            for query, series in story.series.items()
        }
        total = None if story.condition.total is None else us[story.condition.total][0]
        mains = us[story.condition.main]
        times = (START * SECOND_US + i * STEP * SECOND_US for i in range(story.steps))
        found = ((at, seen_at(self._spec, mains, total, at)) for at in times)
        return [(s, at + story.late.get(at // SECOND_US, 0) * SECOND_US) for at, s in found if s is not None]

    def _known(self, now_us: int) -> list[Seen]:
        begin = self._counted_us
        return [s for s, there_us in self._seen if there_us <= now_us and s.at >= begin]

    def _tripped(self, seen: Sequence[Seen]) -> bool:
        return trips(self._spec, [s for s in seen if s.blind is None])


def main(argv: list[str]) -> int:
    """Print the figure and its seeds; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conditions")
    parser.add_argument("--hours", type=float, default=2000.0)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument(
        "--parts", type=int, default=10, help="seeds in a row, each with its part of the hours"
    )
    options: Any = parser.parse_args(argv)
    differences = 0
    for seed in range(options.seed, options.seed + options.parts):
        found = measure(options.hours / options.parts, seed)
        differences += len(found.differences)
        sys.stdout.write(
            f"stop conditions: seed {seed}, {found.hours:g} h generated, {found.looks} looks, {found.trips} trips; "
            f"{len(found.differences)} differences (goal: 0)\n"
        )
        sys.stdout.write("".join(f"  {one}\n" for one in found.differences[:5]))
        sys.stdout.flush()
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
