"""Who drives, where consoles come and go while an engine is busy: exactly one, and never nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient
from console.engine.process import hub
from state.events.event import Draft, Event
from tests.console.engine.stand import Stand, stand

ANN = "ann"


class SlowStore:
    """A log whose disk takes its time."""

    def __init__(self, s: Stand) -> None:
        self._store = s.engine.journal.store
        self.open = asyncio.Event()
        s.engine.journal.store = self

    async def write(self, draft: Draft) -> Event:
        await self.open.wait()
        return await self._store.write(draft)

    async def write_many(self, drafts: Sequence[Draft]) -> list[Event]:
        await self.open.wait()
        return await self._store.write_many(drafts)

    def read(self, after: int, limit: int = 500) -> list[Event]:
        return self._store.read(after, limit)


@asynccontextmanager
async def slow(folder: Path) -> AsyncIterator[tuple[Stand, SlowStore]]:
    async with stand(folder) as s:
        await s.open(run=False)
        store = SlowStore(s)
        try:
            yield s, store
        finally:
            store.open.set()


def client(s: Stand) -> EngineClient:
    return EngineClient(s.engine.connect(ANN), patience_s=None)


def drivers(s: Stand) -> list[str]:
    return [one.id for one in s.view.consoles if one.drives]


async def test_the_first_of_two_drives_although_its_event_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_GREETING_S", 0.05)
    async with slow(tmp_path) as (s, store):
        first, second = client(s), client(s)
        await first.open()
        await second.open()
        assert drivers(s) == []
        store.open.set()
        async with asyncio.timeout(5):
            await first.until(lambda v: len(v.consoles) == 2)
        assert drivers(s) == [first.welcome.console]
        await first.close()
        await second.close()


async def test_one_that_gave_up_its_greeting_keeps_nobody_from_driving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_GREETING_S", 0.2)
    async with slow(tmp_path) as (s, store):
        gone = s.engine.connect(ANN)
        await gone.send({"t": "hello", "tty": "pts/1"})
        waits = s.engine.connect(ANN)
        await waits.send({"t": "hello", "tty": "pts/1"})
        await asyncio.sleep(0.05)
        await gone.close()
        await waits.close()
        stays = client(s)
        opening = asyncio.create_task(stays.open())
        await asyncio.sleep(0.3)
        store.open.set()
        await opening
        async with asyncio.timeout(5):
            await stays.until(lambda v: [one.id for one in v.consoles] == [stays.welcome.console])
        assert drivers(s) == [stays.welcome.console]
        await stays.close()


async def test_one_that_left_a_moment_ago_does_not_drive(tmp_path: Path) -> None:
    async with slow(tmp_path) as (s, store):
        store.open.set()
        first = client(s)
        await first.open()
        assert drivers(s) == [first.welcome.console]
        store.open.clear()
        await first.close()
        second = client(s)
        opening = asyncio.create_task(second.open())
        await asyncio.sleep(0.1)
        store.open.set()
        await opening
        async with asyncio.timeout(5):
            await second.until(lambda v: len(v.consoles) == 1)
        assert drivers(s) == [second.welcome.console]
        await second.close()
