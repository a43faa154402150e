"""A few daemon threads for libraries that block.

One that hangs is left behind and can't keep the program alive.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_Job = Callable[[], None]


class Workers:
    """At most ``size`` threads, started when they are needed. Made for one event loop."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0
        self._ending = 0
        self._at_last: Callable[[], None] | None = None
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109  each job has its own
        """Return what ``work`` returns in a thread, or raise what it raises.

        Raises TimeoutError after ``timeout`` seconds; the thread goes on with its work and drops the result.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)  # type: ignore[arg-type]  # None only where T is None

        def job() -> None:
            value: T | None = None
            error: BaseException | None = None
            try:
                if not future.cancelled():
                    value = work()
            except BaseException as caught:
                error = caught
            try:
                loop.call_soon_threadsafe(settle, value, error)
            except RuntimeError:
                return  # the loop has ended; nobody waits

        self._hire()
        self._jobs.put(job)
        async with asyncio.timeout(timeout):
            return await future

    def close(self, at_last: Callable[[], None] | None = None) -> None:
        """Let the threads end after what they are doing; the last one to end does ``at_last``.

        Connections are closed there: a thread that still asks over one would hand it back to what is closed already.
        """
        with self._lock:
            self._at_last = at_last
            ending, self._threads = self._threads, 0
            self._ending += ending
            for _ in range(ending):
                self._jobs.put(None)
            idle = not self._ending
        if idle and at_last is not None:
            at_last()

    def _hire(self) -> None:
        with self._lock:
            if self._threads < self._size and self._busy + self._jobs.qsize() >= self._threads:
                self._threads += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                self._busy += 1
            try:
                job()
            finally:
                with self._lock:
                    self._busy -= 1
        with self._lock:
            self._ending -= 1
            last = self._at_last if not self._ending else None
        if last is not None:
            last()
