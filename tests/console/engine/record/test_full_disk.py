"""I1 and G13: a disk that fills up is told at once, nothing acts, and everything goes on when there is room again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.engine.engine import Engine
from screens.kit.screen_state import ScreenState
from screens.sections.banner import banner
from state.events.event import Draft
from state.events.log import LogRecovered, LogWriteFailed, NoteAdded
from state.events.operations import OperationIntended
from state.events.world import MetricGap
from state.log.errors import LogFrozenError
from state.log.store import LogStore
from state.log.verify import verify
from tests.console.engine.stand import REAL_S, Stand, stand
from tests.drafts import draft
from tests.state.log.test_trouble import Disk


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and sys.platform == "linux"
    words = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if not mounted or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no file system of a size of its own can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_file_system(small: Path, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.log = small / "a.lclog"
        await s.open()
        client = await s.attach("ann")
        await s.until(lambda v: bool(v.graphs and v.graphs[0].series[0].points))
        filler = small / "filler"
        fill(filler)
        await s.clock.advance(15)
        answer = await in_trouble(s)
        assert "the disk is full (SQLITE_FULL)" in answer
        async with asyncio.timeout(1.0):
            while not client.trouble:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.01)
        lines = banner(ScreenState(client.view, trouble=client.trouble), 160, 2)
        assert "THE LOG CAN'T BE WRITTEN: the disk is full" in "".join(span.text for span in lines[0])
        for name, args in (
            ("attest.sign", {"item": "1.1", "verdict": "GO"}),
            ("operation.run", {"operation": "production.deploy"}),
        ):
            reply = await client.command(name, args)
            assert not reply.ok
        assert s.view.item("1.1").attestation is None  # type: ignore[union-attr]  # it is there
        acknowledged = s.view.seq
        await s.clock.advance(60)
        await asyncio.sleep(0.3)

        filler.unlink()
        async with asyncio.timeout(REAL_S):
            while s.engine.store.state.frozen or client.trouble:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.02)
        assert (await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})).ok
        kinds = [line.kind for line in s.view.tail]
        assert {LogWriteFailed.KIND, LogRecovered.KIND} <= set(kinds)
        assert any("dropped" in e.body for e in s.events(MetricGap.KIND))
        await s.clock.advance(15)
        await s.until(lambda v: v.seq > acknowledged + 3)
        await client.close()
        await s.close()
        assert verify(s.log).ok


def fill(path: Path) -> None:
    """Leave no room at all."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


async def in_trouble(s: Stand) -> str:
    """Write until the log is frozen, and return why; that takes less than a second from the first failure."""
    began = time.perf_counter()
    notes = [asyncio.create_task(s.engine.journal.record(Draft(NoteAdded("x" * 4000)))) for _ in range(4)]
    async with asyncio.timeout(5):
        while not s.engine.store.state.frozen:  # noqa: ASYNC110  polled from outside
            await asyncio.sleep(0.005)
    assert time.perf_counter() - began < 1.5
    del notes  # they wait in memory and are written later
    return s.engine.store.state.reason


async def test_io_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogStore, "connection_class", Disk)
    Disk.commits.clear()
    async with stand(tmp_path) as s:
        await s.open(run=False)
        engine: Engine = s.engine
        Disk.commits.extend(["lost"] * 40)
        waiting = asyncio.create_task(engine.journal.record(Draft(NoteAdded("kept"))))
        async with asyncio.timeout(5):
            while not engine.hub.trouble:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.005)
        assert "I/O errors (SQLITE_IOERR_FSYNC)" in engine.hub.trouble
        with pytest.raises(LogFrozenError):
            await engine.journal.record(draft(OperationIntended.KIND, {"id": "production.deploy"}))
        Disk.commits.clear()
        event = await waiting
        assert event.body["text"] == "kept"
        async with asyncio.timeout(5):
            while engine.hub.trouble:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.005)
        await s.close()
        assert verify(s.log).ok
