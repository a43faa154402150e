"""The cluster's client and its list-and-watch, against a Kubernetes API over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from checks.clients import errors
from checks.clients.kube import KubeClient
from checks.clients.kube_watch import Change, Reflector, WatchStatus
from checks.clients.redact import Redactor
from console.rehearsal.sim.kubernetes import KubeApi, Store, write_kubeconfig
from state.base.json import JsonObject
from state.runbook.environment import Kube
from tests.clocks import ManualClock

PODS = "/api/v1/namespaces/shop/pods"


def pod(name: str, image: str = "a:1") -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }


@asynccontextmanager
async def served(store: Store, port: int = 0) -> AsyncIterator[int]:
    api = KubeApi(store, pod_log=lambda *_: "", tokens={"t0ken": "console"})
    runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@pytest.fixture
def store() -> Store:
    made = Store(ManualClock())
    made.put("namespaces", {"metadata": {"name": "shop"}})
    return made


def client(folder: Path, port: int, redactor: Redactor | None = None) -> KubeClient:
    file = folder / "kubeconfig"
    write_kubeconfig(file, server=f"http://127.0.0.1:{port}", contexts={"x": ("shop", "t0ken")})
    kube = Kube(kubeconfig=file, context="x", namespace="shop")
    return KubeClient(kube, "production", redactor or Redactor(), timeout=2.0)


class Watcher:
    """Keeps what a reflector says."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, bool]] = []
        self.statuses: list[WatchStatus] = []
        self.pauses: list[float] = []
        self._news = asyncio.Event()

    async def changed(self, change: Change) -> None:
        self.changes.append((change.key, change.gone))
        self._news.set()

    async def status(self, status: WatchStatus) -> None:
        self.statuses.append(status)
        self._news.set()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._news.set()
        await asyncio.sleep(0.01)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(8):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def reflecting(kube: KubeClient, path: str = PODS) -> AsyncIterator[tuple[Watcher, Reflector]]:
    watcher = Watcher()
    reflector = Reflector(kube, path, watcher.changed, watcher.status, pause=watcher.pause)
    task = asyncio.create_task(reflector.run())
    try:
        yield watcher, reflector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await kube.aclose()


async def test_what_is_there_what_comes_and_what_goes(store: Store, tmp_path: Path) -> None:
    store.put("pods", pod("one"))
    async with served(store) as port, reflecting(client(tmp_path, port)) as (watcher, reflector):
        await watcher.until(lambda: watcher.statuses == [WatchStatus(synced=True)])
        assert watcher.changes == [("shop/one", False)]
        store.put("pods", pod("two"))
        await watcher.until(lambda: ("shop/two", False) in watcher.changes)
        store.delete("pods", "shop", "one")
        await watcher.until(lambda: ("shop/one", True) in watcher.changes)
        assert set(reflector.objects) == {"shop/two"}


async def test_an_outage_is_told_once_and_survived(store: Store, tmp_path: Path) -> None:
    store.put("pods", pod("one"))
    async with served(store) as port:
        kube = client(tmp_path, port)
    async with reflecting(kube) as (watcher, reflector):
        await watcher.until(lambda: len(watcher.pauses) >= 4)
        assert [status.synced for status in watcher.statuses] == [False]
        assert "refused" in watcher.statuses[0].reason
        assert watcher.pauses[:4] == [0.5, 1.0, 2.0, 4.0]
        async with served(store, port):
            await watcher.until(lambda: watcher.statuses[-1].synced)
            assert set(reflector.objects) == {"shop/one"}


async def test_a_restart_of_the_server_loses_nothing(store: Store, tmp_path: Path) -> None:
    store.put("pods", pod("one"))
    async with served(store) as port:
        kube = client(tmp_path, port)
        stack = reflecting(kube)
        watcher, reflector = await stack.__aenter__()
        await watcher.until(lambda: bool(watcher.statuses))
    store.delete("pods", "shop", "one")
    store.put("pods", pod("two"))
    try:
        async with served(store, port):
            await watcher.until(lambda: set(reflector.objects) == {"shop/two"})
            assert ("shop/one", True) in watcher.changes
    finally:
        await stack.__aexit__(None, None, None)


async def test_an_expired_version_is_listed_anew(store: Store, tmp_path: Path) -> None:
    store.put("pods", pod("one"))
    async with served(store) as port, reflecting(client(tmp_path, port)) as (watcher, reflector):
        await watcher.until(lambda: bool(watcher.statuses))
        reflector._version = "1"
        store.put("pods", pod("two"))
        await watcher.until(lambda: set(reflector.objects) == {"shop/one", "shop/two"})
        assert [status.synced for status in watcher.statuses] == [True]


async def test_reading_writing_and_asking_what_one_may(store: Store, tmp_path: Path) -> None:
    async with served(store) as port:
        redactor = Redactor()
        kube = client(tmp_path, port, redactor)
        secret: JsonObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "shop"},
            "stringData": {"PASSWORD": "a-very-secret-value"},
        }
        await kube.create("/api/v1/namespaces/shop/secrets", secret)
        assert await kube.secret("s") == {"PASSWORD": "a-very-secret-value"}
        assert redactor.holds("it is a-very-secret-value")
        await kube.patch("/api/v1/namespaces/shop/secrets/s", {"metadata": {"labels": {"seen": "yes"}}})
        listed = await kube.list_objects("/api/v1/namespaces/shop/secrets", {"labelSelector": "seen=yes"})
        assert len(listed.items) == 1
        assert await kube.access_review("get", "", "secrets")
        await kube.delete("/api/v1/namespaces/shop/secrets/s")
        with pytest.raises(errors.NotFoundError):
            await kube.secret("s")
        await kube.aclose()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist"),
        ("{]", "cannot be read"),
        ("kind: Config\ncontexts: []\nclusters: []\nusers: []\n", "has no context 'x'"),
    ],
)
async def test_a_kubeconfig_that_is_no_use(text: str | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)
    kube = KubeClient(Kube(kubeconfig=file, context="x", namespace="shop"), "production", Redactor())
    with pytest.raises(errors.MisconfiguredError, match=words):
        await kube.get("/api/v1/nodes")
