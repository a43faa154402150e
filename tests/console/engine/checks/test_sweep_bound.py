"""The sweep of all items takes little longer than its slowest check, however slowly every system answers."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from checks.looks import checks_of, checks_of_stages
from console.engine.checks.without_launch import Result, sweep
from state.base.clock import SystemClock
from state.runbook.load import load_runbook
from state.view.enums import Look
from state.view.launch import LaunchView
from tests.checks.wrong_shapes import WrongServer, one_server

# A check that runs out of time leaves the connection that it was opening to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FACTOR, MORE_S = 1.3, 0.5
DELAY_S = 0.3
FEWEST = 45
"""Checks of the SOP, once each."""


class SlowServer(WrongServer):
    """Lets everybody wait before each answer."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await asyncio.sleep(DELAY_S)
        await super().talk(reader, writer)


@pytest.mark.alone
async def test_a_sweep_lasts_little_longer_than_its_slowest_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one_server(SlowServer("object", random.Random(1)), tmp_path) as world:
        for name, value in world.variables.items():
            monkeypatch.setenv(name, value)
        loaded = load_runbook(world.runbook)
        book = loaded.runbook
        items = [item.id for gate in book.gates for item in gate.items]
        refs = [*checks_of(book, items), *checks_of_stages(book, [stage.id for stage in book.stages])]
        checks = [replace(ref, look=Look.ONCE) for ref in refs if ref.look is not Look.LIVE]
        results: list[Result] = []
        told_s: list[float] = []
        clock = asyncio.get_running_loop().time

        def told(result: Result) -> None:
            results.append(result)
            told_s.append(clock())

        for _ in range(2):  # the first loads what clients are made of
            results.clear()
            before = clock()
            await sweep(loaded, checks, SystemClock(), LaunchView(), "ann", told)
            whole_s = told_s[-1] - before  # until the last result is there: accounts are logged out after it
    assert len(results) == len(checks) >= FEWEST
    slowest = max(results, key=lambda result: result.ms)
    assert slowest.ms >= 3 * DELAY_S * 1000, "a world that answers slowly was meant"
    assert whole_s <= FACTOR * slowest.ms / 1000 + MORE_S, f"{whole_s:.2f} s beside {slowest.check.spec.kind}"
