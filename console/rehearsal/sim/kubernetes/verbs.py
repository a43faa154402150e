"""What the API's verbs do to the store, once a request is read and allowed."""

from __future__ import annotations

import base64
import json

from aiohttp import web

from console.rehearsal.sim.kubernetes import admission, paths, problems
from console.rehearsal.sim.kubernetes.kubectl import patch
from console.rehearsal.sim.kubernetes.kubectl.apply import apply
from console.rehearsal.sim.kubernetes.kubectl.owned_fields import Writer
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    child,
    clone,
    copied,
    name_of,
    namespace_of,
    number,
    stamp,
    uid_of,
    version_of,
    word,
)
from console.rehearsal.sim.kubernetes.paths import Target
from console.rehearsal.sim.kubernetes.store import Part, Store
from state.base.json import JsonObject, obj, path, text


def listed(store: Store, request: web.Request, target: Target) -> tuple[list[JsonObject], JsonObject]:
    """Return the selected objects, at most ``limit`` of them, and the list's metadata.

    The next part begins behind the last name of this one, among the objects there are then.
    Raises KubeError: 400 for a bad query, 410 for a ``continue`` whose version is forgotten.
    """
    matches = paths.selection(request, target)
    found = [one for one in store.scan(target.resource.plural, target.namespace) if matches(one)]
    meta: Obj = {"resourceVersion": str(store.version)}
    if token := request.query.get("continue", ""):
        version, behind = _continued(token)
        store.changes(version)
        found = [one for one in found if [namespace_of(one), name_of(one)] > behind]
        meta["resourceVersion"] = str(version)
    limit = paths.whole_number(request, "limit")
    if limit and len(found) > limit:
        last = found[limit - 1]
        place = json.dumps(
            [word({"metadata": meta}, "metadata", "resourceVersion"), namespace_of(last), name_of(last)]
        )
        meta["continue"] = base64.urlsafe_b64encode(place.encode()).decode()
        if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
            meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return found, meta


def _continued(token: str) -> tuple[int, list[str]]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return int(version), [str(namespace), str(name)]
    except ValueError as error:
        why = f"invalid character {_quoted(token)} looking for beginning of value"
        raise problems.bad_request(f"invalid continue token: continue key is not valid: {why}") from error


def _quoted(token: str) -> str:
    """Return the first letter that a token decodes to, as Go quotes it."""
    try:
        first = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:1]
    except ValueError:
        first = b""
    return f"'{chr(first[0])}'" if first and 32 <= first[0] < 127 else f"'\\u00{first.hex() or '00'}'"


async def create(store: Store, request: web.Request, target: Target) -> JsonObject:
    """Add the body's object and return it; a body in ``pods/x/eviction`` deletes the pod instead.

    Raises KubeError as ``Store.create`` does, and for a body that cannot be read.
    """
    if target.sub == "eviction":
        store.delete("pods", target.namespace, target.name)
        return success({})
    if target.name:
        raise problems.not_allowed()
    body = await paths.object_of(request, target)
    name = text(obj(body.get("metadata")), "name")
    if not name and not text(obj(body.get("metadata")), "generateName"):
        message = "Required value: name or generateName is required"
        raise problems.invalid(target.resource, "", [("FieldValueRequired", message, "metadata.name")])
    dry_run = paths.dry_run(request)
    writer = _writer(store, request, target)
    return store.create(
        target.resource.plural, body, target.namespace, keep_status=False, dry_run=dry_run, writer=writer
    )


async def update(store: Store, request: web.Request, target: Target) -> JsonObject:
    """Replace an object, its status or its scale by the body, and return it.

    Raises KubeError as ``Store.update`` does, and for a body that cannot be read.
    """
    plural, dry_run = target.resource.plural, paths.dry_run(request)
    if target.sub == "scale":
        live = store.need(plural, target.namespace, target.name)
        value, _ = await paths.body_of(request)
        return scale(_scaled(store, request, target, live, obj(value)))
    body = await paths.object_of(request, target)
    writer = _writer(store, request, target)
    return store.update(plural, body, part=_part(target), dry_run=dry_run, writer=writer)


async def patched(store: Store, request: web.Request, target: Target) -> tuple[JsonObject, int]:
    """Patch an object, its status or its scale; return it with 200, or 201 where an apply made it.

    Raises KubeError as ``Store.update`` does, 415 for another type, 422 for a patch that does not apply.
    """
    plural, dry_run = target.resource.plural, paths.dry_run(request)
    description, kind = await paths.body_of(request)
    live = store.peek(plural, target.namespace, target.name)
    if kind == paths.APPLY:
        return _applied(store, request, target, clone(obj(description)))
    live = store.need(plural, target.namespace, target.name)
    base = scale(live) if target.sub == "scale" else clone(live)
    if kind == paths.JSON_PATCH:
        changed = patch.json_patch(base, description)
    elif kind == paths.STRATEGIC_PATCH:
        changed = patch.strategic(base, description)
    elif kind == paths.MERGE_PATCH:
        changed = patch.merge(base, description)
    else:
        raise problems.unsupported_media(paths.PATCHES)
    new = clone(obj(changed))
    if target.sub == "scale":
        return scale(_scaled(store, request, target, live, new)), 200
    paths.fit(new, target)
    new = paths.read_as(request, target.resource, new)
    writer = _writer(store, request, target)
    return store.update(plural, new, part=_part(target), dry_run=dry_run, writer=writer), 200


