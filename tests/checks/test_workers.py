"""Threads for libraries that block: connections are closed once the last of them has done its work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from checks.clients.workers import Workers


async def test_what_is_done_at_last_waits_for_work_that_nobody_waits_for_any_more() -> None:
    workers, go, done = Workers("t", 2), threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        go.wait(10)
        order.append("work")

    for _ in range(2):
        with pytest.raises(TimeoutError):
            await workers.run(slow, 0.01)

    def at_last() -> None:
        order.append("closed")
        done.set()

    workers.close(at_last)
    workers.close(at_last)  # twice is once, and no sooner
    await asyncio.sleep(0.05)
    assert order == []
    go.set()
    assert await asyncio.to_thread(done.wait, 10)
    assert order == ["work", "work", "closed"]


async def test_without_a_thread_it_is_done_at_once() -> None:
    order: list[str] = []
    Workers("t", 2).close(lambda: order.append("closed"))
    Workers("t", 2).close()
    assert order == ["closed"]


async def test_it_is_done_once_and_the_threads_end() -> None:
    workers, order = Workers("ended", 3), []
    await asyncio.gather(*(workers.run(lambda: None, 5) for _ in range(6)))
    workers.close(lambda: order.append("closed"))
    for _ in range(200):
        if not [one for one in threading.enumerate() if one.name.startswith("ended-")]:
            break
        await asyncio.sleep(0.01)
    assert order == ["closed"]
    assert not [one for one in threading.enumerate() if one.name.startswith("ended-")]
