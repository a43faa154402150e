"""What really runs: the release's pods, their digests and readiness, read from the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.clients.kube import KubeClient
from state.base.json import JsonObject, flag, integer, obj, objs, text

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
    unready: tuple[str, ...] = ()
    """The names of the pods that aren't ready and aren't ending either."""

    @property
    def settled(self) -> bool:
        """Whether every replica that is asked for is ready and nothing else is left."""
        return self.ready == self.pods == self.wanted > 0

    def runs(self, images: Mapping[str, str]) -> bool:
        """Return whether exactly these digests run, container by container; other containers don't count."""
        return bool(images) and not self.differs(images)

    def differs(self, images: Mapping[str, str]) -> str:
        """Return the first container that doesn't run its wanted digest, in words, or nothing."""
        running: dict[str, list[str]] = {}
        for name, digest in self.images:
            running.setdefault(name, []).append(digest)
        for name, reference in images.items():
            wanted = digest_of(reference)
            if running.get(name) != [wanted]:
                now = " and ".join(short(one) for one in running.get(name, [])) or "nothing"
                return f"{name} runs {now} instead of {short(wanted)}"
        return ""

    @property
    def words(self) -> str:
        """How far the pods are."""
        waiting = f"; {self.waiting[0]}" if self.waiting else ""
        return f"{self.ready} of {self.wanted} ready, {self.pods} there{waiting}"


def digest_of(reference: str) -> str:
    """Return ``sha256:…`` from an image reference or an image id; nothing where it has none."""
    _, found, digest = reference.rpartition("sha256:")
    return f"sha256:{digest}" if found else ""


def short(digest: str) -> str:
    """Return the first twelve digits of a digest, as people compare them."""
    return digest.removeprefix("sha256:")[:12] or "no digest"


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
    unready = tuple(_name(p) for p in pods if not _ready(p) and not _ending(p))
    return Live(tuple(sorted(images)), len(pods), len(ready), wanted, waiting, unready)


def _of_a_job(pod: JsonObject) -> bool:
    owners = objs(obj(pod.get("metadata")).get("ownerReferences"))
    return any(text(owner, "kind") == "Job" for owner in owners)


def _name(pod: JsonObject) -> str:
    return text(obj(pod.get("metadata")), "name")


def _ending(pod: JsonObject) -> bool:
    return bool(obj(pod.get("metadata")).get("deletionTimestamp"))


def _ended(pod: JsonObject) -> bool:
    return text(obj(pod.get("status")), "phase") in {"Succeeded", "Failed"}


def _ready(pod: JsonObject) -> bool:
    if _ending(pod):
        return False
    conditions = objs(obj(pod.get("status")).get("conditions"))
    return any(text(c, "type") == "Ready" and text(c, "status") == "True" for c in conditions)


def _images(pod: JsonObject) -> list[tuple[str, str]]:
    if _ending(pod):
        return []
    statuses = objs(obj(pod.get("status")).get("containerStatuses"))
    return [(text(s, "name"), digest_of(text(s, "imageID"))) for s in statuses]


def _why(pod: JsonObject) -> str:
    name = _name(pod)
    if _ending(pod):
        return f"{name} is ending"
    status = obj(pod.get("status"))
    for one in objs(status.get("containerStatuses")):
        waits = obj(obj(one.get("state")).get("waiting"))
        if waits:
            return f"{name} waits: {text(waits, 'reason')}"
        if not flag(one, "ready"):
            return f"{name} runs, not ready"
    return f"{name} is {text(status, 'phase')}"
