"""A kubelet without containers: nodes that are ready, and pods that do what their images' names say (images.py)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from state.base.json import Json, JsonObject, obj, objs, text
from tests.cluster.certificates import Authority
from tests.cluster.kube_api import STRATEGIC, ApiError, KubeHttp
from tests.cluster.pod_life import PodLife

NODES = ("tests-node-1", "tests-node-2", "tests-node-3")
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_RENEW_S = 5.0
# Well above any chart's requests: what can't be scheduled shall be what a test says can't.
_CAPACITY: JsonObject = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "500Gi", "pods": "500"}


def now() -> str:
    """Return the time as the API writes it, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now_us() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Kubelet:
    """All nodes' kubelets in one: registers them, follows the pods that are bound to them, serves their logs."""

    def __init__(self, folder: Path, version: str) -> None:
        authority = Authority(folder / "certificates")
        certificate, key = authority.client("tests:kubelet", ["system:masters"])
        self._api = KubeHttp((folder / "url").read_text(), authority.ca, certificate, key)
        self._serving = authority.serving("kubelet")
        self._version = version
        self._lives: dict[str, tuple[PodLife, asyncio.Task[None]]] = {}
        """By uid."""
        self._addresses = _addresses()

    async def run(self, ready: asyncio.Event) -> None:
        """Be the nodes until cancelled; ``ready`` is set when all of them are."""
        async with self._api, contextlib.AsyncExitStack() as stack:
            port = await self._serve_logs(stack)
            for number, name in enumerate(NODES, 1):
                await self._register(name, number, port)
            ready.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._renew())
                    group.create_task(self._follow())
            finally:
                for _, task in self._lives.values():
                    task.cancel()
                await asyncio.gather(*(task for _, task in self._lives.values()), return_exceptions=True)

    async def _register(self, name: str, number: int, port: int) -> None:
        labels: dict[str, Json] = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/region": "tests-1",
            "topology.kubernetes.io/zone": f"tests-1{'abc'[number - 1]}",
        }
        spec: JsonObject = {"podCIDR": f"10.244.{number}.0/24"}
        body: JsonObject = {"metadata": {"name": name, "labels": labels}, "spec": spec}
        with contextlib.suppress(ApiError):  # there already: the kubelet was started again
            await self._api.create("/api/v1/nodes", body)
        address: list[Json] = [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": name},
        ]
        status: JsonObject = {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "addresses": address,
            "conditions": _conditions(),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "nodeInfo": {
                **dict.fromkeys(("machineID", "systemUUID", "bootID"), f"tests-{number}"),
                **dict.fromkeys(("kubeletVersion", "kubeProxyVersion"), self._version),
                "kernelVersion": "6.1.0",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "containerRuntimeVersion": "containerd://2.1.4",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        }
        await self._api.need("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, kind=STRATEGIC)
        await self._lease(name)

    async def _lease(self, name: str) -> None:
        spec: JsonObject = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _now_us()}
        body: JsonObject = {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec}
        status, _ = await self._api.ask("PATCH", f"{_LEASES}/{name}", body, kind=STRATEGIC)
        if status == 404:
            await self._api.create(_LEASES, body)

    async def _renew(self) -> None:
        """Say that the nodes live, but for one with the annotation ``lost.test/node``: that gets NotReady."""
        while True:
            await asyncio.sleep(_RENEW_S)
            with contextlib.suppress(aiohttp.ClientError, ApiError, TimeoutError):
                for node in objs((await self._api.get("/api/v1/nodes")).get("items")):
                    meta = obj(node.get("metadata"))
                    if text(meta, "name") in NODES and "lost.test/node" not in obj(meta.get("annotations")):
                        await self._lease(text(meta, "name"))

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, ApiError, TimeoutError, OSError):
                found = await self._api.get("/api/v1/pods")
                here = {text(obj(one.get("metadata")), "uid") for one in objs(found.get("items"))}
                for pod in objs(found.get("items")):
                    self._take(pod)
                for uid in set(self._lives) - here:
                    self._gone(uid)
                version = text(obj(found.get("metadata")), "resourceVersion")
                async for kind, pod in self._api.watch("/api/v1/pods", {"resourceVersion": version}):
                    if kind == "ERROR":
                        break
                    if kind == "DELETED":
                        self._gone(text(obj(pod.get("metadata")), "uid"))
                    elif kind in {"ADDED", "MODIFIED"}:
                        self._take(pod)
            await asyncio.sleep(0.5)

    def _take(self, pod: JsonObject) -> None:
        uid = text(obj(pod.get("metadata")), "uid")
        if text(obj(pod.get("spec")), "nodeName") not in NODES:
            return
        known = self._lives.get(uid)
        if known is not None:
            known[0].changed(pod)
            return
        life = PodLife(self._api, pod, next(self._addresses))
        self._lives[uid] = (life, asyncio.create_task(life.run()))

    def _gone(self, uid: str) -> None:
        known = self._lives.pop(uid, None)
        if known is not None:
            known[1].cancel()

    async def _serve_logs(self, stack: contextlib.AsyncExitStack) -> int:
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._serving)
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listening, ssl_context=context).start()
        port: int = listening.getsockname()[1]
        return port

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        place = (request.match_info["namespace"], request.match_info["pod"])
        found = next((life for life, _ in self._lives.values() if life.place == place), None)
        if found is None:
            return web.Response(status=404, text=f"pod {place[1]} not found")
        lines = found.log(request.match_info["container"], previous=request.query.get("previous") == "true")
        tail = request.query.get("tailLines", "")
        kept = lines[-int(tail) :] if tail.isdigit() and int(tail) else lines
        return web.Response(text="".join(f"{line}\n" for line in kept))


def _addresses() -> Iterator[str]:
    for number in itertools.count(10):
        yield f"10.244.{number // 250 % 250}.{number % 250 + 2}"


def _conditions() -> list[Json]:
    seen: dict[str, Json] = {"lastHeartbeatTime": now(), "lastTransitionTime": now()}
    fine = {
        "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
        "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    }
    return [
        {"type": kind, "status": status, "reason": reason, "message": message, **seen}
        for kind, (status, reason, message) in fine.items()
    ]
