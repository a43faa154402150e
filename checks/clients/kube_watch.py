"""List-and-watch that tells the truth about itself.

What is there, what changed, and since when it has been blind.

kubernetes' own informer loops without a pause when the server is gone (2,452 times in 3 s); this one waits
longer after each failure, lists again after 410, and reports each change between synced and lost once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from checks.clients.errors import GoneError, TimedOutError
from checks.clients.kube import KubeClient, WatchEvent
from checks.errors import CouldNotLookError
from state.base.json import JsonObject, integer, obj, text
from state.base.text import line

# Doubles from first to longest: quick after a restart of the API server, and its return is seen within 5 s.
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 4.0
# The server closes the watch cleanly after this; the next one resumes without a list. API servers take it as it is.
_SERVER_ENDS_AFTER: Final = 1800
# Bookmarks come about once a minute from a real server. Two that are missing are a connection that is none.
_SILENCE: Final = 150.0
# An expired version is routine, not a failure: no backoff, just not a tight loop.
_AFTER_GONE: Final = 0.2


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """Whether a collection is known as it is now."""

    synced: bool
    reason: str = ""
    """Why not, as one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one object. ``gone`` objects are as they were last seen."""

    key: str
    object: JsonObject
    gone: bool


OnChange = Callable[[Change], Awaitable[None]]
OnStatus = Callable[[WatchStatus], Awaitable[None]]
Pause = Callable[[float], Awaitable[None]]


@dataclass
class Reflector:
    """Keeps a copy of one collection, for example ``/api/v1/namespaces/x/pods``.

    ``on_change`` is called for each object that is new, differs (by resourceVersion) or is gone;
    ``on_status`` once for each change of synced. ``run`` ends only by being cancelled. Pauses are real
    seconds: they belong to the network.
    """

    client: KubeClient
    path: str
    on_change: OnChange
    on_status: OnStatus
    query: Mapping[str, str | int] = field(default_factory=dict)
    idle_timeout: float = _SILENCE
    """After so many real seconds of silence the watch is made anew, from where it was."""
    pause: Pause = asyncio.sleep
    objects: dict[str, JsonObject] = field(default_factory=dict, init=False)
    _version: str = field(default="", init=False)
    _status: WatchStatus | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _watching: asyncio.Task[None] | None = field(default=None, init=False)

    def renew(self) -> None:
        """Make the watch anew, from where it is."""
        if self._watching is not None:
            self._watching.cancel()

    async def run(self) -> None:
        """List, then watch, for ever."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch_once()
            except CouldNotLookError as error:
                self._version = ""
                await self._lost(error)

    async def _watch_once(self) -> None:
        """Watch until it ends; where only a fresh list can say what is there, forget the version."""
        self._watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({self._watching})
        finally:
            watching, self._watching = self._watching, None
            watching.cancel()
            ended = (await asyncio.gather(watching, return_exceptions=True))[0]
        match ended:
            case GoneError():
                self._version = ""
                await self.pause(_AFTER_GONE)
            case None | TimedOutError() | asyncio.CancelledError():
                pass  # it ended, was silent too long or was to be made anew: what it knew holds, no list is needed
            case BaseException():
                raise ended

    async def _list(self) -> None:
        found = await self.client.list_objects(self.path, self.query)
        now = {key_of(item): item for item in found.items}
        for key in [key for key in self.objects if key not in now]:
            await self._remove(key, self.objects[key])
        for key, one in now.items():
            await self._put(key, one)
        self._version = found.resource_version
        self._failures = 0
        await self._say(WatchStatus(synced=True))

    async def _watch(self) -> None:
        asked = {**self.query, "resourceVersion": self._version, "timeoutSeconds": _SERVER_ENDS_AFTER}
        started = asyncio.get_running_loop().time()
        seen = 0
        async for event in self.client.watch(self.path, asked, idle_timeout=self.idle_timeout):
            await self._take(event)
            seen += 1
        if not seen and asyncio.get_running_loop().time() - started < 1.0:
            await self.pause(1.0)  # a server that ends watches at once must not be hammered

    async def _take(self, event: WatchEvent) -> None:
        if event.type == "ERROR":
            self._refuse(event.object)
        version = text(obj(event.object.get("metadata")), "resourceVersion")
        if event.type == "DELETED":
            await self._remove(key_of(event.object), event.object)
        elif event.type in {"ADDED", "MODIFIED"}:
            await self._put(key_of(event.object), event.object)
        if version:
            self._version = version

    def _refuse(self, answer: JsonObject) -> None:
        reason = line(text(answer, "message") or text(answer, "reason"), 160)
        if integer(answer, "code") == 410 or text(answer, "reason") in {"Expired", "Gone"}:
            raise GoneError(f"{self.client.where}: the watch of {self.path} expired ({reason})")
        raise CouldNotLookError(
            f"{self.client.where}: the watch of {self.path} ended with an error ({reason})"
        )

    async def _put(self, key: str, one: JsonObject) -> None:
        before = self.objects.get(key)
        self.objects[key] = one
        # A re-list repeats every object: only a different version is news.
        if before is None or _version_of(before) != _version_of(one) or not _version_of(one):
            await self.on_change(Change(key, one, gone=False))

    async def _remove(self, key: str, last: JsonObject) -> None:
        if self.objects.pop(key, None) is not None:
            await self.on_change(Change(key, last, gone=True))

    async def _lost(self, error: CouldNotLookError) -> None:
        await self._say(WatchStatus(synced=False, reason=str(error)))
        wait = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._failures)
        # Capped: after a night of failures, 2.0**n would overflow.
        self._failures = min(self._failures + 1, 16)
        await self.pause(wait)

    async def _say(self, status: WatchStatus) -> None:
        if self._status is None or self._status.synced != status.synced:
            self._status = status
            await self.on_status(status)


def key_of(thing: JsonObject) -> str:
    """Return ``namespace/name``, or the name alone where there is no namespace."""
    meta = obj(thing.get("metadata"))
    namespace = text(meta, "namespace")
    return f"{namespace}/{text(meta, 'name')}" if namespace else text(meta, "name")


def _version_of(thing: JsonObject) -> str:
    return text(obj(thing.get("metadata")), "resourceVersion")
