from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from console.rehearsal.sim.kubernetes import Controllers, KubeApi, Store, write_kubeconfig
from console.rehearsal.sim.kubernetes.serving_certificate import cluster_tls
from state.base.clock import SharedClock, SystemClock
from tests.programs import path

TIMES_AS_FAST = 40.0


@dataclass(slots=True)
class Served:
    """A cluster on a loopback port, and kubectl pointed at it."""

    store: Store
    api: KubeApi
    url: str
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            path("kubectl"),
            f"--kubeconfig={self.kubeconfig}",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
        )

    async def kubectl(self, *words: str, given: str = "", code: int = 0) -> str:
        """Run kubectl to its end, and return what it printed: on stdout, or on stderr where it shall fail."""
        running = await self.start(*words)
        out, err = await asyncio.wait_for(running.communicate(given.encode()), 60)
        assert running.returncode == code, (
            f"kubectl {words}: {running.returncode}\n{out.decode()}{err.decode()}"
        )
        return (err if code else out).decode()


@asynccontextmanager
async def serve(
    store: Store, api: KubeApi, folder: Path, *, token: str = "t0ken", tls: bool = False
) -> AsyncIterator[Served]:
    """Serve the API; over TLS where tokens shall count, since kubectl sends none over plain HTTP."""
    ca, context = cluster_tls(folder, SystemClock().wall_us()) if tls else (None, None)
    runner = web.AppRunner(api.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    contexts = {"rehearsal": ("shop", token)}
    try:
        write_kubeconfig(folder / "kubeconfig", server=site.name, contexts=contexts, ca=ca)
        yield Served(store, api, site.name, folder)
    finally:
        await runner.cleanup()


def pod_log(namespace: str, pod: str, container: str) -> str:
    return f"one from {namespace}\ntwo from {pod}\nthree from {container}\n"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Served]:
    """A cluster whose controllers run 40 times as fast as time, with the namespace ``shop``."""
    clock = SharedClock.create(tmp_path / "clock", wall_us=1_795_000_000_000_000, rate=TIMES_AS_FAST)
    store = Store.open(None, clock)
    store.create("namespaces", {"metadata": {"name": "shop"}})
    moving = asyncio.create_task(Controllers(store, clock).run())
    try:
        async with serve(store, KubeApi(store, pod_log=pod_log), tmp_path) as there:
            yield there
    finally:
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
