"""Real servers for tests: a toy service that a test switches, a Prometheus that scrapes it, an Alertmanager."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from state.base.json import Json
from tests.programs import path

SCRAPE_S = 0.5
RPS = 50.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Toy:
    """A service whose errors, latency, silence and death a test switches."""

    def __init__(self) -> None:
        self.port = free_port()
        self.errors = 0.0
        self.latency = 0.05
        self.silent = False
        self._good = self._bad = 0.0
        self._last = time.monotonic()
        self._runner: web.AppRunner | None = None

    def _grow(self) -> None:
        now = time.monotonic()
        done = 0.0 if self.silent else RPS * (now - self._last)
        self._bad += done * self.errors
        self._good += done * (1 - self.errors)
        self._last = now

    def switch(self, **to: float) -> None:
        """Let what was until now be counted as it was, then change it."""
        self._grow()
        for name, value in to.items():
            setattr(self, name, value)

    async def _metrics(self, _request: web.Request) -> web.Response:
        self._grow()
        return web.Response(
            text=f'toy_requests_total{{code="200"}} {self._good}\n'
            f'toy_requests_total{{code="500"}} {self._bad}\n'
            f"toy_latency_seconds {self.latency}\n"
        )

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def die(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


class Server:
    """A program that serves HTTP on loopback, which can be killed and started again."""

    def __init__(self, folder: Path, name: str, *arguments: str, ready: str = "/-/ready") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        self._command = [path(name), *arguments, listen, "--log.level=error"]
        self._folder, self._ready = folder, ready
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = self._spawn()
        until = time.monotonic() + 20
        while not await asyncio.to_thread(self._answers):
            if self._process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{self._command[0]}: {(self._folder / 'output').read_text()[-500:]}")
            await asyncio.sleep(0.05)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self._folder / "output").open("ab") as output:
            return subprocess.Popen(self._command, stdout=output, stderr=output, cwd=self._folder)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self._ready, timeout=1) as reply:
                return bool(reply.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def prometheus(folder: Path, toy: Toy | None = None, sends_to: Server | None = None) -> Server:
    """Return a Prometheus that scrapes the toy, and that an Alertmanager hears from."""
    every = f"{int(SCRAPE_S * 1000)}ms"
    config: dict[str, Json] = {"global": {"scrape_interval": every, "scrape_timeout": every}}
    if toy is not None:
        scrape: Json = {"job_name": "toy", "static_configs": [{"targets": [f"127.0.0.1:{toy.port}"]}]}
        config["scrape_configs"] = [scrape]
    if sends_to is not None:
        targets: Json = [{"static_configs": [{"targets": [f"127.0.0.1:{sends_to.port}"]}]}]
        config["alerting"] = {"alertmanagers": targets}
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return Server(
        folder, "prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}",
    )  # fmt: skip


def alertmanager(folder: Path, hook: str) -> Server:
    """Return an Alertmanager that tells a webhook."""
    config = {
        "route": {
            "receiver": "people",
            "group_wait": "0s",
            "group_interval": "1s",
            "group_by": ["alertname"],
        },
        "receivers": [{"name": "people", "webhook_configs": [{"url": hook}]}],
    }
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return Server(
        folder,
        "alertmanager",
        f"--config.file={path}",
        f"--storage.path={folder / 'am'}",
        "--cluster.listen-address=",
    )
