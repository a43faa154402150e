"""A channel that hangs: nothing waits for it, and what it can't be told is not kept for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import yaml
from aiohttp import web

from checks.clients.user_agent import USER_AGENT
from console.engine.watch.webhooks import Webhooks
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.events.world import WebhookSent
from state.view.enums import ConditionState
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.stand import stand


async def test_a_channel_that_never_answers_blocks_nothing(tmp_path: Path) -> None:
    asked, free = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        assert request.headers["User-Agent"] == USER_AGENT
        asked.set()
        await free.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hang)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        data = yaml.safe_load(s.runbook.read_text())
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        s.runbook.write_text(yaml.safe_dump({**data, "webhooks": [url]}))
        s.world.value = traffic(lambda _at: 0.2)
        await s.open(run=False)
        telling = asyncio.create_task(Webhooks(s.engine.journal, s.engine.loaded.runbook).run())
        await asyncio.sleep(0)
        await s.released()
        await asyncio.wait_for(asked.wait(), 10)
        for number in range(150):  # more than it remembers
            await s.engine.journal.record(Draft(LaunchHeld(f"no. {number}")))
        await run_for(s, 330)
        condition = s.view.condition("error-rate")
        assert condition is not None
        assert condition.state is ConditionState.TRIPPED
        assert s.events(WebhookSent.KIND) == []
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    free.set()
    await runner.cleanup()
