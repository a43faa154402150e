"""What really runs: the release's workloads, their pods' digests and readiness, read from the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from checks.clients.kube import KubeClient
from checks.owned import Owned, owned
from checks.rendered import documents
from state.base.images import digest_of
from state.base.json import JsonObject, flag, obj, objs, path, text
from state.view.launch import PodView
from state.view.pods import (
    is_ending,
    is_over,
    is_ready,
    observe,
    other_version,
    running_digests,
)
from state.view.rollout import Rollout, WorkloadKind, words

_POD_TEMPLATE = ("spec", "template", "spec", "containers")


@dataclass(frozen=True, slots=True)
class Live:
    """The workloads of a release and their pods, as they are now."""

    images: tuple[tuple[str, str], ...]
    """(container, digest), each pair once, sorted: two digests of one container stand both."""
    rollouts: tuple[Rollout, ...]
    """Every workload, those that the manifest names in its order."""
    recorded: bool
    """Whether helm's manifest says what belongs to it; without it nothing at all is no release that is whole."""
    pods: int
    """Pods that are there: those that are ending too, not those that are over."""
    waiting: tuple[str, ...] = ()
    """A line for each thing that isn't as it should be, workloads before pods."""
    unready: tuple[str, ...] = ()
    """The names of the pods that aren't ready and aren't ending either."""
    proven_us: int = 0
    """When the last of the pods that run again after crashes has run for long enough to be believed; 0: none does."""
    owned: tuple[Owned, ...] = field(default=(), repr=False)

    @property
    def ready(self) -> int:
        """How many of the pods that are asked for are ready."""
        return self.wanted - sum(one.lacks for one in self.rollouts)

    @property
    def wanted(self) -> int:
        """How many pods the workloads ask for."""
        return sum(one.wanted for one in self.rollouts)

    @property
    def settled(self) -> bool:
        """Whether every workload is complete: in its newest revision, ready, and nothing older serves beside it."""
        return all(one.complete for one in self.rollouts) and (self.recorded or bool(self.rollouts))

    @property
    def stuck(self) -> bool:
        """Whether something won't become complete unless somebody does something, as the cluster itself says."""
        return any(one.stuck for one in self.rollouts)

    def runs(self, images: Mapping[str, str]) -> bool:
        """Return whether exactly these digests run, container by container; other containers don't count."""
        return bool(images) and not self.differs(images)

    def differs(self, images: Mapping[str, str]) -> str:
        """Return the first container that doesn't run its wanted digest, in words, or nothing."""
        return other_version(self.images, images)

    @property
    def words(self) -> str:
        """How far the workloads are."""
        waiting = f"; {self.waiting[0]}" if self.waiting and not self.settled else ""
        return f"{words(self.rollouts)}{waiting}" if self.rollouts else "no workload"


async def look(kube: KubeClient, namespace: str, release: str, manifest: str | None, now_us: int) -> Live:
    """Return what runs of a release.

    ``manifest``: what helm keeps of the revision that is asked about; None where there is no record of any. Raises
    the client's errors where it cannot be seen.
    """
    objects = documents(manifest) if manifest is not None else None
    found = await owned(kube, namespace, release, objects, now_us)
    pods = [(observe("", pod), pod) for one in found if not _works(one) for pod in one.pods]
    pods = [(known, pod) for known, pod in pods if not is_over(known)]
    images = {pair for known, pod in pods if not is_ending(known) for pair in running_digests(pod).items()}
    unready = [(known, pod) for known, pod in pods if not is_ready(known, now_us) and not is_ending(known)]
    rollouts = tuple(one.rollout for one in found)
    waiting = [f"{one.title} {one.why}" for one in rollouts if one.why and not one.complete]
    waiting += [_why(*one) for one in unready]
    return Live(
        images=tuple(sorted(images | _asleep(found, {name for name, _ in images}))),
        rollouts=rollouts,
        recorded=objects is not None,
        pods=len(pods),
        waiting=tuple(waiting),
        unready=tuple(known.name for known, _ in unready),
        proven_us=max((known.loops_until_us for known, _ in unready if known.phase == "Running"), default=0),
        owned=found,
    )


def _works(one: Owned) -> bool:
    return one.rollout.kind is WorkloadKind.JOB


def _asleep(found: Iterable[Owned], running: set[str]) -> set[tuple[str, str]]:
    """Return (container, digest) of what no pod runs now, since nothing is asked for or a job has done its work.

    The workload itself says by digest what it would be.
    """
    return {
        (text(container, "name"), digest_of(text(container, "image")))
        for one in found
        if one.rollout.complete and not one.rollout.wanted
        for container in objs(path(one.live, _POD_TEMPLATE))
        if text(container, "name") not in running and digest_of(text(container, "image"))
    }


def _why(known: PodView, pod: JsonObject) -> str:
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
