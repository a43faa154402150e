"""A small outside world on loopback: pods and ingresses to list and watch, and a Prometheus that answers as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import web
from aiohttp.typedefs import Handler

from state.base.json import Json, JsonObject, obj
from tests.paths import ROOT

Value = Callable[[str, int], float | None]
"""(query, seconds since 1970) to a number, or None where there is no sample."""


def pod(
    name: str, *, phase: str = "Running", ready: bool = True, restarts: int = 0, ended: str = ""
) -> dict[str, Json]:
    status: JsonObject = {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [
            {
                "name": "backend",
                "ready": ready,
                "restartCount": restarts,
                "imageID": "registry.example/backend@sha256:" + "a" * 64,
                "state": {"running": {}},
                "lastState": {"terminated": {"reason": ended, "exitCode": 137}} if ended else {},
            }
        ],
    }
    return {
        "metadata": {"name": name, "namespace": "dotmac-production", "labels": {"app": "backend"}},
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "backend", "image": "registry.example/backend:1"}],
        },
        "status": status,
    }


def ingress(name: str, *hosts: str) -> dict[str, Json]:
    return {
        "metadata": {"name": name, "namespace": "dotmac-production"},
        "spec": {"rules": [{"host": host} for host in hosts], "tls": [{"hosts": list(hosts)}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    }


class Outside:
    """What the engine looks at. Change it and watchers are told."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Json]]] = {"pods": {}, "ingresses": {}}
        self.version = 1
        self.broken = False
        """Whether the API server answers 500 and hangs up on watches."""
        self.stopped = False
        """Whether it takes connections and answers nothing, as one that was stopped does."""
        self.value: Value = lambda _query, _at: 0.0
        self.prometheus_status = 200
        self.configmaps: dict[str, dict[str, Json]] = {}
        self.asked = 0
        self.url = ""
        self._watchers: list[asyncio.Queue[tuple[str, JsonObject] | None]] = []

    def put(self, kind: str, one: dict[str, Json], event: str = "MODIFIED") -> None:
        self.version += 1
        meta = one["metadata"]
        assert isinstance(meta, dict)
        one = {**one, "metadata": {**meta, "resourceVersion": str(self.version)}}
        name = str(meta["name"])
        self.objects[kind][name] = one
        if event == "DELETED":
            del self.objects[kind][name]
        for watcher in self._watchers:
            watcher.put_nowait((kind, {"type": event, "object": one}))

    def gone(self, kind: str, name: str) -> None:
        self.put(kind, self.objects[kind][name], "DELETED")

    def break_off(self) -> None:
        self.broken = True
        for watcher in self._watchers:
            watcher.put_nowait(None)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._stop])
        app.router.add_get("/api/v1/namespaces/{ns}/{kind:pods}", self._collection)
        app.router.add_get("/apis/networking.k8s.io/v1/namespaces/{ns}/{kind:ingresses}", self._collection)
        app.router.add_post("/api/v1/namespaces/{ns}/configmaps", self._make_map)
        app.router.add_patch("/api/v1/namespaces/{ns}/configmaps/{name}", self._patch_map)
        app.router.add_get("/api/v1/query_range", self._range)
        return app

    @web.middleware
    async def _stop(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        while self.stopped:  # noqa: ASYNC110  a flag that a test sets
            await asyncio.sleep(0.02)
        return await handler(request)

    async def _collection(self, request: web.Request) -> web.StreamResponse:
        if self.broken:
            return web.json_response({"kind": "Status", "message": "out of order"}, status=500)
        kind = request.match_info["kind"]
        here = request.match_info["ns"] == "dotmac-production"
        if request.query.get("watch"):
            return await self._watch(request, kind)
        found = list(self.objects[kind].values()) if here else []
        return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": found})

    async def _make_map(self, request: web.Request) -> web.Response:
        made = await request.json()
        self.configmaps[made["metadata"]["name"]] = made
        return web.json_response(made, status=201)

    async def _patch_map(self, request: web.Request) -> web.Response:
        if self.broken:
            return web.json_response({"kind": "Status", "message": "out of order"}, status=500)
        found = self.configmaps.get(request.match_info["name"])
        if found is None:
            return web.json_response({"kind": "Status", "reason": "NotFound", "code": 404}, status=404)
        found["data"] = {**obj(found["data"]), **(await request.json())["data"]}
        return web.json_response(found)

    async def _watch(self, request: web.Request, kind: str) -> web.StreamResponse:
        news: asyncio.Queue[tuple[str, JsonObject] | None] = asyncio.Queue()
        here = request.match_info["ns"] == "dotmac-production"
        self._watchers.append(news)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        try:
            await response.prepare(request)
            while (answer := await news.get()) is not None:
                if answer[0] == kind and here:
                    await response.write(json.dumps(answer[1]).encode() + b"\n")
        finally:
            self._watchers.remove(news)
        return response

    async def _range(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.prometheus_status != 200:
            return web.json_response({"status": "error", "error": "out"}, status=self.prometheus_status)
        query = request.query["query"]
        start, end, step = (round(float(request.query[k])) for k in ("start", "end", "step"))
        points = [(at, self.value(query, at)) for at in range(start, end + 1, step)]
        values = [[at, str(v)] for at, v in points if v is not None]
        result = [{"metric": {}, "values": values}] if values else []
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    world = Outside()
    runner = web.AppRunner(world.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio's own server
    world.url = f"http://127.0.0.1:{port}"
    try:
        yield world
    finally:
        world.break_off()
        await runner.cleanup()


CHECKS: dict[str, list[dict[str, Json]]] = {
    "3.1": [{"kind": "test.passes", "env": "staging"}],
    "3.2": [{"kind": "test.told", "with": {"verdict": "fail"}}],
    "3.4": [{"kind": "test.raises"}, {"kind": "test.blind"}],
    "3.5": [{"kind": "test.hangs", "timeout": 0.05}],
    "3.6": [{"kind": "test.writes"}],
}


def write_runbook(folder: Path, url: str, **changes: Json) -> Path:
    """Write the SOP with this outside world, quick times, and people whose accounts tests use."""
    sop = yaml.safe_load((ROOT / "runbook.yaml").read_text())
    sop["people"] = [
        {"id": "cap", "name": "C", "accounts": ["ann"], "roles": ["captain"]},
        {"id": "op", "name": "O", "accounts": ["bob"], "roles": ["operator"]},
        {"id": "app", "name": "A", "accounts": ["eve"], "roles": ["approver"]},
        {"id": "all", "name": "E", "accounts": ["*"], "roles": ["observer"]},
    ]
    config = folder / "kubeconfig"
    names = ("staging", "production")
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in names],
            }
        )
    )
    for name in names:
        sop["environments"][name]["kube"]["kubeconfig"] = str(config)
        sop["environments"][name]["prometheus"] = {"url": url, "timeout": 2}
    for gate in sop["gates"]:
        for item in gate["items"]:
            item.pop("checks", None)
            item.setdefault("attest", "Is it so?")
            if item["id"] in CHECKS:
                item["checks"] = CHECKS[item["id"]]
    # As with items: CI and the registry aren't in this world, and tests of stages give them checks of their own.
    for stage in sop["stages"]:
        stage["parts"] = [part for part in stage["parts"] if "check" not in part]
    for operation in sop["operations"]:
        operation.get("requires", {}).pop("stages", None)
    sop["bake"].pop("monitors")  # this Prometheus answers for ranges only
    sop.update(changes)
    path = folder / "runbook.yaml"
    path.write_text(yaml.safe_dump(sop))
    return path
