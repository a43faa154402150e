"""Our kubelet, against the simulated API: what pods become by the names of their images. Needs nothing built."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.clock import SystemClock
from state.base.json import Json, JsonObject, obj, objs, path, text
from tests.cluster.images import image_id, image_of
from tests.cluster.kube_api import STRATEGIC, KubeHttp
from tests.cluster.kubelet import NODES, Kubelet
from tests.console.rehearsal.sim.kubernetes.conftest import Served, serve

PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Served]:
    """A simulated API without controllers, and our kubelet on it."""
    store = Store.open(None, SystemClock())
    for name in ("shop", "kube-node-lease"):
        if store.peek("namespaces", "", name) is None:
            store.create("namespaces", {"metadata": {"name": name}})
    async with serve(store, KubeApi(store), tmp_path) as there:
        (tmp_path / "url").write_text(there.url)
        ready = asyncio.Event()
        kubelet = asyncio.create_task(Kubelet(tmp_path, "v1.2.3").run(ready))
        async with asyncio.timeout(20):
            await ready.wait()
        yield there
        kubelet.cancel()
        await asyncio.gather(kubelet, return_exceptions=True)


def run(there: Served, name: str, image: str, **spec: Json) -> None:
    """Bind a pod to the first node."""
    body: JsonObject = {"nodeName": NODES[0], "containers": [{"name": "web", "image": image}], **spec}
    there.store.create("pods", {"metadata": {"name": name, "namespace": "shop"}, "spec": body})


def pod(there: Served, name: str) -> JsonObject:
    """Return a pod's status; empty where there is none."""
    return obj((there.store.peek("pods", "shop", name) or {}).get("status"))


def container(there: Served, name: str) -> JsonObject:
    """Return the status of a pod's container."""
    return next(iter(objs(pod(there, name).get("containerStatuses"))), {})


def ready(there: Served, name: str) -> bool:
    """Return whether a pod is Ready."""
    conditions = objs(pod(there, name).get("conditions"))
    return any(text(one, "type") == "Ready" and text(one, "status") == "True" for one in conditions)


def waits(there: Served, name: str) -> str:
    """Return why a container waits."""
    return text(obj(path(container(there, name), ("state", "waiting"))), "reason")


async def until(true: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for the store to show something."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  the store is looked at
            await asyncio.sleep(0.02)


def reasons(there: Served, name: str) -> set[str]:
    """Return the reasons of a pod's events."""
    events = there.store.scan("events", "shop")
    return {text(one, "reason") for one in events if text(obj(one.get("involvedObject")), "name") == name}


async def test_an_ordinary_image_runs_is_ready_and_ends_when_asked(nodes: Served) -> None:
    run(nodes, "plain", "shop/web@sha256:" + "a" * 64)
    await until(lambda: ready(nodes, "plain"))
    assert container(nodes, "plain")["imageID"] == "shop/web@sha256:" + "a" * 64
    assert text(pod(nodes, "plain"), "phase") == "Running"
    assert text(pod(nodes, "plain"), "podIP").startswith("10.244.")
    assert {"Pulling", "Pulled", "Created", "Started"} <= reasons(nodes, "plain")
    nodes.store.delete("pods", "shop", "plain")
    await until(lambda: not pod(nodes, "plain"))
    assert "Killing" in reasons(nodes, "plain")


async def test_images_that_do_not_get_ready(nodes: Served) -> None:
    run(nodes, "hang", "shop/web-hang:1")
    run(nodes, "crash", "shop/web-crash:1")
    run(nodes, "refused", "shop/web-refused:1")
    run(nodes, "unset", "shop/web:1", volumes=[{"name": "v", "configMap": {"name": "late"}}])
    await until(lambda: waits(nodes, "refused") == "ErrImagePull")
    await until(lambda: waits(nodes, "crash") == "CrashLoopBackOff")
    await until(lambda: waits(nodes, "refused") == "ImagePullBackOff")
    assert path(container(nodes, "crash"), ("lastState", "terminated", "exitCode")) == 1
    assert "running" in obj(container(nodes, "hang").get("state"))
    assert waits(nodes, "unset") == "ContainerCreating"
    assert not any(ready(nodes, name) for name in ("hang", "crash", "refused", "unset"))
    assert "BackOff" in reasons(nodes, "crash") & reasons(nodes, "refused")
    assert "FailedMount" in reasons(nodes, "unset")
    nodes.store.create("configmaps", {"metadata": {"name": "late", "namespace": "shop"}})
    await until(lambda: ready(nodes, "unset"))


async def test_what_is_done_and_what_fails(nodes: Served) -> None:
    run(nodes, "done", "shop/web-done:1", restartPolicy="Never")
    run(nodes, "fail", "shop/web-fail:1", restartPolicy="Never")
    await until(lambda: text(pod(nodes, "done"), "phase") == "Succeeded")
    await until(lambda: text(pod(nodes, "fail"), "phase") == "Failed")


async def test_one_that_ignores_sigterm_stays_for_its_grace(nodes: Served) -> None:
    run(nodes, "slow", "shop/web-slow:1", terminationGracePeriodSeconds=2)
    await until(lambda: ready(nodes, "slow"))
    began = asyncio.get_running_loop().time()
    nodes.store.delete("pods", "shop", "slow")
    await until(lambda: not pod(nodes, "slow"))
    assert asyncio.get_running_loop().time() - began >= 1.5


async def test_a_readiness_gate_is_waited_for(nodes: Served) -> None:
    run(nodes, "gate", "shop/web:1", readinessGates=[{"conditionType": "lb"}])
    await until(lambda: container(nodes, "gate").get("ready") is True)
    assert not ready(nodes, "gate")
    open_gate: JsonObject = {"status": {"conditions": [{"type": "lb", "status": "True"}]}}
    async with KubeHttp(nodes.url, None) as there:
        await there.need("PATCH", f"{PODS}/gate/status", open_gate, kind=STRATEGIC)
    await until(lambda: ready(nodes, "gate"))


async def test_it_serves_logs_where_the_node_says(nodes: Served) -> None:
    run(nodes, "plain", "shop/web:1")
    await until(lambda: ready(nodes, "plain"))
    status = obj(nodes.store.need("nodes", "", NODES[0]).get("status"))
    port = path(status, ("daemonEndpoints", "kubeletEndpoint", "Port"))
    url = f"https://127.0.0.1:{port}/containerLogs/shop/plain/web"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=False) as answer:
        assert "web of plain starts: shop/web:1" in await answer.text()


def test_names_of_images() -> None:
    assert image_of("registry.test:5000/shop/web-late-3:1", of_job=False).ready_after_s == 3
    assert image_of("shop/crash/web@sha256:ab", of_job=False).ends_after_s is None
    assert image_of("shop/db:2", of_job=True).ends_after_s is not None
    assert image_of("shop/db-hang:2", of_job=True).ends_after_s is None
    assert image_id("registry.test:5000/shop/web:1").startswith("registry.test:5000/shop/web@sha256:")
