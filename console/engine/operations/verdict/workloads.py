"""What really runs: the release's workloads, their pods' digests and readiness, read from the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from checks.clients.kube import KubeClient
from checks.clients.registry import RegistryClient
from checks.owned import Owned, asleep, owned
from checks.rendered import documents
from checks.running_images import as_released
from state.base.json import JsonObject, flag, obj, objs, path, text
from state.base.numbers import plural
from state.view.launch import PodView
from state.view.pods import (
    is_ending,
    is_over,
    is_ready,
    observe,
    other_version,
    running_digests,
    unnamed_digests,
)
from state.view.rollout import Rollout, WorkloadKind, words


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
    references: Mapping[str, str] = field(default_factory=dict)
    """What the pods ask for, by container."""
    unnamed: frozenset[tuple[str, str]] = frozenset()
    """Those of ``images`` that their runtime calls by the configuration alone."""
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
        images=tuple(sorted(images | asleep(found, {name for name, _ in images}))),
        rollouts=rollouts,
        recorded=objects is not None,
        pods=len(pods),
        waiting=tuple(waiting),
        unready=tuple(known.name for known, _ in unready),
        proven_us=max((known.loops_until_us for known, _ in unready if known.phase == "Running"), default=0),
        references={
            text(container, "name"): text(container, "image")
            for _, pod in pods
            for container in objs(path(pod, ("spec", "containers")))
        },
        unnamed=frozenset(pair for _, pod in pods for pair in unnamed_digests(pod)),
        owned=found,
    )


async def told_by(live: Live, images: Mapping[str, str], registry: RegistryClient) -> Live:
    """Return what runs with a release's own digests for what stands for the same images.

    Raises the client's errors where a runtime doesn't tell and the registry doesn't either.
    """
    if not images or not live.differs(images):
        return live
    return replace(
        live, images=await as_released(live.images, images, live.references, live.unnamed, registry)
    )


def _works(one: Owned) -> bool:
    return one.rollout.kind is WorkloadKind.JOB


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
        return f"{known.name} runs again, restarted {plural(known.restarts, 'time')}"
    return f"{known.name} is {known.phase}"
