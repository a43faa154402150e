"""One operation at a time, whoever starts it: a Lease in the release's namespace, with a holder and an expiry.

helm's own lock is only the status of the last revision, without owner and expiry, and ``helm rollback``
doesn't look at it. Two engines on one cluster see each other here.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from checks.base import CouldNotLookError
from checks.clients.errors import ConflictError, NotFoundError
from checks.clients.kube import KubeClient
from state.base.clock import Clock
from state.base.json import JsonObject, integer, obj, text
from state.base.text import line
from state.base.times import SECOND_US, micros_of, moment

# Four renewals: three in a row may fail before somebody else can take it.
DURATION_S = 60
_RENEW_S = 15.0
# Of two that start in the same moment one wins the first round; repeated conflicts are somebody else.
_TRIES = 3


class HeldError(Exception):
    """Somebody else holds the lease: who, and until when."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and for how many seconds from now."""

    name: str
    left_s: int

    @property
    def words(self) -> str:
        """Who works on the release, in words."""
        return f"{self.name} works on this release (its lease ends in {self.left_s} s, unless renewed)"


class Lease:
    """The lease of one release. ``holder`` names a launch, so that an engine that was started anew is it still."""

    def __init__(self, kube: KubeClient, namespace: str, release: str, holder: str, clock: Clock) -> None:
        self._kube = kube
        self._clock = clock
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = f"launch-console-{release}"
        self._holder = line(holder, 120)
        self._task: asyncio.Task[None] | None = None
        self.lost = ""
        """Why it is no longer held, where it was lost."""

    @property
    def _path(self) -> str:
        return f"{self._collection}/{self._name}"

    async def foreign(self) -> Holder | None:
        """Return who else holds it, or None. Raises the client's errors where that cannot be seen."""
        try:
            return self._other(await self._kube.get(self._path))
        except NotFoundError:
            return None

    async def take(self) -> None:
        """Take it, and renew it from now on.

        Raises HeldError where somebody else holds it, and the client's errors where it cannot be written.
        """
        for _ in range(_TRIES):
            if await self._try():
                self._task = asyncio.create_task(self._renew_for_ever(), name="renew the lease")
                return
        raise HeldError("somebody else takes the lease of this release at the same time")

    async def give_back(self) -> None:
        """Let go of it, and let others have it at once."""
        if not await self._stop():
            return
        with contextlib.suppress(CouldNotLookError):
            # Read again: it may have expired and belong to somebody else by now.
            live = await self._kube.get(self._path)
            if text(obj(live.get("spec")), "holderIdentity") == self._holder:
                await self._kube.patch(self._path, self._body("", live))

    async def aclose(self) -> None:
        """Stop renewing; it runs out by itself unless this launch goes on in another engine."""
        await self._stop()

    async def _stop(self) -> bool:
        task, self._task = self._task, None
        if task is None:
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def _try(self) -> bool:
        """Return whether it is ours now; False where somebody else wrote at the same moment."""
        try:
            live = await self._kube.get(self._path)
        except NotFoundError:
            return await self._written(self._kube.create(self._collection, self._body(self._holder, None)))
        other = self._other(live)
        if other is not None:
            raise HeldError(other.words)
        return await self._written(self._kube.patch(self._path, self._body(self._holder, live)))

    async def _written(self, writing: object) -> bool:
        try:
            await writing  # type: ignore[misc]  # the callers give coroutines
        except ConflictError:
            return False
        return True

    async def _renew_for_ever(self) -> None:
        while True:
            await self._clock.sleep(_RENEW_S)
            try:
                await self._try()
                self.lost = ""
            except HeldError as error:
                self.lost = str(error)
                return
            except CouldNotLookError as error:
                self.lost = f"cannot be renewed: {line(str(error), 200)}"

    def _other(self, live: JsonObject) -> Holder | None:
        spec = obj(live.get("spec"))
        holder = text(spec, "holderIdentity")
        left_us = micros_of(text(spec, "renewTime")) - self._clock.wall_us()
        left_us += integer(spec, "leaseDurationSeconds", DURATION_S) * SECOND_US
        if not holder or holder == self._holder or left_us <= 0:
            return None
        return Holder(line(holder, 120), left_us // SECOND_US)

    def _body(self, holder: str, live: JsonObject | None) -> JsonObject:
        now = _written(self._clock.wall_us())
        spec = obj((live or {}).get("spec"))
        mine = text(spec, "holderIdentity") == holder
        metadata: dict[str, str] = {"name": self._name}
        if live is not None:  # the server refuses the patch where somebody else was quicker
            metadata["resourceVersion"] = text(obj(live.get("metadata")), "resourceVersion")
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder or None,
                "leaseDurationSeconds": DURATION_S,
                "renewTime": now,
                "acquireTime": text(spec, "acquireTime") if mine else now,
                "leaseTransitions": integer(spec, "leaseTransitions") + (0 if mine else 1),
            },
        }


def _written(wall_us: int) -> str:
    return f"{moment(wall_us // SECOND_US * SECOND_US):%Y-%m-%dT%H:%M:%S}.{wall_us % SECOND_US:06d}Z"
