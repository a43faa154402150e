"""Watches: a stream of lines, each an event with an object, from a version on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from console.rehearsal.sim.kubernetes.objects import Obj, namespace_of
from console.rehearsal.sim.kubernetes.paths import Target, selection, version_asked, whole_number
from console.rehearsal.sim.kubernetes.problems import KubeError, invalid_options
from console.rehearsal.sim.kubernetes.store import Store
from state.base.clock import SECOND_US
from state.base.json import JsonObject

_LOOK_AGAIN_S = 0.25
"""How long a watch sleeps at most (real time) before it looks whether its client or its time is gone."""

Shape = Callable[[JsonObject], JsonObject]


@dataclass(slots=True)
class Closing:
    """The switch that ends every watch: a generation that a watch compares with the one it began in."""

    generation: int = 0


async def stream(
    request: web.Request,
    target: Target,
    store: Store,
    closing: Closing,
    shape: Shape,
    bookmark_every_s: float,
) -> web.StreamResponse:
    """Answer a watch until its time is over, its client leaves or ``closing`` moves on.

    Raises KubeError (400) before the stream begins, for a query that cannot be read.
    """
    watch = _Watch(request, target, store, shape)
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    seconds = whole_number(request, "timeoutSeconds")
    until = loop.time() + seconds if seconds else float("inf")
    began_in, bookmark_at = closing.generation, store.clock.mono_us() + bookmark_every_s * SECOND_US
    try:
        await _send(response, watch.first())
        while began_in == closing.generation and loop.time() < until:
            await _send(response, watch.news())
            if watch.failed or request.transport is None or request.transport.is_closing():
                break
            if watch.bookmarks and store.clock.mono_us() >= bookmark_at:
                bookmark_at = store.clock.mono_us() + bookmark_every_s * SECOND_US
                await _send(response, [watch.bookmark()])
            try:
                async with asyncio.timeout(max(0.0, min(_LOOK_AGAIN_S, until - loop.time()))):
                    await store.wait_beyond(watch.version)
            except TimeoutError:
                continue
        await response.write_eof()
    except ConnectionError:
        pass
    return response


async def _send(response: web.StreamResponse, events: list[JsonObject]) -> None:
    if events:
        lines = (json.dumps(event, separators=(",", ":")) for event in events)
        await response.write("".join(f"{line}\n" for line in lines).encode())


class _Watch:
    def __init__(self, request: web.Request, target: Target, store: Store, shape: Shape) -> None:
        self._target, self._store, self._shape = target, store, shape
        self._selected = selection(request, target)
        self.bookmarks = request.query.get("allowWatchBookmarks") in ("true", "1")
        self._initial = request.query.get("sendInitialEvents") == "true"
        if self._initial and request.query.get("resourceVersionMatch") != "NotOlderThan":
            why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid_options("ListOptions", ("FieldValueForbidden", why, "resourceVersionMatch"))
        self._asked = version_asked(request)
        self.version = self._asked or store.version
        self.failed = False

    def _matches(self, body: JsonObject) -> bool:
        here = self._target.namespace is None or namespace_of(body) == self._target.namespace
        return here and self._selected(body)

    def first(self) -> list[JsonObject]:
        """The objects there are, unless the client says from which version it knows them."""
        if self._asked and not self._initial:
            return []
        self.version = self._store.version
        there = self._store.scan(self._target.resource.plural, self._target.namespace)
        found = [self._event("ADDED", one) for one in there if self._selected(one)]
        return [*found, self.bookmark(initial=True)] if self._initial and self.bookmarks else found

    def news(self) -> list[JsonObject]:
        """The events since the last look, or one ERROR event where the history no longer reaches so far."""
        try:
            changes = self._store.changes(self.version)
        except KubeError as gone:
            self.failed = True
            return [{"type": "ERROR", "object": gone.status()}]
        self.version = self._store.version
        mine = (
            change.watch_event(self._matches)
            for change in changes
            if change.resource == self._target.resource.plural
        )
        return [self._event(*one) for one in mine if one is not None]

    def _event(self, kind: str, body: JsonObject) -> JsonObject:
        return {"type": kind, "object": self._shape(body)}

    def bookmark(self, *, initial: bool = False) -> JsonObject:
        """An event without news that says how far the watch has come."""
        meta: Obj = {"resourceVersion": str(self.version)}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        resource = self._target.resource
        body: Obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        return {"type": "BOOKMARK", "object": body}
