"""The synthetic alert of item 10.2 through a real Alertmanager to a receiver of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from aiohttp import web

import tests.engine.kinds  # noqa: F401  registers the kinds that the runbook names
from checks.alerts import RoutedSettings, routed
from checks.base import Around
from checks.clients.systems import Systems
from state.clock import SystemClock
from state.fields import obj, objs, text
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.verdict import Verdict
from state.view import LaunchView
from tests.engine.outside import write_runbook
from tests.wire.programs import alertmanager, free_port

pytestmark = pytest.mark.wire


@pytest.mark.parametrize(("answers", "verdict"), [(200, Verdict.PASS), (400, Verdict.FAIL)])
async def test_an_alert_is_green_only_when_a_receiver_got_it(
    tmp_path: Path, answers: int, verdict: Verdict
) -> None:
    got: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        told = await request.json()
        got.extend(text(obj(one.get("labels")), "alertname") for one in objs(told.get("alerts")))
        return web.Response(status=answers)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server = alertmanager(tmp_path, f"http://127.0.0.1:{port}/hook")
    await server.start()
    try:
        data = yaml.safe_load(write_runbook(tmp_path, server.url).read_text())
        for env in data["environments"].values():
            env["alertmanager"] = {"url": server.url}
        path = tmp_path / "wire.yaml"
        path.write_text(yaml.safe_dump(data))
        runbook, clock = load_runbook(path).runbook, SystemClock()
        systems = Systems(runbook, clock)
        around = Around(Tier.PRODUCTION, runbook, systems, clock, LaunchView())
        outcome = await routed(RoutedSettings(within=8, rules=False), around)
        await systems.aclose()
        assert got
        assert got[0].startswith("LaunchConsoleProbe")
        assert outcome.verdict is verdict, outcome.summary
    finally:
        server.kill()
        await runner.cleanup()
