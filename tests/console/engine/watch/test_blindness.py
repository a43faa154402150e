"""An API server that is lost, and one object that can't be read: told soon, and no more is blind than has to be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.engine.bake.bake_clock import unseen
from console.engine.watch.kubernetes import Watches
from state.base.json import Json, obj
from state.runbook.environment import Tier
from tests.console.engine.outside import pod
from tests.console.engine.stand import Stand, stand

KUBERNETES, LEFT_OUT = "kubernetes/production", "unreadable pods/production"


@asynccontextmanager
async def watched(s: Stand) -> AsyncIterator[None]:
    production = s.engine.loaded.runbook.environments[Tier.PRODUCTION]
    watching = asyncio.create_task(Watches(s.engine.journal, s.engine.clients, production).run())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_server_that_answers_no_more_is_told_and_so_is_its_return(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: KUBERNETES in v.sources and v.sources[KUBERNETES].ok)
            s.world.stopped = True
            began = time.monotonic()
            await _source(s, KUBERNETES, ok=False)
            assert time.monotonic() - began < 10
            s.world.put("pods", pod("backend-2"), "ADDED")
            s.world.stopped = False
            began = time.monotonic()
            await _source(s, KUBERNETES, ok=True)
            assert time.monotonic() - began < 5
            await s.until(lambda v: "production/backend-2" in v.pods)


async def _source(s: Stand, name: str, *, ok: bool) -> None:
    async with asyncio.timeout(20):
        while s.view.sources[name].ok is not ok:  # noqa: ASYNC110  real seconds: the network's
            await asyncio.sleep(0.05)


async def test_a_pod_with_a_number_that_does_not_fit_blinds_nothing_else(tmp_path: Path) -> None:
    def odd(number: int) -> dict[str, Json]:
        made = pod("odd")
        status = made["status"]
        assert isinstance(status, dict)
        states = status["containerStatuses"]
        assert isinstance(states, list)
        status["containerStatuses"] = [{**obj(states[0]), "restartCount": number}]
        return made

    async with stand(tmp_path) as s:
        s.world.put("pods", odd(2**60), "ADDED")
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: KUBERNETES in v.sources and v.sources[KUBERNETES].ok)
            view = await s.until(lambda v: LEFT_OUT in v.sources)
            assert set(view.pods) == {"production/backend-1"}
            assert not view.sources[LEFT_OUT].ok
            assert view.sources[LEFT_OUT].reason.startswith(
                "dotmac-production/odd is left out, it can't be read"
            )
            assert unseen(view).startswith("not every pod can be seen: dotmac-production/odd")
            s.world.put("pods", pod("backend-2"), "ADDED")
            await s.until(lambda v: "production/backend-2" in v.pods)
            assert s.view.sources[KUBERNETES].ok
            s.world.put("pods", odd(3))
            view = await s.until(lambda v: "production/odd" in v.pods)
            await s.until(lambda v: v.sources[LEFT_OUT].ok)
            assert "not every pod" not in unseen(s.view)
