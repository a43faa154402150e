"""What of a cluster is a release's: its workloads and their pods, by its manifest and by who owns whom.

A label says it of charts that set the label; who owns whom the cluster's controllers write down themselves. What helm
keeps of a release names its objects; each pod is followed upwards through its controllers (a ReplicaSet, a
StatefulSet, a custom resource) until one of these is met. So a hook's pods aren't among them, nor those of a CronJob,
whose runs are no part of a deploy.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checks.clients.errors import ForbiddenError, NotFoundError
from checks.clients.kube import KubeClient
from checks.clients.kube_object import name_of
from checks.workloads import INSTANCE
from state.base.images import digest_of
from state.base.json import JsonObject, flag, obj, objs, path, text
from state.view.pods import HOOK, condition_of
from state.view.rollout import Rollout, WorkloadKind, missing, newest_hash, newest_set, rollout

Key = tuple[str, str, str, str]
"""Group, kind, namespace, name."""
_K = WorkloadKind
_CRON_JOB = "CronJob"
_LISTS: Mapping[WorkloadKind, tuple[str, str, str]] = {
    _K.DEPLOYMENT: ("apps", "/apis/apps/v1", "deployments"),
    _K.STATEFUL_SET: ("apps", "/apis/apps/v1", "statefulsets"),
    _K.DAEMON_SET: ("apps", "/apis/apps/v1", "daemonsets"),
    _K.REPLICA_SET: ("apps", "/apis/apps/v1", "replicasets"),
    _K.REPLICATION_CONTROLLER: ("", "/api/v1", "replicationcontrollers"),
    _K.JOB: ("batch", "/apis/batch/v1", "jobs"),
    _K.POD: ("", "/api/v1", "pods"),
}
_REVISIONS = ("/apis/apps/v1", "controllerrevisions")
_BUILT_IN = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "policy"),
        *("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "storage.k8s.io"),
        *("certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io"),
        *("networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io"),
    }
)
"""Groups whose objects make nothing but what lists of workloads show. Any other may have an operator behind it."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A workload of a release."""

    rollout: Rollout
    namespace: str
    live: JsonObject = field(repr=False)
    """As the API server has it; what the manifest says where it isn't there."""
    pods: tuple[JsonObject, ...] = field(repr=False)
    newest: JsonObject | None = field(default=None, repr=False)
    """The ReplicaSet of a Deployment's newest revision."""


@dataclass(slots=True)
class _Namespace:
    """What is there in one namespace."""

    name: str
    things: dict[WorkloadKind, tuple[JsonObject, ...]]
    revisions: tuple[JsonObject, ...] = ()
    by_uid: dict[str, tuple[WorkloadKind, JsonObject]] = field(default_factory=dict)

    def chain(self, kind: WorkloadKind, thing: JsonObject) -> Iterator[tuple[Key, JsonObject | None]]:
        """Yield an object and its controllers upwards: key, and the object where it was listed."""
        yield (_LISTS[kind][0], kind.value, self.name, name_of(thing)), thing
        owner = controller(thing)
        if owner is None:
            return
        known = self.by_uid.get(text(owner, "uid"))
        if known is not None:
            yield from self.chain(*known)
            return
        kind_above, name = text(owner, "kind"), text(owner, "name")
        yield (_group(owner), kind_above, self.name, name), None
        if kind_above == _K.REPLICA_SET:  # it goes before its pods do: its name has its Deployment's
            yield ("apps", _K.DEPLOYMENT.value, self.name, name.rpartition("-")[0]), None

    def owned_by(self, owner: JsonObject, kind: WorkloadKind) -> tuple[JsonObject, ...]:
        """Return the objects of a kind whose controller is an object."""
        uid = text(obj(owner.get("metadata")), "uid")
        return tuple(one for one in self.things.get(kind, ()) if text(controller(one) or {}, "uid") == uid)


