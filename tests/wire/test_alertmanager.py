"""The synthetic alert of item 10.2 through a real Alertmanager to a receiver of ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from aiohttp import web

import tests.console.engine.kinds  # noqa: F401  registers the kinds that the runbook names
from checks.alerts import RoutedSettings, routed
from checks.base import CheckContext
from checks.clients.alertmanager import AlertmanagerClient
from checks.clients.clients import Clients
from console.engine.watch.alertmanager import silence_body
from state.base.clock import SystemClock
from state.base.json import JsonObject, obj, objs, text
from state.runbook.environment import Endpoint, Tier
from state.runbook.load import load_runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.console.engine.outside import write_runbook
from tests.wire.programs import alertmanager, free_port, prometheus

pytestmark = [pytest.mark.wire, pytest.mark.needs("alertmanager", "prometheus")]


@pytest.mark.parametrize(("answers", "verdict"), [(200, Verdict.PASS), (400, Verdict.FAIL)])
async def test_an_alert_is_green_only_when_a_receiver_got_it(
    tmp_path: Path, answers: int, verdict: Verdict
) -> None:
    got: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        answer = await request.json()
        got.extend(text(obj(alert.get("labels")), "alertname") for alert in objs(answer.get("alerts")))
        return web.Response(status=answers)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server = alertmanager(tmp_path, f"http://127.0.0.1:{port}/hook")
    await server.start()
    asked = prometheus(tmp_path, sends_to=server)
    await asked.start()
    try:
        data = yaml.safe_load(write_runbook(tmp_path, asked.url).read_text())
        for env in data["environments"].values():
            env["alertmanager"] = {"url": server.url}
        path = tmp_path / "wire.yaml"
        path.write_text(yaml.safe_dump(data))
        runbook, clock = load_runbook(path).runbook, SystemClock()
        clients = Clients(runbook, clock)
        context = CheckContext(Tier.PRODUCTION, runbook, clients, clock, LaunchView())
        for _ in range(300):  # a Prometheus that has just begun knows none for some seconds
            if await clients.prometheus(Tier.PRODUCTION).alertmanagers():
                break
            await asyncio.sleep(0.1)
        outcome = await routed(RoutedSettings(within=8, rules=False), context)
        await clients.aclose()
        assert got
        assert got[0].startswith("LaunchConsoleProbe")
        assert outcome.verdict is verdict, outcome.summary
    finally:
        asked.kill()
        server.kill()
        await runner.cleanup()


async def test_a_silence_stands_beside_the_alerts(tmp_path: Path) -> None:
    server = alertmanager(tmp_path, "http://127.0.0.1:1/hook")
    await server.start()
    try:
        endpoint = Endpoint.model_validate({"url": server.url})
        client = AlertmanagerClient(endpoint, "production")
        assert await client.silences() == []
        now = datetime.now(UTC)
        matcher = {"name": "alertname", "value": "High.*", "isRegex": True, "isEqual": True}
        told = {
            "matchers": [matcher], "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "ann", "comment": "known",
        }  # fmt: skip
        async with httpx.AsyncClient() as other:
            (await other.post(f"{server.url}/api/v2/silences", json=told)).raise_for_status()
        found: list[JsonObject] = []
        async with asyncio.timeout(10):  # one that begins now is pending for a moment
            while not (found and obj(found[0].get("status")).get("state") == "active"):
                found = await client.silences()
        body = silence_body("production", found[0])
        assert body is not None
        assert body.name == f"silence/{found[0]['id']}"
        assert (body.alert, body.state) == ("alertname=~High.*", "silence")
        assert body.summary.startswith("by ann until ")
        await client.aclose()
    finally:
        server.kill()
