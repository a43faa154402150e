"""Bringing a namespace from one manifest to the next, and seeing whether it got there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from console.rehearsal.sim.helm.cluster import (
    MERGE_PATCH,
    ApiError,
    Cluster,
    HelmError,
    collection,
    mutable,
    object_path,
)
from state.base.json import EMPTY, Json, JsonObject, integer, items, obj, objs, path, text

# What the real one calls itself in managedFields: the name of its program.
_MANAGER = "fieldManager=helm"
_RELEASE_NAME = "meta.helm.sh/release-name"
_RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"


def owned(item: JsonObject, release: str, namespace: str) -> dict[str, Json]:
    """Return an object with the marks by which helm knows its own."""
    marked = mutable(item)
    metadata = dict(obj(marked.get("metadata")))
    metadata.setdefault("namespace", namespace)
    metadata["labels"] = {**obj(metadata.get("labels")), "app.kubernetes.io/managed-by": "Helm"}
    metadata["annotations"] = {
        **obj(metadata.get("annotations")),
        _RELEASE_NAME: release,
        _RELEASE_NAMESPACE: namespace,
    }
    marked["metadata"] = metadata
    return marked


def _key(item: JsonObject) -> tuple[str, str, str]:
    return text(item, "apiVersion"), text(item, "kind"), str(path(item, ("metadata", "name")))


def refuse_foreign(
    cluster: Cluster, old: Sequence[JsonObject], new: Sequence[JsonObject], release: str, ns: str
) -> None:
    """Raise HelmError where an object to be created exists already and belongs to somebody else."""
    known = {_key(item) for item in old}
    for item in new:
        if _key(item) in known or (live := cluster.get(object_path(item, ns))) is None:
            continue
        annotations = obj(path(live, ("metadata", "annotations")))
        if annotations.get(_RELEASE_NAME) != release or annotations.get(_RELEASE_NAMESPACE) != ns:
            _, kind, name = _key(item)
            raise HelmError(
                f'Unable to continue with update: {kind} "{name}" in namespace "{ns}" exists and cannot be '
                "imported into the current release: invalid ownership metadata; annotation validation error: "
                f'key "{_RELEASE_NAME}" must equal "{release}"'
            )


def change(
    cluster: Cluster,
    old: Sequence[JsonObject],
    new: Sequence[JsonObject],
    namespace: str,
    between: Callable[[], None],
) -> None:
    """Create and patch what ``new`` holds, then delete what only ``old`` held.

    ``between`` is called before each object and may raise. Raises ApiError and HelmError.
    """
    before = {_key(item): item for item in old}
    for item in new:
        between()
        live = cluster.get(object_path(item, namespace))
        if live is None:
            there = collection(text(item, "apiVersion"), text(item, "kind"), namespace)
            cluster.call("POST", f"{there}?{_MANAGER}", item)
        elif patch := merge_patch(before.get(_key(item), EMPTY), item, live):
            cluster.call("PATCH", f"{object_path(item, namespace)}?{_MANAGER}", patch, content=MERGE_PATCH)
    kept = {_key(item) for item in new}
    for item in reversed(old):
        if _key(item) not in kept:
            between()
            remove(cluster, item, namespace)


def remove(cluster: Cluster, item: JsonObject, namespace: str) -> None:
    """Delete an object; one that is not there is fine."""
    try:
        target = object_path(item, namespace)
        cluster.call(
            "DELETE", target, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        )
    except ApiError as error:
        if error.status != 404:
            raise


def merge_patch(old: JsonObject, new: JsonObject, live: JsonObject) -> dict[str, Json]:
    """Return the JSON merge patch that gives ``live`` what ``new`` says and takes what only ``old`` said."""
    patch: dict[str, Json] = {}
    for key, desired in new.items():
        there = live.get(key)
        if isinstance(desired, Mapping) and isinstance(there, Mapping):
            if below := merge_patch(obj(old.get(key)), desired, there):
                patch[key] = below
        elif key not in live or not _says(there, desired) or _shorter(old.get(key), desired):
            patch[key] = desired
    for key in old:
        if key not in new and key in live:
            patch[key] = None
    return patch


def _says(live: Json, desired: Json) -> bool:
    """Return whether ``live`` holds ``desired``, perhaps with defaults that the server added."""
    if isinstance(desired, Mapping):
        there = obj(live)
        return all(key in there and _says(there[key], value) for key, value in desired.items())
    if isinstance(desired, Sequence) and not isinstance(desired, str):
        live_list = items(live)
        return len(live_list) == len(desired) and all(map(_says, live_list, desired))
    return live == desired


def _shorter(old: Json, new: Json) -> bool:
    """Return whether a list's members lost keys, which a merge patch can only say with the whole list."""
    return isinstance(new, Sequence) and not isinstance(new, str) and old is not None and not _says(new, old)


def waiting_for(
    cluster: Cluster, manifest: Sequence[JsonObject], namespace: str, *, jobs: bool
) -> str | None:
    """Return what is not ready yet (``Deployment web: 1 of 2``), or None."""
    for item in manifest:
        kind = text(item, "kind")
        if kind not in {"Deployment", "Job"} or (kind == "Job" and not jobs):
            continue
        live = cluster.get(object_path(item, namespace)) or EMPTY
        name = str(path(item, ("metadata", "name")))
        reason = _deployment(live) if kind == "Deployment" else _job(live)
        if reason:
            return f"{kind} {name}: {reason}"
    return None


def _deployment(live: JsonObject) -> str | None:
    desired = integer(obj(live.get("spec")), "replicas", 1)
    status = obj(live.get("status"))
    if integer(status, "observedGeneration") < integer(obj(live.get("metadata")), "generation"):
        return "not observed yet"
    updated, available = integer(status, "updatedReplicas"), integer(status, "availableReplicas")
    total = integer(status, "replicas")
    if updated < desired or available < desired or total > desired:
        return f"{min(updated, available)} of {desired}"
    return None


def _job(live: JsonObject) -> str | None:
    done = {
        text(c, "type") for c in objs(path(live, ("status", "conditions"))) if text(c, "status") == "True"
    }
    if "Failed" in done:
        raise HelmError(f"job {path(live, ('metadata', 'name'))} failed: BackoffLimitExceeded")
    return None if "Complete" in done else "not complete"