def controller(thing: JsonObject) -> JsonObject | None:
    """Return the owner reference that says who makes an object, or None where nobody does."""
    owners = objs(path(thing, ("metadata", "ownerReferences")))
    return next((one for one in owners if flag(one, "controller")), None)


async def owned(
    kube: KubeClient, namespace: str, release: str, manifest: Sequence[JsonObject] | None, now_us: int
) -> tuple[Owned, ...]:
    """Return every workload of a release with its pods, those first that its manifest names, in its order.

    ``manifest``: the objects that helm keeps of it; None where there is no record: then the label alone says what is
    the release's. Raises the client's errors where something of it cannot be listed.
    """
    expected = {_key(one, namespace): one for one in manifest or ()}
    places = dict.fromkeys([namespace, *(key[2] for key in expected if _workload(key) is not None)])
    needed = _needed(expected) if manifest is not None else set(_LISTS)
    there = await asyncio.gather(*(_listed(kube, place, needed, expected) for place in places))
    found: list[Owned] = []
    for place in there:
        own = _labelled(place, release) if manifest is None else expected.keys()
        found += _of_release(place, own, now_us)
    live = {_place_of(one) for one in found}
    lost = [(key, one) for key, one in expected.items() if key not in live]
    found += [
        Owned(missing(kind, key[3], one), key[2], one, ())
        for key, one in lost
        if (kind := _workload(key)) is not None
    ]
    order = {key: number for number, key in enumerate(expected)}
    return tuple(sorted(found, key=lambda one: order.get(_place_of(one), len(order))))


def asleep(found: Iterable[Owned], running: Collection[str]) -> set[tuple[str, str]]:
    """Return (container, digest) of what no pod runs now, since nothing is asked for or a job has done its work.

    The workload itself says by digest what it would be. ``running``: the containers that do run.
    """
    return {
        (text(container, "name"), digest_of(text(container, "image")))
        for one in found
        if one.rollout.complete and not one.rollout.wanted
        for container in objs(path(one.live, ("spec", "template", "spec", "containers")))
        if text(container, "name") not in running and digest_of(text(container, "image"))
    }


def _place_of(one: Owned) -> Key:
    kind = one.rollout.kind
    return (_LISTS[kind][0], kind.value, one.namespace, one.rollout.name)


def _of_release(place: _Namespace, own: Iterable[Key], now_us: int) -> Iterator[Owned]:
    """Yield the workloads of a namespace that are a release's: the topmost of each chain of owners."""
    keys = set(own)
    for kind, things in place.things.items():
        for thing in things:
            chain = list(place.chain(kind, thing))
            above = [known for _, known in chain[1:]]
            top = all(known is None for known in above)
            runs = any(key[1] == _CRON_JOB for key, _ in chain)
            if top and not runs and any(key in keys for key, _ in chain):
                yield _seen(place, kind, thing, now_us)


def _seen(place: _Namespace, kind: WorkloadKind, thing: JsonObject, now_us: int) -> Owned:
    sets = place.owned_by(thing, _K.REPLICA_SET) if kind is _K.DEPLOYMENT else ()
    pods = [pod for maker in (thing, *sets) for pod in place.owned_by(maker, _K.POD)]
    if kind is _K.POD:
        pods = [thing]
    uid = text(obj(thing.get("metadata")), "uid")
    revisions = sets or tuple(one for one in place.revisions if text(controller(one) or {}, "uid") == uid)
    newest = newest_hash(kind, thing, revisions)
    if kind is _K.DAEMON_SET and not newest:
        newest = _daemon_hash(thing, pods)
    if kind is _K.DEPLOYMENT and not place.things.get(_K.REPLICA_SET):
        pods, newest = _without_sets(place, thing)
    own = newest_set(thing, sets)
    return Owned(rollout(kind, thing, pods, newest, now_us), place.name, thing, tuple(pods), own)


