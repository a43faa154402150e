"""A job as it is and was last: watched, because one with a ttl of 0 is gone when it is asked for."""

from __future__ import annotations

import asyncio
import contextlib

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.run.context import Site
from state.base.json import JsonObject, obj, text

_IDLE_S = 90.0
_AGAIN_S = 1.0


class JobWatch:
    """The last state of one job. A cluster that allows no watch is still asked by ``look``."""

    def __init__(self, site: Site, collection: str, name: str) -> None:
        self._site = site
        self._collection = collection
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self.job: JsonObject | None = None
        """As it was seen last, also where it is gone since."""
        self.gone = False
        self.news = asyncio.Event()

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._for_ever(), name=f"watch job {self._name}")

    async def aclose(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Ask for the job. Raises the client's errors, but not where it is gone."""
        try:
            self._saw(await self._site.kube.get(f"{self._collection}/{self._name}"))
        except NotFoundError:
            self.gone = True

    def _saw(self, job: JsonObject) -> None:
        self.job, self.gone = job, False
        self.news.set()

    async def _for_ever(self) -> None:
        while True:
            with contextlib.suppress(CouldNotLookError):
                await self._once()
            await self._site.clock.sleep(_AGAIN_S)

    async def _once(self) -> None:
        query = {"fieldSelector": f"metadata.name={self._name}"}
        found = await self._site.kube.list_objects(self._collection, query)
        for one in found.items:
            self._saw(one)
        asked = {**query, "resourceVersion": found.resource_version}
        async for event in self._site.kube.watch(self._collection, asked, idle_timeout=_IDLE_S):
            if event.type == "ERROR":
                return
            if text(obj(event.object.get("metadata")), "name") != self._name or event.type == "BOOKMARK":
                continue
            self._saw(event.object)
            # What a deletion tells is the last state, conditions and all.
            self.gone = event.type == "DELETED"
