"""Alerts beside the bake: which are news, and that all of them are seen, from an Alertmanager over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import web

from state.base.json import Json
from state.base.times import SECOND_US, moment
from state.events.bake import BakeStarted
from state.events.operations import OperationFinished, OperationIntended
from state.events.world import AlertChanged, AlertGone
from state.view.enums import AlertState
from tests.console.engine.stand import Stand, stand
from tests.drafts import draft


class Alertmanager:
    """Says what a test put there; an alert's start is in seconds after ``zero_us``."""

    def __init__(self, zero_us: int) -> None:
        self.zero_us = zero_us
        self.alerts: dict[str, tuple[int, str]] = {}

    async def handle(self, request: web.Request) -> web.Response:
        if request.path != "/api/v2/alerts":
            return web.json_response([])
        return web.json_response([self._alert(name, *told) for name, told in self.alerts.items()])

    def _alert(self, name: str, start: int, summary: str) -> dict[str, Json]:
        return {
            "fingerprint": name,
            "labels": {"alertname": name},
            "annotations": {"summary": summary},
            "startsAt": moment(self.zero_us + start * SECOND_US).isoformat(),
            "status": {"state": "active"},
        }


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Stand, Alertmanager]]:
    async with stand(folder) as s:
        world = Alertmanager(s.clock.wall_us())
        app = web.Application()
        app.router.add_get("/{path:.*}", world.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        data = yaml.safe_load(s.runbook.read_text())
        data["environments"]["production"]["alertmanager"] = {
            "url": f"http://127.0.0.1:{runner.addresses[0][1]}"
        }
        data["conditions"] = []
        for graph in data["graphs"]:
            graph.pop("condition", None)
        s.runbook.write_text(yaml.safe_dump(data))
        try:
            await s.open(run=False)
            yield s, world
        finally:
            await runner.cleanup()


async def released(s: Stand, deploy_s: int) -> None:
    """A release that was intended now and is done ``deploy_s`` later; the bake begins."""
    texts: dict[str, Json] = dict.fromkeys(("title", "from", "to"), "x")
    body: dict[str, Json] = {
        "id": "production.deploy", "kind": "deploy", "env": "production", "commands": [], "timeout_s": 900, **texts,
    }  # fmt: skip
    intended = await s.engine.journal.record(draft(OperationIntended.KIND, body, "g09"))
    await s.clock.advance(deploy_s)
    await s.engine.alerts.tick()
    done: dict[str, Json] = {"id": "production.deploy", "state": "succeeded", "verdict": "ok", "revision": 2}
    await s.engine.journal.record(draft(OperationFinished.KIND, done, "g09", intended.seq))
    await s.engine.journal.record(draft(BakeStarted.KIND, {"minimum_s": 60, "maximum_s": 600}))


def news(s: Stand) -> set[str]:
    assert s.view.bake is not None
    firing = (key for key, alert in s.view.alerts.items() if alert.state is AlertState.FIRING)
    return {key.partition("/")[2] for key in firing if key not in s.view.bake.alerts}


async def test_what_fires_since_the_deploy_was_intended_is_news(tmp_path: Path) -> None:
    async with watched(tmp_path) as (s, world):
        world.alerts = {"old": (-600, ""), "during": (30, "")}
        await s.engine.alerts.tick()
        await released(s, 60)
        assert news(s) == {"during"}


async def test_an_old_alert_that_resolved_and_came_back_is_news(tmp_path: Path) -> None:
    async with watched(tmp_path) as (s, world):
        world.alerts = {"gone": (-600, ""), "between": (-600, ""), "stays": (-600, "1 %")}
        await s.engine.alerts.tick()
        await released(s, 60)
        assert news(s) == set()
        del world.alerts["gone"]
        world.alerts["between"] = (70, "")  # over and back between two looks
        world.alerts["stays"] = (-600, "2 %")
        await s.engine.alerts.tick()
        assert news(s) == {"between"}
        world.alerts["gone"] = (-600, "")
        await s.engine.alerts.tick()
        assert news(s) == {"between", "gone"}


async def test_all_alerts_are_seen_and_a_storm_of_words_is_not_written(tmp_path: Path) -> None:
    async with watched(tmp_path) as (s, world):
        world.alerts = {f"storm-{n:03}": (-600, "1 %") for n in range(500)}
        await s.engine.alerts.tick()
        await released(s, 60)
        assert news(s) == set()
        world.alerts |= {name: (start, "2 %") for name, (start, _) in world.alerts.items()}
        world.alerts["the last one"] = (90, "this is ours")
        before = len(s.events(AlertChanged.KIND))
        await s.engine.alerts.tick()
        assert news(s) == {"the last one"}
        assert len(s.events(AlertChanged.KIND)) - before == 201
        world.alerts = {}
        await s.engine.alerts.tick()
        assert len(s.events(AlertGone.KIND)) == 501
