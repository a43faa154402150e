"""Large collections and quiet watches: what a real API server does, in a few lines, over sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from checks.clients.answers import BODY_LIMIT
from checks.clients.errors import TooLargeError
from checks.clients.kube import KubeClient
from checks.clients.kube_watch import Change, Reflector, WatchStatus
from checks.clients.redact import Redactor
from checks.clients.user_agent import USER_AGENT
from console.rehearsal.sim.kubernetes import write_kubeconfig
from state.base.json import JsonObject, obj, text
from state.runbook.environment import Kube

PODS = "/api/v1/namespaces/shop/pods"


@dataclass(slots=True)
class Collection:
    """Pods of a size, listed by pages; a watch of them says nothing."""

    count: int
    each: int
    lists: list[tuple[int, int]] = field(default_factory=list)
    """Of each list: from which pod, and how many at most."""
    watches: list[str] = field(default_factory=list)
    """From which version each."""
    gone_at: int = -1
    """The page that is forgotten, once."""
    raw: str = ""
    """Another pod, as its JSON."""
    agents: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.agents.add(request.headers["User-Agent"])
        if request.query.get("watch"):
            self.watches.append(request.query["resourceVersion"])
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await asyncio.sleep(30)
            return response
        start, limit = int(request.query.get("continue", "0")), int(request.query["limit"])
        self.lists.append((start, limit))
        if start == self.gone_at:
            self.gone_at = -1
            return web.json_response({"kind": "Status", "code": 410, "reason": "Expired"}, status=410)
        end = min(self.count, start + limit)
        items = [json.dumps(_pod(n, self.each)) for n in range(start, end)]
        if self.raw and end == self.count:
            items.append(self.raw)
        meta = json.dumps({"resourceVersion": "7", **({"continue": str(end)} if end < self.count else {})})
        body = f'{{"kind": "PodList", "metadata": {meta}, "items": [{",".join(items)}]}}'
        return web.Response(text=body, content_type="application/json")


def _pod(number: int, size: int) -> JsonObject:
    meta: JsonObject = {"name": f"p-{number}", "namespace": "shop", "annotations": {"pad": "x" * size}}
    return {"metadata": {**meta, "resourceVersion": "1"}}


@asynccontextmanager
async def served(folder: Path, there: Collection) -> AsyncIterator[KubeClient]:
    app = web.Application()
    app.router.add_get("/{path:.*}", there.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    file = folder / "kubeconfig"
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    write_kubeconfig(file, server=url, contexts={"x": ("shop", "t0ken")})
    client = KubeClient(
        Kube(kubeconfig=file, context="x", namespace="shop"), "production", Redactor(), timeout=60
    )
    try:
        yield client
    finally:
        await client.aclose()
        await runner.cleanup()


async def test_pages_that_are_too_large_are_halved_and_the_size_is_remembered(tmp_path: Path) -> None:
    there = Collection(500, 20_000)
    async with served(tmp_path, there) as kube:
        found = await kube.list_objects(PODS)
        names = [text(obj(one.get("metadata")), "name") for one in found.items]
        assert names == [f"p-{n}" for n in range(500)]
        assert there.lists == [(0, 500), (0, 250), (250, 250)]
        assert found.resource_version == "7"
        there.lists.clear()
        await kube.list_objects(PODS)
        assert there.lists == [(0, 250), (250, 250)]
        assert there.agents == {USER_AGENT}


async def test_an_object_that_no_page_can_hold_is_an_error(tmp_path: Path) -> None:
    there = Collection(1, BODY_LIMIT)
    async with served(tmp_path, there) as kube:
        with pytest.raises(TooLargeError):
            await kube.list_objects(PODS)
        assert there.lists[-1] == (0, 1)


async def test_a_page_that_the_server_forgot_begins_the_list_anew(tmp_path: Path) -> None:
    there = Collection(1200, 10, gone_at=500)
    async with served(tmp_path, there) as kube:
        assert len((await kube.list_objects(PODS)).items) == 1200
        assert [start for start, _ in there.lists] == [0, 500, 0, 500, 1000]


async def test_a_number_of_thousands_of_digits_costs_no_other_object(tmp_path: Path) -> None:
    raw = '{"metadata": {"name": "odd"}, "status": {"restarts": ' + "9" * 5000 + "}}"
    there = Collection(3, 10, raw=raw)
    async with served(tmp_path, there) as kube:
        found = (await kube.list_objects(PODS)).items
        assert [text(obj(one.get("metadata")), "name") for one in found] == ["p-0", "p-1", "p-2", "odd"]


async def test_silence_costs_no_list(tmp_path: Path) -> None:
    """Real servers say nothing for a minute: the watch is made anew from where it was, nothing is listed."""
    there = Collection(3, 10)
    statuses: list[WatchStatus] = []

    async def changed(_change: Change) -> None:
        return

    async def told(status: WatchStatus) -> None:
        statuses.append(status)

    async with served(tmp_path, there) as kube:
        reflector = Reflector(kube, PODS, changed, told, idle_timeout=0.3)
        task = asyncio.create_task(reflector.run())
        async with asyncio.timeout(20):
            while len(there.watches) < 3:  # noqa: ASYNC110  the server is asked
                await asyncio.sleep(0.05)
            reflector.renew()
            while len(there.watches) < 5:  # noqa: ASYNC110  the server is asked
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(there.lists) == 1
    assert set(there.watches) == {"7"}
    assert [one.synced for one in statuses] == [True]
