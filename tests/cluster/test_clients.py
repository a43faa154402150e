"""The engine's client and watches against a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checks.clients.errors import NotFoundError
from checks.clients.kube import KubeClient
from checks.clients.kube_watch import Change, Reflector, WatchStatus
from checks.clients.redact import Redactor
from checks.errors import CouldNotLookError
from state.base.json import JsonObject, obj, path, text
from state.runbook.environment import Kube
from tests.cluster.control_plane import ADMINS
from tests.cluster.kube_api import KubeHttp
from tests.cluster.shared import Cluster

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane")]


def client(cluster: Cluster, file: Path, namespace: str, user: str = "ann", *groups: str) -> KubeClient:
    """Return the engine's client as a user."""
    config = cluster.kubeconfig(user, file, groups=groups, namespace=namespace)
    kube = Kube.model_validate({"kubeconfig": str(config), "context": "tests", "namespace": namespace})
    return KubeClient(kube, "staging", Redactor())


@pytest.fixture
async def namespace(cluster: Cluster, api: KubeHttp) -> str:
    return await cluster.namespace(api)


@pytest.fixture
async def admin(cluster: Cluster, namespace: str, tmp_path: Path) -> AsyncIterator[KubeClient]:
    one = client(cluster, tmp_path / "admin", namespace, "ann", ADMINS)
    yield one
    await one.aclose()


def web(name: str, image: str, replicas: int) -> JsonObject:
    """Return a Deployment."""
    pod: JsonObject = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    spec: JsonObject = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod}
    return {"metadata": {"name": name}, "spec": spec}


async def test_it_reads_writes_and_lists(admin: KubeClient, namespace: str) -> None:
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(3):
        await admin.create(maps, {"metadata": {"name": f"m-{number}"}, "data": {"a": "1"}})
    await admin.patch(f"{maps}/m-1", {"data": {"a": "2"}})
    assert path(await admin.get(f"{maps}/m-1"), ("data", "a")) == "2"
    listed = await admin.list_objects(maps, {"limit": 2})
    names = {text(obj(one.get("metadata")), "name") for one in listed.items}
    assert {"m-0", "m-1", "m-2"} <= names
    await admin.delete(f"{maps}/m-1")
    with pytest.raises(NotFoundError):
        await admin.get(f"{maps}/m-1")


async def test_who_may_not_is_told_what_is_missing(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    nobody = client(cluster, tmp_path / "nobody", namespace, "nobody")
    assert not await nobody.access_review("list", "", "pods")
    with pytest.raises(CouldNotLookError, match=r"list /api/v1/namespaces/.*/pods"):
        await nobody.list_objects(f"/api/v1/namespaces/{namespace}/pods")
    await nobody.aclose()


async def test_a_watch_follows_a_rollout(admin: KubeClient, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    statuses: list[WatchStatus] = []
    news = asyncio.Event()

    async def changed(_change: Change) -> None:
        news.set()

    async def told(status: WatchStatus) -> None:
        statuses.append(status)

    reflector = Reflector(admin, pods, changed, told)
    watching = asyncio.create_task(reflector.run())

    async def until(images: set[str], ready: int) -> None:
        async with asyncio.timeout(40):
            while True:
                seen = list(reflector.objects.values())
                up = [one for one in seen if any(_ready(one))]
                if {_image(one) for one in seen} == images and len(up) == len(seen) == ready:
                    return
                news.clear()
                await news.wait()

    await admin.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", web("web", "shop/web:1", 3))
    await until({"shop/web:1"}, 3)
    body: JsonObject = {
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop/web:2"}]}}}
    }
    await admin.patch(f"/apis/apps/v1/namespaces/{namespace}/deployments/web", body, "strategic")
    await until({"shop/web:2"}, 3)
    await admin.patch(f"/apis/apps/v1/namespaces/{namespace}/deployments/web", {"spec": {"replicas": 0}})
    await until(set(), 0)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [one.synced for one in statuses] == [True]


async def test_the_log_of_a_pod_that_crashes(admin: KubeClient, namespace: str) -> None:
    container: JsonObject = {"name": "web", "image": "shop/web-crash:1"}
    pod: JsonObject = {"metadata": {"name": "crash"}, "spec": {"containers": [container]}}
    await admin.create(f"/api/v1/namespaces/{namespace}/pods", pod)
    async with asyncio.timeout(60):
        while "ends with 1" not in (log := await _log(admin, "crash")):  # noqa: ASYNC110  the cluster is asked
            await asyncio.sleep(0.2)
    assert "web of crash starts: shop/web-crash:1" in log


async def _log(admin: KubeClient, pod: str) -> str:
    try:
        return await admin.pod_logs(pod)
    except CouldNotLookError:
        return ""


def _ready(pod: JsonObject) -> list[bool]:
    conditions = obj(pod.get("status")).get("conditions")
    assert conditions is None or isinstance(conditions, list | tuple)
    return [obj(one).get("status") == "True" for one in conditions or () if obj(one).get("type") == "Ready"]


def _image(pod: JsonObject) -> str:
    containers = obj(pod.get("spec")).get("containers")
    assert isinstance(containers, list | tuple)
    return text(obj(containers[0]), "image")
