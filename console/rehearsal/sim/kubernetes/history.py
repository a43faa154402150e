"""The changes of the store, in order: what watches read, until they are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from console.rehearsal.sim.kubernetes.problems import expired
from state.base.json import JsonObject, obj


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the object before it (None when new) and after it (None when gone)."""

    version: int
    resource: str
    old: JsonObject | None
    new: JsonObject | None

    def watch_event(self, matches: Callable[[JsonObject], bool]) -> tuple[str, JsonObject] | None:
        """Return the watch event, a type and an object, for a watcher of the objects that match."""
        before = self.old is not None and matches(self.old)
        if self.new is not None and matches(self.new):
            return ("MODIFIED" if before else "ADDED"), self.new
        if before and self.old is not None:
            meta = {**obj(self.old.get("metadata")), "resourceVersion": str(self.version)}
            return "DELETED", {**self.old, "metadata": meta}
        return None


class History:
    """The newest changes, at least ``limit`` once there were so many, and the version they lead to."""

    def __init__(self, limit: int) -> None:
        self.version = 0
        self._limit = limit
        self._changes: list[Change] = []
        self._pulse = asyncio.Event()

    def record(self, resource: str, old: JsonObject | None, new: JsonObject | None) -> int:
        """Add a change, wake who waits for it, and return its version."""
        self.version += 1
        self._changes.append(Change(self.version, resource, old, new))
        if len(self._changes) > 2 * self._limit:
            del self._changes[: -self._limit]
        self._pulse.set()
        self._pulse = asyncio.Event()
        return self.version

    def since(self, version: int) -> list[Change]:
        """Return the changes after a version.

        Raises KubeError (410) for a version that is older than what is kept, or that was never given.
        """
        oldest = self.version - len(self._changes)
        if not oldest <= version <= self.version:
            raise expired(version, oldest)
        return self._changes[version - oldest :]

    async def wait_beyond(self, version: int) -> None:
        """Wait until there is a newer version."""
        while self.version <= version:
            await self._pulse.wait()

    def compact(self) -> None:
        """Forget all changes, as a real cluster does after minutes: watches from older versions get 410."""
        self._changes.clear()
