"""Every kind of check, given answers of the wrong shape: never a pass, never a traceback, always in its time.

``LAUNCH_CONSOLE_SHAPES=all`` (make shapes) tries every shape and many drawn ones; else a tenth is drawn, by a seed
that is printed and can be given as LAUNCH_CONSOLE_SEED.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from checks.looks import CheckRef, checks_of, checks_of_stages
from checks.registry import names
from console.engine.checks.without_launch import Result, sweep
from state.base.clock import SystemClock
from state.runbook.load import load_runbook
from state.runbook.models import Runbook
from state.view.enums import Look, Verdict
from state.view.launch import LaunchView
from tests import drawing
from tests.checks.wrong_shapes import TIMEOUT_S, WrongServer, one_server, plain_shapes

# A check that runs out of time leaves the connection that it was opening to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(3600 if os.environ.get("LAUNCH_CONSOLE_SHAPES") == "all" else 120),
]

ASKS_NOBODY = {"launch.bake", "launch.deviations", "artifact.packaged"}
"""Kinds that read the log or files alone."""
DRAWN = 40
SHAPES = (*plain_shapes(), "204", "404", "418", "500", "503", "cut", "no http", "silence", *("",) * DRAWN)
"""A shape for all answers of a world; nothing: each answer has one of its own."""
SLACK_S = 3.0
"""What opening and closing may add."""
WORK_S = 40.0
"""Of a processor, for all checks of a world; modules that are loaded for the first are in it."""


def chosen() -> list[tuple[int, str]]:
    """Return the worlds of this run: the number, which is the seed of what is drawn in it, and the shape."""
    seed = os.environ.get("LAUNCH_CONSOLE_SEED", "")
    worlds = list(enumerate(SHAPES))
    if os.environ.get("LAUNCH_CONSOLE_SHAPES") == "all":
        return worlds
    return random.Random(drawing.seed(seed)).sample(worlds, len(worlds) // 10)


def checks(runbook: Runbook) -> list[CheckRef]:
    """Return every check once, as one that looks wherever it is told to, whatever runs there."""
    items = [item.id for gate in runbook.gates for item in gate.items]
    refs = [*checks_of(runbook, items), *checks_of_stages(runbook, [stage.id for stage in runbook.stages])]
    return [replace(ref, look=Look.ONCE) for ref in refs if ref.look is not Look.LIVE]


async def judged(
    number: int, shape: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Result], float]:
    """Sweep a wrong world as `launch-console check` does; return how late the loop was besides, in seconds."""
    server = WrongServer(shape, random.Random(number))
    async with one_server(server, folder) as world:
        for name, value in world.variables.items():
            monkeypatch.setenv(name, value)
        loaded = load_runbook(world.runbook)
        results: list[Result] = []
        late: list[float] = []
        ticking = asyncio.create_task(_tick(late))
        await sweep(loaded, checks(loaded.runbook), SystemClock(), LaunchView(), "ann", results.append)
        ticking.cancel()
        assert server.asked
    return results, sum(late)


async def _left() -> None:
    """Collect what was left behind here, where it is forgiven, and not in whatever test comes next."""
    names = ("prometheus-", "objectstore-", "sql-")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            while any(one.name.startswith(names) for one in threading.enumerate()):  # noqa: ASYNC110  threads of libraries
                await asyncio.sleep(0.05)
    gc.collect()
    await asyncio.sleep(0)
    gc.collect()


async def _tick(late: list[float]) -> None:
    """Note how late this process is woken: by a machine that others use, or by a check that blocks it."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(0.05)
        late.append(loop.time() - before - 0.05)


def troubles(results: list[Result], late_s: float) -> Iterator[str]:
    """Yield what no answer of the wrong shape may bring about."""
    for result in results:
        said = f"{result.check.spec.kind}: {result.verdict} {result.summary}"
        if result.verdict is Verdict.PASS and result.check.spec.kind not in ASKS_NOBODY:
            yield f"passes: {said}"
        if "the check itself failed" in result.summary:
            yield f"breaks: {said}"
        if result.ms > (TIMEOUT_S + SLACK_S + late_s) * 1000:
            yield f"took {result.ms} ms: {said}"
        if result.verdict is not Verdict.PASS and not result.ways:
            yield f"no way out: {said}"


async def test_answers_of_the_wrong_shape_are_no_pass_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worlds = chosen()
    with capsys.disabled():
        seed = drawing.seed(os.environ.get("LAUNCH_CONSOLE_SEED", ""))
        sys.stdout.write(f" [{len(worlds)} of {len(SHAPES)} wrong worlds, seed {seed}]")
    trouble: list[str] = []
    for number, shape in worlds:
        folder = tmp_path / str(number)
        folder.mkdir()
        before = time.process_time()
        results, late_s = await judged(number, shape, folder, monkeypatch)
        kinds = {result.check.spec.kind for result in results}
        assert kinds == {name for name in names() if not name.startswith("test.")}
        trouble += [f"{shape or 'drawn'} #{number} {one}" for one in troubles(results, late_s)]
        # Being late is forgiven, as other programs may be why; work isn't: it is this process's own.
        assert time.process_time() - before < WORK_S, f"{shape or 'drawn'} #{number}"
    await _left()
    assert trouble == []
