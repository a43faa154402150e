from __future__ import annotations

import random

import pytest

from checks.monitors import returns


def sawtooth(workers: int, seed: int = 1) -> list[float]:
    """What scrapes see of worker processes that each count for themselves."""
    rng, counts = random.Random(seed), [1000.0 * (n + 1) for n in range(workers)]
    seen = []
    for _ in range(40):
        counts = [count + rng.uniform(5, 20) for count in counts]
        seen.append(rng.choice(counts))
    return seen


@pytest.mark.parametrize("workers", [2, 4])
def test_worker_processes_behind_one_target_are_seen(workers: int) -> None:
    assert returns(sawtooth(workers)) >= 2


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        sawtooth(1),
        [*range(1000, 1400, 20), *range(0, 400, 20)],  # a restart
        [*range(1000, 1200, 20), *range(0, 200, 20), *range(0, 200, 20)],  # two restarts
        [5.0] * 40,
    ],
)
def test_a_counter_that_restarts_is_no_sawtooth(values: list[float]) -> None:
    assert returns(values) < 2
