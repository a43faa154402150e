"""What really runs: the release's pods, their digests and readiness, read from the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.clients.kube import KubeClient
from checks.workloads import INSTANCE
from state.base.json import JsonObject, flag, integer, obj, objs, path, text
from state.view.launch import PodView
from state.view.pods import (
    is_ending,
    is_over,
    is_ready,
    never_created,
    observe,
    other_version,
    running_digests,
)


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
        return other_version(self.images, images)

    @property
    def words(self) -> str:
        """How far the pods are."""
        waiting = f"; {self.waiting[0]}" if self.waiting else ""
        return f"{self.ready} of {self.wanted} ready, {self.pods} there{waiting}"


async def look(kube: KubeClient, namespace: str, release: str, now_us: int) -> Live:
    """Return what runs of a release.

    Raises the client's errors where it cannot be seen.
    """
    query = {"labelSelector": f"{INSTANCE}={release}"}
    pods = (await kube.list_objects(f"/api/v1/namespaces/{namespace}/pods", query)).items
    deployments = (await kube.list_objects(f"/apis/apps/v1/namespaces/{namespace}/deployments", query)).items
    seen = [(observe("", pod), pod) for pod in pods]
    seen = [(known, pod) for known, pod in seen if not known.of_job and not is_over(known)]
    images = {pair for known, pod in seen if not is_ending(known) for pair in running_digests(pod).items()}
    expected = sum(integer(obj(d.get("spec")), "replicas", 1) for d in deployments)
    unready = [(known, pod) for known, pod in seen if not is_ready(known, now_us)]
    waiting = [_why(*one) for one in unready]
    waiting += [f"pods can't be created: {told}" for told in map(never_created, deployments) if told]
    names = tuple(known.name for known, _ in unready if not is_ending(known))
    ready = len(seen) - len(unready)
    return Live(tuple(sorted(images)), len(seen), ready, expected, tuple(waiting), names)


def _why(known: PodView, pod: JsonObject) -> str:
    if is_ending(known):
        return f"{known.name} is ending"
    for one in objs(path(pod, ("status", "containerStatuses"))):
        waits = obj(path(one, ("state", "waiting")))
        if waits:
            return f"{known.name} waits: {text(waits, 'reason')}"
        if not flag(one, "ready"):
            return f"{known.name} runs, not ready"
    if known.unready:
        return f"{known.name} runs, not ready: {known.unready}"
    if known.loops_until_us:
        return f"{known.name} runs again, restarted {known.restarts} times"
    return f"{known.name} is {known.phase}"
