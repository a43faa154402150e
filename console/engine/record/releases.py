"""Whether there is a release, in the log: looked at when the engine starts, and again before it is relied upon.

The next deploy of an environment where none was ever complete is a first launch. What can't be seen is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from checks.clients.helm_release import HelmStatus, Release
from checks.clients.kube_object import labels_of
from console.engine.record.journal import Journal
from state.base.clock import first_of
from state.base.text import line
from state.events.event import Draft
from state.events.operations import OperationFinished, OperationUnknown
from state.events.world import ReleaseSeen
from state.runbook.environment import Environment
from state.view.enums import OperationKind, Presence, Tier

if TYPE_CHECKING:
    from checks.clients.clients import Clients
    from state.runbook.models import Runbook

_AGAIN_S = 30.0
_MAKES = frozenset({OperationKind.DEPLOY, OperationKind.ROLLBACK, OperationKind.UNINSTALL})
_ENDS = frozenset({OperationFinished.KIND, OperationUnknown.KIND})
_COMPLETE = frozenset({HelmStatus.DEPLOYED, HelmStatus.SUPERSEDED})


class Releases:
    """Keeps ``release.seen`` true for production: the log has an event for each change."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: Clients) -> None:
        self._journal = journal
        self._environment = runbook.environments[Tier.PRODUCTION]
        self._clients = clients
        self._lock = asyncio.Lock()
        self._known: ReleaseSeen | None = None

    async def run(self) -> None:
        """Look until there is a release: every half minute, and when an operation ended."""
        ended = asyncio.Event()
        unlisten = self._journal.listen(lambda event, _view: ended.set() if event.kind in _ENDS else None)
        try:
            while (seen := await self.look()).presence is not Presence.PRESENT:
                while True:
                    await first_of(self._journal.clock.sleep(_AGAIN_S), ended.wait())
                    if ended.is_set() or await self._moved(seen):
                        break
                ended.clear()
        finally:
            unlisten()

    async def _moved(self, seen: ReleaseSeen) -> bool:
        """Return whether helm's history may tell something else by now: two records are asked for, none is listed."""
        if seen.presence is Presence.UNKNOWN:
            return True
        kube, name = self._clients.kube(self._environment.tier), self._environment.release
        secrets = f"/api/v1/namespaces/{self._environment.kube.namespace}/secrets/sh.helm.release.v1.{name}"
        try:
            if seen.revision:
                newest = await kube.get(f"{secrets}.v{seen.revision}")
                if labels_of(newest).get("status") != seen.status:
                    return True
            await kube.get(f"{secrets}.v{seen.revision + 1}")
        except NotFoundError:
            return False
        except CouldNotLookError:
            pass  # the look says why
        return True

    async def known(self) -> ReleaseSeen:
        """Return what was seen last; look where nothing was seen yet, or not clearly."""
        seen = self._journal.view.releases.get(self._environment.tier)
        if self._known is None or seen is None or seen.presence is Presence.UNKNOWN:
            return await self.look()
        return seen

    async def look(self) -> ReleaseSeen:
        """Look at helm's history now, record what differs from what is known, and return it."""
        async with self._lock:
            seen = await self._seen()
            before = self._journal.view.releases.get(self._environment.tier)
            self._known = seen
            if before != seen and not _no_news(before, seen) and not self._at_work():
                await self._journal.record(Draft(seen))
            return seen

    def _at_work(self) -> bool:
        """Return whether an operation of this launch is about to decide it: its end tells."""
        running = self._journal.view.running()
        return running is not None and running.env == self._environment.tier and running.kind in _MAKES

    async def _seen(self) -> ReleaseSeen:
        environment = self._environment
        try:
            there = await _namespace(self._clients, environment)
            history = await self._clients.helm(environment.tier).history()
            elsewhere = "" if history else await _kept_elsewhere(self._clients, environment)
        except CouldNotLookError as error:
            reason = line(self._clients.redactor.clean(str(error)), 300)
            return _of(environment, Presence.UNKNOWN, namespace=False, reason=reason)
        if elsewhere:
            return _of(environment, Presence.UNKNOWN, namespace=there, reason=elsewhere)
        return _of(
            environment, presence_of(history), namespace=there, newest=history[-1] if history else None
        )


def presence_of(history: Sequence[Release]) -> Presence:
    """Return what a release's history, oldest first, tells.

    Without its first revisions nobody knows whether one was ever complete: then a release is there.
    """
    if not history:
        return Presence.ABSENT
    pruned = history[0].revision > 1
    complete = any(release.status in _COMPLETE for release in history)
    return Presence.PRESENT if complete or pruned else Presence.UNFINISHED


def _no_news(before: ReleaseSeen | None, seen: ReleaseSeen) -> bool:
    """Return whether nothing of note differs.

    Of a release that is there, only that it is; and a look that failed changes nothing that was seen before.
    """
    if before is None:
        return False
    blind = seen.presence is Presence.UNKNOWN and before.presence is not Presence.UNKNOWN
    return blind or before.presence is seen.presence is Presence.PRESENT


async def _namespace(clients: Clients, environment: Environment) -> bool:
    try:
        await clients.kube(environment.tier).get(f"/api/v1/namespaces/{environment.kube.namespace}")
    except NotFoundError:
        return False
    return True


async def _kept_elsewhere(clients: Clients, environment: Environment) -> str:
    """Return that a release is kept where it isn't read, or nothing: HELM_DRIVER=configmap is not seen in Secrets."""
    kube = clients.kube(environment.tier)
    where = f"/api/v1/namespaces/{environment.kube.namespace}/configmaps"
    labels = f"owner=helm,name={environment.release}"
    found = await kube.list_objects(where, {"labelSelector": labels})
    if not found.items:
        return ""
    return f"release {environment.release} is kept in ConfigMaps (HELM_DRIVER=configmap), which are not read here"


def _of(
    environment: Environment,
    presence: Presence,
    *,
    namespace: bool,
    newest: Release | None = None,
    reason: str = "",
) -> ReleaseSeen:
    return ReleaseSeen(
        env=environment.tier.value,
        presence=presence,
        namespace=namespace,
        revision=newest.revision if newest is not None else 0,
        status=newest.status if newest is not None else "",
        reason=reason,
    )