def _applied(store: Store, request: web.Request, target: Target, body: Obj) -> tuple[JsonObject, int]:
    plural, dry_run = target.resource.plural, paths.dry_run(request)
    paths.fit(body, target)
    body = paths.read_as(request, target.resource, body)
    admission.as_stored(target.resource, body)
    manager = request.query.get("fieldManager", "")
    if not manager:
        why = "Required value: is required for apply patch"
        raise problems.invalid_options("PatchOptions", ("FieldValueRequired", why, "fieldManager"))
    writer = _writer(store, request, target, "Apply")
    live = store.peek(plural, target.namespace, target.name)
    if live is None:
        made = apply(clone({**body, "metadata": _named(body)}), body, writer)
        return store.create(plural, made, target.namespace, keep_status=False, dry_run=dry_run), 201
    force = request.query.get("force", "") in ("true", "1")
    new = apply(clone(live), body, writer, force=force)
    return store.update(plural, new, part=_part(target), dry_run=dry_run), 200


def _named(body: JsonObject) -> JsonObject:
    return {key: value for key, value in obj(body.get("metadata")).items() if key in ("name", "namespace")}


def _writer(store: Store, request: web.Request, target: Target, operation: str = "Update") -> Writer:
    """Return who writes: by the name that it gives, or by the program that asks."""
    program = request.headers.get("User-Agent", "").partition("/")[0]
    return Writer(
        manager=(request.query.get("fieldManager") or program or "unknown")[:128],
        operation=operation,
        api_version=target.resource.api_version,
        subresource=target.sub,
        time=stamp(store.clock.wall_us()),
    )


def _part(target: Target) -> Part:
    return "status" if target.sub == "status" else ""


def scale(body: JsonObject) -> Obj:
    """Return the Scale of a Deployment or a ReplicaSet."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    meta = obj(body.get("metadata"))
    labels = obj(path(body, ("spec", "selector", "matchLabels")))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: copied(meta[key]) for key in kept if key in meta},
        "spec": {"replicas": number(body, ("spec", "replicas"))},
        "status": {
            "replicas": number(body, ("status", "replicas")),
            "selector": ",".join(f"{key}={value}" for key, value in labels.items()),
        },
    }


def _scaled(store: Store, request: web.Request, target: Target, live: JsonObject, scale: JsonObject) -> Obj:
    new = clone(live)
    child(new, "spec")["replicas"] = number(scale, ("spec", "replicas"))
    if version_of(scale):
        child(new, "metadata")["resourceVersion"] = str(version_of(scale))
    writer = _writer(store, request, target)
    return store.update(target.resource.plural, new, dry_run=paths.dry_run(request), writer=writer)


async def delete(store: Store, request: web.Request, target: Target) -> JsonObject:
    """Delete an object; return it where Kubernetes does or while it still ends, otherwise a Status.

    Raises KubeError: 404 not there, 409 for a precondition that does not hold.
    """
    value, _ = await paths.body_of(request)
    options = clone(obj(value))
    live = store.need(target.resource.plural, target.namespace, target.name)
    preconditions = obj(options.get("preconditions"))
    for key, told, have in (
        ("uid", "UID", uid_of(live)),
        ("resourceVersion", "ResourceVersion", str(version_of(live))),
    ):
        if (asked := text(preconditions, key)) not in ("", have):
            raise problems.unmet(target.resource, target.name, told, asked, have)
    gone = _delete_one(store, request, target, options, target.name)
    still_there = store.peek(target.resource.plural, target.namespace, target.name) is not None
    if still_there or target.resource.delete_returns_object:
        return gone
    details: Obj = {"name": target.name, "kind": target.resource.plural, "uid": uid_of(gone)}
    return success({**details, "group": target.resource.group} if target.resource.group else details)


def _delete_one(store: Store, request: web.Request, target: Target, options: JsonObject, name: str) -> Obj:
    grace = request.query.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
    policy = request.query.get("propagationPolicy", options.get("propagationPolicy"))
    return store.delete(
        target.resource.plural,
        target.namespace,
        name,
        grace=str(grace) != "0",
        grace_s=int(str(grace)) if str(grace).isdigit() else None,
        orphan=policy == "Orphan" or options.get("orphanDependents") is True,
        dry_run=paths.dry_run(request, clone(options)),
    )


async def delete_all(store: Store, request: web.Request, target: Target) -> list[JsonObject]:
    """Delete the selected objects of a namespace and return them.

    Raises KubeError (405) for a kind of namespaces without one.
    """
    if target.resource.namespaced and target.namespace is None:
        raise problems.not_allowed()
    value, _ = await paths.body_of(request)
    found, _ = listed(store, request, target)
    return [_delete_one(store, request, target, obj(value), name_of(one)) for one in found]


def success(details: Obj) -> Obj:
    """Return the Status of something that was done."""
    body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {**body, "details": details} if details else body
