"""Background tasks that never end the engine: an exception becomes an event, and the task starts again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from console.engine.record.journal import Journal
from console.engine.watch.source_health import record_source_health
from state.log.errors import LogError

# Doubles from first to longest, so that a broken job doesn't spin; a healthy minute resets it.
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_HEALTHY_AFTER_S = 60.0
_logger = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]
Pause = Callable[[float], Awaitable[None]]


class Supervisor:
    """Runs jobs by name, each as a task. Pauses are real seconds: they keep a broken job from spinning."""

    def __init__(self, journal: Journal, pause: Pause = asyncio.sleep) -> None:
        self._journal = journal
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, name: str, job: Job) -> None:
        """Run a job for ever; where it raises, say so and start it again after a pause that grows."""
        self._start(self._forever(name, job), name)

    def once(self, name: str, job: Job) -> None:
        """Run a job to its end; where it raises, say so."""
        self._start(self._single(name, job), name)

    async def aclose(self) -> None:
        """Cancel every job and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _single(self, name: str, job: Job) -> None:
        try:
            await job()
        except Exception as error:
            await self._told(name, error, "and is not started again")

    async def _forever(self, name: str, job: Job) -> None:
        wait = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await job()
            except Exception as error:
                await self._told(name, error, "and starts again")
            if loop.time() - started > _HEALTHY_AFTER_S:
                wait = _FIRST_PAUSE_S
            await self._pause(wait)
            wait = min(_LONGEST_PAUSE_S, wait * 2)

    async def _told(self, name: str, error: Exception, then: str) -> None:
        _logger.error("the engine's part %r failed", name, exc_info=error)
        if isinstance(error, LogError):
            return  # there is nowhere to write it; the log's own recovery tells of the freeze
        try:
            await record_source_health(
                self._journal, f"engine/{name}", False, f"failed ({type(error).__name__}) {then}"
            )
        except LogError:
            return
