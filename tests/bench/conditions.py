"""``python -m tests.bench.conditions``: false and missed trips over generated hours, against the slow reference.

Each scenario is a release of some hours with blips, outages, gaps, NaN, quiet times and lost servers, judged every
15 seconds as the engine does it: from the window that it fetches, with the latch, now and then killed for a while.
The reference sees the whole history at once and tries every pair of times.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from state.conditions.evaluate import SECOND_US, ConditionSpec, Judgement, Samples, evaluate
from state.view.enums import ConditionState
from tests.state.conditions.reference import value_at

STEP = 15
START = 1_795_000_005 * SECOND_US
Series = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a run found."""

    hours: float
    trips: int
    false: int
    missed: int
    late: int


def measure(hours: float, seed: int, hours_each: float = 2.0) -> Figure:
    """Judge scenarios of ``hours`` in all."""
    rng = random.Random(seed)
    done, trips, false, missed, late = 0.0, 0, 0, 0, 0
    while done < hours:
        spec = _spec(rng)
        steps = int(hours_each * 3600 / STEP)
        bad, total = _traffic(rng, steps)
        wanted = reference_trip(spec, bad, total, steps)
        found = engine_trip(rng, spec, bad, total, steps)
        trips += wanted is not None
        false += found is not None and wanted is None
        missed += found is None and wanted is not None
        late += found is not None and wanted is not None and not wanted <= found[0] <= found[1](wanted)
        done += hours_each
    return Figure(done, trips, false, missed, late)


def _spec(rng: random.Random) -> ConditionSpec:
    return ConditionSpec(
        id="c",
        ratio=True,
        threshold=rng.choice([0.01, 0.02, 0.05]),
        for_s=rng.choice([120, 300, 600]),
        step_s=STEP,
        min_events=20,
        bad_absent_is_zero=rng.random() < 0.5,
        warmup_s=rng.choice([0, 60]),
        min_coverage=rng.choice([0.6, 0.8, 1.0]),
    )


def _traffic(rng: random.Random, steps: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return bad and total events per second by time."""
    share, rate = [0.001] * steps, [20.0] * steps
    lost, broken, absent = set[int](), set[int](), set[int]()
    for _ in range(rng.randint(0, 6)):
        kind, start = (
            rng.choice(["blip", "outage", "near", "gap", "nan", "quiet", "absent", "flap"]),
            rng.randrange(steps),
        )
        length = {"blip": rng.randint(1, 3), "gap": rng.randint(1, 30)}.get(kind, rng.randint(5, 90))
        span = range(start, min(steps, start + length))
        for index in span:
            match kind:
                case "blip" | "outage":
                    share[index] = rng.uniform(0.06, 1.0)
                case "near":
                    share[index] = rng.choice([0.01, 0.02, 0.05, 0.0500001])
                case "flap":
                    share[index] = rng.choice([0.0, 0.3])
                case "gap":
                    lost.add(index)
                case "nan":
                    broken.add(index)
                case "quiet":
                    rate[index] = rng.choice([0.0, 0.1])
                case _:
                    absent.add(index)
    lost |= {i for i in range(steps) if rng.random() < 0.01}
    bad, total = {}, {}
    for index in range(steps):
        if index in lost:
            continue
        at = START + index * STEP * SECOND_US
        total[at] = rate[index]
        if index not in absent:
            bad[at] = math.nan if index in broken else rate[index] * share[index]
    return bad, total


def reference_trip(spec: ConditionSpec, bad: Series, total: Series, steps: int) -> int | None:
    """Return the first time by which some stretch breached for ``for`` and was seen well enough, or None."""
    start = START + int(spec.warmup_s * SECOND_US)
    known: list[tuple[int, bool]] = []
    for index in range(steps):
        at = START + index * STEP * SECOND_US
        value = value_at(spec, bad, total, at)
        if at < start or not isinstance(value, float):
            continue
        known.append((at, value > spec.threshold))
        if known[-1][1] and _stretch(spec, known):
            return at
    return None


def _stretch(spec: ConditionSpec, known: list[tuple[int, bool]]) -> bool:
    last = known[-1][0]
    for seen, (at, over) in enumerate(reversed(known), 1):
        if not over:
            return False
        long = last - at >= spec.for_s * SECOND_US
        if long and seen / ((last - at) / (STEP * SECOND_US) + 1) >= spec.min_coverage:
            return True
    return False


def engine_trip(
    rng: random.Random, spec: ConditionSpec, bad: Series, total: Series, steps: int
) -> tuple[int, Allowance] | None:
    """Return when an engine that looks every step finds a trip, now and then killed for a minute or two."""
    dead = {i + n for i in range(steps) if rng.random() < 0.002 for n in range(rng.randint(1, 8))}
    reach = spec.for_s + spec.max_age_s + 4 * STEP
    latched: Judgement | None = None
    for index in range(steps):
        if index in dead:
            continue
        now = START + index * STEP * SECOND_US
        main, all_ = (_window(one, now, reach) for one in (bad, total))
        judged = evaluate(spec, main, all_, now, START, latched)
        if judged.state is ConditionState.TRIPPED:
            return now, Allowance(frozenset(dead))
    return None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Until when a trip may be found: at the first look that anybody took."""

    dead: frozenset[int]

    def __call__(self, wanted: int) -> int:
        index = (wanted - START) // (STEP * SECOND_US)
        while index in self.dead:
            index += 1
        return START + index * STEP * SECOND_US


def _window(series: Series, now: int, reach: float) -> Samples:
    first = now - int(reach * SECOND_US)
    index = max(0, -((START - first) // (STEP * SECOND_US)))
    times = (START + i * STEP * SECOND_US for i in range(index, (now - START) // (STEP * SECOND_US) + 1))
    points = tuple((at, series[at]) for at in times if at in series)
    return Samples((points,)) if points else Samples()


def main(argv: list[str]) -> int:
    """Print the figure and its seed; 1 where a trip was false, missed or late."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conditions")
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=6)
    options = parser.parse_args(argv)
    found = measure(options.hours, options.seed)
    sys.stdout.write(
        f"stop conditions: {found.hours:g} h generated (seed {options.seed}), {found.trips} trips; "
        f"false {found.false}, missed {found.missed}, late {found.late} (goal: 0)\n"
    )
    return 1 if found.false or found.missed or found.late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
