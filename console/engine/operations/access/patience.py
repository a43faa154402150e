"""Questions to a cluster that is in trouble for a moment: asked again within a bound, then its error stands.

An API server that is started anew refuses connections, answers 5xx, and for a second or two 403 to all, until its
RBAC is read. A list that took too long is 410; one that is overrun says 429 and when to come back. None of it says
anything of a release, so none of it may close a way back or become a verdict.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from checks.base import CouldNotLookError
from checks.clients.errors import (
    ForbiddenError,
    GoneError,
    ServerFailedError,
    TooManyRequestsError,
    UnreachableError,
)
from checks.clients.kube import KubeClient, KubeList, Query, WatchEvent
from checks.clients.kubeconfig.session import Identity
from state.base.clock import Clock
from state.base.json import Json, JsonObject
from state.base.times import SECOND_US

T = TypeVar("T")
_AGAIN_S = 0.5
_LONGEST_S = 5.0
PREVIEW_S = 10.0
"""A person waits for a preview."""
JUDGING_S = 60.0
"""A verdict that nobody could see costs more than a minute."""
_READS = (GoneError, ServerFailedError, TooManyRequestsError, UnreachableError)
_WRITES = (TooManyRequestsError,)
"""After these nothing was done. A connection that broke may have done it: who writes looks."""


@dataclass(slots=True)
class Patience:
    """How long trouble is waited for, by all the questions of one preview or run together."""

    bound_s: float = PREVIEW_S
    until_us: int = 0
    """When the trouble that there is has lasted too long; 0 where there is none."""
    cold_until_us: int = 0
    """The same for 403: a real one stays, so that is waited for once."""
    refused: set[str] = field(default_factory=set)
    """What is known to be forbidden."""


class PatientKube(KubeClient):
    """A cluster's client whose calls are made again while the cluster is in trouble."""

    def __init__(self, inner: KubeClient, clock: Clock, patience: Patience) -> None:
        # All that the base class keeps is the inner one's: its connection, its redactor.
        self.namespace = inner.namespace
        self.where = inner.where
        self._inner = inner
        self._clock = clock
        self._patience = patience

    def fix(self, identity: Identity) -> None:
        """See KubeClient."""
        self._inner.fix(identity)

    async def identity(self) -> Identity:
        """See KubeClient."""
        return await self._reading(self._inner.identity, "get namespace kube-system")

    async def address(self) -> Identity:
        """See KubeClient."""
        return await self._inner.address()

    async def alive(self, timeout: float) -> None:  # noqa: ASYNC109  the base class's
        """See KubeClient: it is asked to learn whether there is trouble."""
        await self._inner.alive(timeout)

    async def get(self, path: str, query: Query | None = None) -> JsonObject:
        """See KubeClient."""
        return await self._reading(lambda: self._inner.get(path, query), f"get {path}")

    async def list_objects(self, path: str, query: Query | None = None) -> KubeList:
        """See KubeClient. After 410 the whole list is asked for anew: its first pages are of another moment."""
        return await self._reading(lambda: self._inner.list_objects(path, query), f"list {path}")

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        """See KubeClient."""
        return await self._asked(lambda: self._inner.create(path, body), _WRITES)

    async def patch(self, path: str, body: Json, kind: str = "merge") -> JsonObject:
        """See KubeClient."""
        return await self._asked(lambda: self._inner.patch(path, body, kind), _WRITES)

    async def apply_dry_run(
        self, path: str, body: JsonObject, manager: str, *, force: bool = True
    ) -> JsonObject:
        """See KubeClient: it changes nothing."""
        return await self._asked(lambda: self._inner.apply_dry_run(path, body, manager, force=force), _READS)

    async def delete(self, path: str, query: Query | None = None) -> JsonObject:
        """See KubeClient."""
        return await self._asked(lambda: self._inner.delete(path, query), _WRITES)

    async def access_review(
        self,
        verb: str,
        group: str,
        resource: str,
        namespace: str | None = None,
        subresource: str = "",
        *,
        name: str = "",
    ) -> bool:
        """See KubeClient."""
        return await self._reading(
            lambda: self._inner.access_review(verb, group, resource, namespace, subresource, name=name),
            "create selfsubjectaccessreviews",
        )

    async def pod_logs(self, pod: str, *, container: str | None = None, tail: int = 500) -> str:
        """See KubeClient."""
        return await self._reading(
            lambda: self._inner.pod_logs(pod, container=container, tail=tail), "get pods/log"
        )

    async def secret(self, name: str, namespace: str | None = None) -> dict[str, str]:
        """See KubeClient."""
        return await self._reading(lambda: self._inner.secret(name, namespace), f"get secret {name}")

    async def ready(self) -> bool:
        """See KubeClient."""
        return await self._inner.ready()

    def watch(self, path: str, query: Query, *, idle_timeout: float) -> AsyncIterator[WatchEvent]:
        """See KubeClient: whoever watches begins anew by himself."""
        return self._inner.watch(path, query, idle_timeout=idle_timeout)

    async def aclose(self) -> None:
        """The connection is the inner one's, and stays."""

    async def _reading(self, call: Callable[[], Awaitable[T]], permission: str) -> T:
        """Ask, and again after 403 while the server isn't ready, or once more where it has just become so."""
        patience, last = self._patience, False
        while True:
            try:
                return await self._asked(call, _READS)
            except ForbiddenError:
                if permission in patience.refused:
                    raise
                now = self._clock.mono_us()
                patience.cold_until_us = patience.cold_until_us or now + int(patience.bound_s * SECOND_US)
                if last or now >= patience.cold_until_us:
                    patience.refused.add(permission)
                    raise
                last = await self._inner.ready()
                await self._clock.sleep(_AGAIN_S)

    async def _asked(
        self, call: Callable[[], Awaitable[T]], passing: tuple[type[CouldNotLookError], ...]
    ) -> T:
        patience, wait = self._patience, _AGAIN_S
        while True:
            try:
                answer = await call()
            except passing as error:
                now = self._clock.mono_us()
                patience.until_us = patience.until_us or now + int(patience.bound_s * SECOND_US)
                asked = error.retry_after_s if isinstance(error, TooManyRequestsError) else 0.0
                pause = max(wait, asked)
                if now + int(pause * SECOND_US) > patience.until_us:
                    raise
                await self._clock.sleep(pause)
                wait = min(wait * 2, _LONGEST_S)
            else:
                patience.until_us = 0
                return answer