def _without_sets(place: _Namespace, deployment: JsonObject) -> tuple[list[JsonObject], str]:
    """Return a Deployment's pods and its newest hash where ReplicaSets can't be listed.

    Its selector says whose the pods are, and its controller names the newest ReplicaSet: ``name-hash``.
    """
    chosen = obj(path(deployment, ("spec", "selector", "matchLabels")))
    pods = [
        pod
        for pod in place.things.get(_K.POD, ())
        if chosen.items() <= obj(path(pod, ("metadata", "labels"))).items()
        and text(controller(pod) or {}, "kind") == _K.REPLICA_SET
    ]
    told = re.search(r'ReplicaSet "([^"]+)"', text(condition_of(deployment, "Progressing"), "message"))
    return pods, told[1].rpartition("-")[2] if told is not None else ""


def _daemon_hash(daemon_set: JsonObject, pods: Sequence[JsonObject]) -> str:
    """Return the newest revision's hash where ControllerRevisions can't be listed: by how many pods have it."""
    counts: dict[str, int] = {}
    for pod in pods:
        mark = text(obj(path(pod, ("metadata", "labels"))), "controller-revision-hash")
        counts[mark] = counts.get(mark, 0) + 1
    updated = path(daemon_set, ("status", "updatedNumberScheduled"))
    return next((mark for mark, count in reversed(counts.items()) if count == updated), "")


async def _listed(
    kube: KubeClient, place: str, needed: set[WorkloadKind], expected: Mapping[Key, JsonObject]
) -> _Namespace:
    """List what is needed of a namespace. What the release doesn't name itself may be refused to this account."""
    named = {_workload(key) for key in expected} | {_K.POD}
    kinds = [kind for kind in _LISTS if kind in needed]
    answers = await asyncio.gather(
        *(_list(kube, f"{_LISTS[k][1]}/namespaces/{place}/{_LISTS[k][2]}", strict=k in named) for k in kinds),
        _list(kube, f"{_REVISIONS[0]}/namespaces/{place}/{_REVISIONS[1]}", strict=False)
        if _K.DAEMON_SET in needed
        else _nothing(),
    )
    there = _Namespace(place, dict(zip(kinds, answers, strict=False)), answers[-1])
    for kind, things in there.things.items():
        there.by_uid |= {text(obj(one.get("metadata")), "uid"): (kind, one) for one in things}
    return there


async def _list(kube: KubeClient, where: str, *, strict: bool) -> tuple[JsonObject, ...]:
    try:
        return (await kube.list_objects(where)).items
    except (ForbiddenError, NotFoundError):
        if strict:
            raise
        return ()


async def _nothing() -> tuple[JsonObject, ...]:
    return ()


def _needed(expected: Mapping[Key, JsonObject]) -> set[WorkloadKind]:
    """Return what has to be listed: what the manifest names, and all where an operator may make what runs."""
    if any(key[0] not in _BUILT_IN for key in expected):
        return set(_LISTS)
    needed = {kind for key in expected if (kind := _workload(key)) is not None}
    return needed | {_K.POD} | ({_K.REPLICA_SET} if _K.DEPLOYMENT in needed else set())


def _workload(key: Key) -> WorkloadKind | None:
    return next((k for k, (group, _, _) in _LISTS.items() if (group, k.value) == key[:2]), None)


def _labelled(place: _Namespace, release: str) -> list[Key]:
    """Return the topmost workloads that carry the release's label, but for what helm runs beside it."""
    return [
        (_LISTS[kind][0], kind.value, place.name, name_of(thing))
        for kind, things in place.things.items()
        for thing in things
        if text(obj(path(thing, ("metadata", "labels"))), INSTANCE) == release
        and HOOK not in obj(path(thing, ("metadata", "annotations")))
        and controller(thing) is None
    ]


def _key(thing: JsonObject, namespace: str) -> Key:
    meta = obj(thing.get("metadata"))
    return (_group(thing), text(thing, "kind"), text(meta, "namespace") or namespace, text(meta, "name"))


def _group(thing: JsonObject) -> str:
    version = text(thing, "apiVersion")
    return version.partition("/")[0] if "/" in version else ""
