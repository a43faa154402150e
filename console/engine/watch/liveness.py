"""Whether an API server answers at all: a quiet watch says nothing for a minute, whether its server lives or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from checks.base import CouldNotLookError
from checks.clients.kube import KubeClient
from console.engine.watch.source_health import Source

EVERY_S = 2.0
"""Real seconds between two questions. With the next one and the grace, a loss is told within 10 s."""
_ANSWERS_WITHIN_S = 4.0
_PART = "answers"


class Liveness:
    """Asks one API server every two seconds, and has its watches made anew when it is back."""

    def __init__(self, client: KubeClient, source: Source, back: Callable[[], None]) -> None:
        self._client = client
        self._source = source
        self._back = back
        source.expect(_PART)

    async def run(self) -> None:
        """Ask until cancelled."""
        lost = False
        while True:
            try:
                await self._client.alive(_ANSWERS_WITHIN_S)
            except CouldNotLookError as error:
                lost = True
                await self._source.lost(_PART, str(error))
            else:
                if lost:
                    # A connection on which a watch waits may not have lived through it, and would never say so.
                    self._back()
                lost = False
                await self._source.well(_PART)
            await asyncio.sleep(EVERY_S)
