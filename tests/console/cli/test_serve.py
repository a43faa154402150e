"""``serve``: a page on loopback that answers whoever has its address, and shows a watcher and no console."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from console.cli.watching import serve
from console.engine.engine import open_store
from console.exit_codes import ExitCode, FailedError
from state.events.event import Draft
from state.events.log import NoteAdded
from state.log.errors import LogDamagedError
from state.log.reader import LogReader
from tests.clocks import ManualClock
from tests.paths import ROOT

REAL_S = 60.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a launch that goes on, whose engine is somewhere else."""
    path = tmp_path / "launch.lclog"
    store = open_store(path, ManualClock(), "session")
    store.append(Draft(NoteAdded("a note of ann's"), actor="ann")).result(10)
    store.close()
    return path


@pytest.fixture
def over(tmp_path: Path) -> Path:
    path = tmp_path / "over.lclog"
    path.write_bytes(gzip.decompress((ROOT / "tests/logs/held-and-scrubbed.lclog.gz").read_bytes()))
    return path


def test_a_log_is_watched_and_not_driven(log: Path, over: Path) -> None:
    program = [sys.executable, "-m", "console"]
    assert serve.command(log, drive=False) == [*program, "follow", str(log)]
    assert serve.command(over, drive=False) == [*program, "replay", str(over)]


def test_a_runbook_is_driven_where_that_is_asked_for() -> None:
    book = ROOT / "examples/web-service.yaml"
    assert serve.command(book, drive=True) == [sys.executable, "-m", "console", "open", str(book)]
    with pytest.raises(FailedError, match="no engine runs") as caught:
        serve.command(book, drive=False)
    assert caught.value.code is ExitCode.NO_ENGINE


def test_a_log_without_an_engine_is_not_driven_and_a_damaged_one_not_served(log: Path) -> None:
    with pytest.raises(FailedError, match="name its runbook to drive"):
        serve.command(log, drive=True)
    bytes_ = bytearray(log.read_bytes())
    at = bytes_.index(b"a note of ann")
    bytes_[at : at + 6] = b"A NOTE"
    log.write_bytes(bytes_)
    with pytest.raises(LogDamagedError):
        serve.command(log, drive=False)


def test_without_its_library_it_says_what_to_install(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.delitem(sys.modules, "textual_serve.server", raising=False)
    monkeypatch.delitem(sys.modules, "console.ui.web_page", raising=False)
    with pytest.raises(FailedError, match=r"pip install 'launch-console\[serve\]'"):
        serve.run(log, 0, drive=False)


@asynccontextmanager
async def served(
    log: Path, *more: str, patience: float = REAL_S
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console", "serve", str(log), "--port", "0", *more),
        cwd=log.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(log.parent / "state")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert run.stdout is not None
    try:
        async with asyncio.timeout(patience):
            yield (await run.stdout.readline()).decode().strip(), run
            run.send_signal(signal.SIGTERM)
            await run.wait()
    finally:
        if run.returncode is None:
            run.kill()
            await run.wait()


async def answered(session: aiohttp.ClientSession, address: str, **headers: str) -> tuple[int, str]:
    for _ in range(200):  # it tells its address before it listens
        try:
            async with session.get(address, headers=headers) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.1)
    raise AssertionError(address)


async def screen(session: aiohttp.ClientSession, address: str, *, keys: str, until: bytes) -> bytes:
    """Open a page's socket as the browser does, type keys, and return what was painted until some bytes came."""
    painted = b""
    origin = {"Origin": address.rpartition("/")[0].rpartition("/")[0]}
    async with session.ws_connect(f"{address}ws?width=120&height=40", headers=origin) as socket:
        typed = False
        async for message in socket:
            painted += message.data if isinstance(message.data, bytes) else b""
            if not typed and b"LOG" in painted:
                await socket.send_str(json.dumps(["stdin", keys]))
                typed = True
            if until in painted:
                return painted
    raise AssertionError(painted[-3000:])


async def test_the_page_answers_with_its_key_and_shows_a_watcher(log: Path) -> None:
    with LogReader(log) as reader:
        events = reader.count()
    async with served(log) as (address, _), aiohttp.ClientSession() as session:
        host = address.split("/")[2]
        assert host.startswith("127.0.0.1:")
        code, page = await answered(session, address)
        assert code == 200
        assert f"ws://{host}" in page
        async with session.get(address) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        script = f"{address}static/js/textual.js"
        assert (await answered(session, script))[0] == 200
        # Neither without the key, nor under another name, nor for the page of somebody else.
        assert (await answered(session, f"http://{host}/"))[0] == 404
        assert (await answered(session, f"http://{host}/{'x' * 32}/"))[0] == 404
        assert (await answered(session, address, Host="evil.example:80"))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"{address}ws", headers={"Origin": "http://evil.example"})
        assert caught.value.status == 403
        painted = await screen(session, address, keys="hl", until=b"milestones")
        assert b"read-only" in painted
    with LogReader(log) as reader:
        assert reader.count() == events
