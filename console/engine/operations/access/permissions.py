"""What an operation does in the cluster, by what it would apply, and whether this account may do it.

That it is enough for helm 3.17 and 4.1 is held by
tests/cluster/test_permissions.py, where whole launches run with exactly this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from console.engine.operations.access.needs import Need, granted_by, hook_logs, needs, of_objects
from console.engine.operations.access.served_kinds import kinds_of
from console.engine.operations.preview.manifest import documents
from console.engine.operations.preview.preflight import Preflight
from console.engine.operations.run.context import Site
from state.base.json import JsonObject, obj, text
from state.runbook.models import Operation
from state.view.enums import OperationKind as Kind
from state.view.launch import GoodRevision

_AT_ONCE = 16
_MOST_TOLD = 12
_COLD, _AGAIN_S = 5, 1.0
_LEASES = "coordination.k8s.io"


async def refused(
    site: Site, operation: Operation, preflight: Preflight, good: GoodRevision | None = None
) -> list[str]:
    """Return what this account may not do though the operation does it, as ``create jobs in shop``.

    Raises the client's errors where the cluster doesn't say.
    """
    return await not_allowed(site, await needed(site, operation, preflight, good))


async def not_allowed(site: Site, found: Iterable[Need]) -> list[str]:
    """Return which of some needs this account has not, as ``create jobs in shop``.

    Raises the client's errors where the cluster doesn't say.
    """
    wanted = sorted(found)
    some = asyncio.Semaphore(_AT_ONCE)

    async def may(one: Need) -> bool:
        resource, _, part = one.resource.partition("/")
        async with some:
            return await site.kube.access_review(
                one.verb, one.group, resource, one.namespace, part, name=one.name
            )

    for _ in range(_COLD):
        allowed = await asyncio.gather(*(may(one) for one in wanted))
        # A server that isn't ready has read no RBAC, or only some, and allows too little.
        if all(allowed) or await site.kube.ready():
            break
        await site.clock.sleep(_AGAIN_S)
    told = [one.words for one, yes in zip(wanted, allowed, strict=True) if not yes]
    more = len(told) - _MOST_TOLD
    return [*told[:_MOST_TOLD], *([f"and {more} more"] if more > 0 else [])]


async def needed(
    site: Site, operation: Operation, preflight: Preflight, good: GoodRevision | None = None
) -> set[Need]:
    """Return everything that an operation needs of the cluster. Raises the client's errors."""
    space = site.namespace
    found = set(console_needs(space, operation.kind))
    found |= _on_namespace(site, operation, there=preflight.namespace_there)
    if operation.kind in {Kind.DEPLOY, Kind.ROLLBACK, Kind.UNINSTALL}:
        found |= needs(space, "", "get list create update delete", "secrets")
    if operation.kind is Kind.PREPARE or (operation.kind is Kind.DEPLOY and site.environment.apply_secrets):
        found |= needs(space, "", "get create patch", "secrets")
    newest = preflight.newest
    now = documents(newest.manifest) if newest is not None else []
    if operation.kind is Kind.UNINSTALL:
        found |= await _changed(site, now, [])
    if operation.kind is Kind.DEPLOY and preflight.rendered is not None:
        found |= await _changed(site, now, documents(preflight.rendered.manifest))
        found |= await of_hooks(site, documents(preflight.rendered.hooks_manifest))
    if operation.kind is Kind.ROLLBACK and good is not None:
        target = next((r.manifest for r in preflight.history if r.number == good.number), "")
        found |= await _changed(site, now, documents(target))
    return found


async def _changed(site: Site, now: Sequence[JsonObject], then: Sequence[JsonObject]) -> set[Need]:
    """Return what helm needs to make the objects of one manifest those of another."""
    kinds = await kinds_of(site.kube, [*now, *then])
    before, after = {_key(one): one for one in now}, {_key(one): one for one in then}
    new = [one for key, one in after.items() if key not in before]
    kept = [one for key, one in after.items() if key in before]
    gone = [one for key, one in before.items() if key not in after]
    space = site.namespace
    return {
        *of_objects(new, kinds, space, "get create patch"),
        *of_objects(kept, kinds, space, "get patch"),
        *of_objects(gone, kinds, space, "get delete"),
        *granted_by(then, space),
    }


async def whole(site: Site, manifest: str, hooks: str) -> set[Need]:
    """Return what every operation on a release needs of its objects: to make, change and take away each."""
    things = documents(manifest)
    kinds = await kinds_of(site.kube, things)
    return {
        *of_objects(things, kinds, site.namespace, "get create patch delete"),
        *granted_by(things, site.namespace),
        *await of_hooks(site, documents(hooks)),
    }


async def of_hooks(site: Site, hooks: Sequence[JsonObject]) -> set[Need]:
    """Return what helm needs of hooks: each is made anew, watched until it has ended, and taken away."""
    kinds = await kinds_of(site.kube, hooks)
    found = {
        *of_objects(hooks, kinds, site.namespace, "get list watch create patch delete"),
        *granted_by(hooks, site.namespace),
    }
    if hook_logs(hooks):
        found |= needs(site.namespace, "", "list", "pods") | needs(site.namespace, "", "get", "pods/log")
    return found


def console_needs(space: str, kind: Kind) -> frozenset[Need]:
    """Return what the console itself does in an operation, whatever the chart holds."""
    found = {Need("get", "", "namespaces", "", space)}
    if kind is Kind.PREPARE:
        return frozenset(found)
    found |= needs(space, "", "list", "pods", "events") | needs(space, "", "get", "pods", "pods/log")
    found |= needs(space, _LEASES, "get create patch", "leases")
    found |= needs(space, "", "get list", "secrets")
    found |= needs(space, "", "list", "configmaps")
    found |= needs(space, "apps", "list", "deployments", "replicasets", "statefulsets", "daemonsets")
    found |= needs(space, "batch", "list", "jobs")
    found |= needs(space, "networking.k8s.io", "list", "ingresses")
    if kind is Kind.MIGRATE:
        found |= needs(space, "batch", "get", "cronjobs")
        found |= needs(space, "batch", "get list watch create patch delete", "jobs")
    return frozenset(found)


def _on_namespace(site: Site, operation: Operation, *, there: bool) -> set[Need]:
    """Return what is done to the namespace itself."""
    found = set()
    if not there and operation.kind in {Kind.PREPARE, Kind.DEPLOY}:
        found.add(Need("create", "", "namespaces"))
    if operation.kind is Kind.PREPARE and site.environment.namespace_labels:
        found.add(Need("patch", "", "namespaces", "", site.namespace))
    return found


def _key(thing: JsonObject) -> tuple[str, ...]:
    meta = obj(thing.get("metadata"))
    return (
        text(thing, "apiVersion").partition("/")[0],
        text(thing, "kind"),
        text(meta, "namespace"),
        text(meta, "name"),
    )


def merged(*parts: Iterable[Need]) -> set[Need]:
    """Return several sets of needs as one."""
    return {one for part in parts for one in part}
