"""Pods and ingresses of both environments, watched: an event for each difference that a captain can see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from checks.base import CouldNotLookError
from checks.clients.kube_watch import Change, Reflector, WatchStatus
from console.engine.ports import ClientsPort
from console.engine.record.body_filter import fit
from console.engine.record.journal import Journal
from console.engine.watch.kubernetes_events import ingress_body, pod_body
from console.engine.watch.liveness import Liveness
from console.engine.watch.source_health import GRACE_S, Source, record_source_health
from state.base.frozen import remake
from state.base.json import JsonObject, obj, text
from state.base.text import line
from state.events.event import Body, Draft
from state.events.world import IngressChanged, IngressGone, PodChanged, PodGone
from state.log.errors import LogError
from state.runbook.environment import Environment
from state.view.launch import LaunchView

PACE_S = 0.2
"""Real seconds between two looks at what changed: a flapping object gives at most five events a second."""
# Real seconds; then the supervisor starts this again.
_UNUSABLE_PAUSE_S = 10.0
# Events per commit: a large namespace must not hold up an operation's events.
_AT_ONCE = 50
# What an object raises that can't be written down as an event: a number that doesn't fit, a time beyond all years.
_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Collection:
    """How one kind of object becomes events."""

    name: str
    path: str
    body: Callable[[str, JsonObject], PodChanged | IngressChanged]
    known: Callable[[LaunchView, str], Mapping[str, Body]]
    """What the log knows of an environment's objects, by name."""
    gone: Callable[[str, str], Body]


def _pods(view: LaunchView, env: str) -> Mapping[str, Body]:
    return {pod.name: remake(PodChanged, pod) for pod in view.pods.values() if pod.env == env}


def _ingresses(view: LaunchView, env: str) -> Mapping[str, Body]:
    return {
        ingress.name: remake(IngressChanged, ingress)
        for ingress in view.ingresses.values()
        if ingress.env == env
    }


_COLLECTIONS = (
    _Collection("pods", "/api/v1/namespaces/{}/pods", pod_body, _pods, PodGone),
    _Collection(
        "ingresses",
        "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
        ingress_body,
        _ingresses,
        IngressGone,
    ),
)


class Watches:
    """Watches one environment."""

    def __init__(
        self, journal: Journal, clients: ClientsPort, environment: Environment, grace_s: float = GRACE_S
    ) -> None:
        self._journal = journal
        self._clients = clients
        self._env = environment
        self._source = Source(journal, f"kubernetes/{environment.tier.value}", grace_s)

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            client = self._clients.kube(self._env.tier)
        except CouldNotLookError as error:  # a secret or a file that is missing: said once, looked for again
            await record_source_health(self._journal, self._source.name, False, str(error))
            await asyncio.sleep(_UNUSABLE_PAUSE_S)
            return
        followers = []
        for collection in _COLLECTIONS:
            self._source.expect(collection.name)
            follower = _Follower(self._journal, self._source, collection, self._env)
            path = collection.path.format(self._env.kube.namespace)
            follower.reflector = Reflector(client, path, follower.on_change, follower.on_status)
            followers.append(follower)

        def back() -> None:
            for follower in followers:
                follower.reflector.renew()

        alive = Liveness(client, self._source, back)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(alive.run())
                for follower in followers:
                    group.create_task(follower.reflector.run())
                    group.create_task(follower.run())
        except Exception as error:
            # Said by the source itself: it tells too when it sees again, which a restart alone doesn't.
            failed = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            reason = f"the watch failed ({type(failed).__name__}) and starts again"
            with contextlib.suppress(LogError):
                await record_source_health(self._journal, self._source.name, False, reason)
            raise
        finally:
            await self._source.aclose()


def unreadable_source(what: str, env: str) -> str:
    """Return the name of the source that says which pods or ingresses of an environment are left out."""
    return f"unreadable {what}/{env}"


class _Follower:
    """Turns one collection's changes into events, at a pace."""

    reflector: Reflector

    def __init__(
        self, journal: Journal, source: Source, collection: _Collection, environment: Environment
    ) -> None:
        self._journal = journal
        self._source = source
        self._what = collection
        self._env = environment.tier.value
        self._news = asyncio.Event()
        self._changed: dict[str, Change] = {}
        self._listed = False
        """Whether a complete list came since the last look, so that what it lacks is gone."""
        self._synced = False
        self._unreadable: dict[str, str] = {}
        """Why an object is left out, by its key."""

    async def on_change(self, change: Change) -> None:
        """Remember the newest state of an object."""
        self._changed[change.key] = change
        self._news.set()

    async def on_status(self, status: WatchStatus) -> None:
        """Tell the source; what was missed while nothing could be seen is found by comparing."""
        self._synced = status.synced
        if status.synced:
            self._listed = True
            self._news.set()
        else:
            await self._source.lost(self._what.name, status.reason)

    async def run(self) -> None:
        """Record what differs, as often as the pace allows."""
        while True:
            await self._news.wait()
            self._news.clear()
            changed, self._changed = self._changed, {}
            listed, self._listed = self._listed, False
            await self._tell(changed.values(), listed)
            if listed and self._synced:
                # Not before: seen is what the log knows, and telling it may fail.
                await self._source.well(self._what.name)
            await asyncio.sleep(PACE_S)

    async def _tell(self, changed: Iterable[Change], listed: bool) -> None:
        # Compared with the log, not with the last look: a previous engine may have recorded it already.
        known = self._what.known(self._journal.view, self._env)
        drafts = []
        for change in changed:
            body = self._readable(change)
            if body is None:
                continue
            if not change.gone and known.get(body.name) != body:
                drafts.append(Draft(body))
            elif change.gone and body.name in known:
                drafts.append(self._gone(body.name))
        if listed:
            there = {text(obj(one.get("metadata")), "name") for one in self.reflector.objects.values()}
            drafts += [self._gone(name) for name in known if name not in there]
            self._unreadable = {k: why for k, why in self._unreadable.items() if k in self.reflector.objects}
        for start in range(0, len(drafts), _AT_ONCE):
            await self._journal.record_many(drafts[start : start + _AT_ONCE])
        await self._tell_unreadable()

    def _readable(self, change: Change) -> PodChanged | IngressChanged | None:
        """Return what is to be recorded of an object; None where it can't be, which blinds nothing but itself."""
        self._unreadable.pop(change.key, None)
        try:
            body = self._what.body(self._env, change.object)
            fit(Draft(body).fields())
        except _UNREADABLE as error:
            if not change.gone:
                self._unreadable[change.key] = line(str(error) or type(error).__name__, 120)
            return None
        return body

    async def _tell_unreadable(self) -> None:
        name = unreadable_source(self._what.name, self._env)
        if self._unreadable or name in self._journal.view.sources:
            key, why = next(iter(self._unreadable.items()), ("", ""))
            more = f", and {len(self._unreadable) - 1} more" if len(self._unreadable) > 1 else ""
            reason = f"{line(key, 120)} is left out, it can't be read ({why}){more}"
            await record_source_health(self._journal, name, not self._unreadable, reason)

    def _gone(self, name: str) -> Draft:
        return Draft(self._what.gone(self._env, name))
