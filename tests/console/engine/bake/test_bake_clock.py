"""The bake's clock and what a real watch of pods says of them: a container that was killed for its memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.engine.watch.kubernetes import Watches
from state.base.json import Json, obj
from state.runbook.environment import Tier
from state.view.launch import BakeView
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.outside import pod
from tests.console.engine.stand import Stand, stand


@asynccontextmanager
async def watched(s: Stand) -> AsyncIterator[None]:
    """Watch production's pods for the length of a block."""
    production = s.engine.loaded.runbook.environments[Tier.PRODUCTION]
    watching = asyncio.create_task(Watches(s.engine.journal, s.engine.clients, production).run())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def bake(s: Stand) -> BakeView:
    assert s.view.bake is not None
    return s.view.bake


async def test_an_oom_kill_stops_the_clock_and_is_named_though_the_pod_runs_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: bool(v.pods))
            await s.released()
            await run_for(s, 90)
            good = bake(s).good_s
            assert good > 0
            s.world.put("pods", pod("backend-1", restarts=1, ended="OOMKilled"))
            await s.until(lambda v: any(p.restarts for p in v.pods.values()))
            await run_for(s, 150)
            assert bake(s).state == "stopped"
            assert bake(s).why == "pod backend-1 restarted (after OOMKilled)"
            assert bake(s).good_s == good
            assert any("backend-1 restarted (after OOMKilled)" in d.what for d in s.view.deviations)
            await run_for(s, 195)
            assert bake(s).good_s > good


def changed(one: dict[str, Json], **facts: Json) -> dict[str, Json]:
    """Return a pod with other metadata, spec or status."""
    return {**one, **{key: {**obj(one[key]), **obj(value)} for key, value in facts.items()}}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"spec": {"readinessGates": [{"conditionType": "lb"}]}}, "pod is not ready: backend-2"),
        ({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, "pod is not ready: backend-2"),
        ({"metadata": {"deletionTimestamp": "2026-12-01T20:00:00Z"}}, ""),
        ({"status": {"phase": "Failed", "containerStatuses": []}}, ""),
        ({"metadata": {"ownerReferences": [{"kind": "Job"}]}, "status": {"containerStatuses": []}}, ""),
    ],
)
async def test_the_clock_stands_still_for_the_pods_that_a_screen_shows_in_red(
    tmp_path: Path, facts: dict[str, Json], why: str
) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        s.world.put("pods", changed(pod("backend-2"), **facts), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: len(v.pods) == 2)
            await s.released()
            await run_for(s, 90)
            assert why in bake(s).why
            assert (bake(s).good_s > 0) is (why == "")
