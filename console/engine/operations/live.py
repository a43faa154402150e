"""What really runs: the release's pods, their digests and readiness, read from the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.clients.kube import KubeClient
from state.fields import JsonObject, flag, integer, obj, objs, text

INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True, slots=True)
class Live:
    """The pods of a release, as they are now."""

    images: tuple[tuple[str, str], ...]
    """(container, digest), each pair once, sorted: two digests of one container stand both."""
    pods: int
    ready: int
    wanted: int
    """Replicas that the deployments ask for."""
    waiting: tuple[str, ...]
    """A line for each pod that isn't ready."""

    @property
    def settled(self) -> bool:
        """Whether every replica that is asked for is ready and nothing else is left."""
        return self.ready == self.pods == self.wanted > 0

    def runs(self, images: Mapping[str, str]) -> bool:
        """Return whether exactly these digests run, container by container."""
        wanted = {(name, digest_of(ref)) for name, ref in images.items()}
        return set(self.images) == wanted


def digest_of(reference: str) -> str:
    """Return ``sha256:…`` from an image reference or an image id; nothing where it has none."""
    _, found, digest = reference.rpartition("sha256:")
    return f"sha256:{digest}" if found else ""


async def look(kube: KubeClient, namespace: str, release: str) -> Live:
    """Return what runs of a release.

    Raises the client's errors where it cannot be seen.
    """
    query = {"labelSelector": f"{INSTANCE}={release}"}
    pods = (await kube.list_objects(f"/api/v1/namespaces/{namespace}/pods", query)).items
    deployments = (await kube.list_objects(f"/apis/apps/v1/namespaces/{namespace}/deployments", query)).items
    pods = tuple(p for p in pods if not _of_a_job(p) and not _ended(p))
    images = {pair for pod in pods for pair in _images(pod)}
    ready = [p for p in pods if _ready(p)]
    wanted = sum(integer(obj(d.get("spec")), "replicas", 1) for d in deployments)
    waiting = tuple(_why(p) for p in pods if not _ready(p))
    return Live(tuple(sorted(images)), len(pods), len(ready), wanted, waiting)


def _of_a_job(pod: JsonObject) -> bool:
    owners = objs(obj(pod.get("metadata")).get("ownerReferences"))
    return any(text(owner, "kind") == "Job" for owner in owners)


def _ended(pod: JsonObject) -> bool:
    return text(obj(pod.get("status")), "phase") in {"Succeeded", "Failed"}


def _ready(pod: JsonObject) -> bool:
    if obj(pod.get("metadata")).get("deletionTimestamp"):
        return False
    conditions = objs(obj(pod.get("status")).get("conditions"))
    return any(text(c, "type") == "Ready" and text(c, "status") == "True" for c in conditions)


def _images(pod: JsonObject) -> list[tuple[str, str]]:
    if obj(pod.get("metadata")).get("deletionTimestamp"):
        return []
    statuses = objs(obj(pod.get("status")).get("containerStatuses"))
    return [(text(s, "name"), digest_of(text(s, "imageID"))) for s in statuses]


def _why(pod: JsonObject) -> str:
    name = text(obj(pod.get("metadata")), "name")
    if obj(pod.get("metadata")).get("deletionTimestamp"):
        return f"{name} is ending"
    status = obj(pod.get("status"))
    for one in objs(status.get("containerStatuses")):
        waits = obj(obj(one.get("state")).get("waiting"))
        if waits:
            return f"{name} waits: {text(waits, 'reason')}"
        if not flag(one, "ready"):
            return f"{name} runs, not ready"
    return f"{name} is {text(status, 'phase')}"
