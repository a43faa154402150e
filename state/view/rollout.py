"""How far a workload is with what it was asked to run: one rule for each kind, as its own controller sees it.

A workload is complete when its controller has seen the newest spec, every pod that the spec asks for is there in the
newest revision and ready, and no pod of an older revision serves beside it, but for those that its update strategy
lets stay. A pod that is being deleted counts neither for nor against it, however long its grace is. A job is complete
when its work is done. (kubectl's rollout status counts alike, by the numbers of the status alone.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from state.base.json import JsonObject, flag, integer, obj, path, text
from state.base.text import line
from state.view.pods import condition_of, is_done, is_ending, is_over, is_ready, observe

TEMPLATE_HASH = "pod-template-hash"
REVISION_HASH = "controller-revision-hash"
ON_DELETE = "OnDelete"
_DEADLINE = "ProgressDeadlineExceeded"


class WorkloadKind(StrEnum):
    """What makes pods, and a pod that nobody makes."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    REPLICA_SET = "ReplicaSet"
    REPLICATION_CONTROLLER = "ReplicationController"
    JOB = "Job"
    POD = "Pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far a workload is."""

    kind: WorkloadKind
    name: str
    wanted: int = 0
    """Pods that it asks for; 0 of a job, which is judged by its end."""
    new: int = 0
    """Pods of its newest revision that are neither over nor ending."""
    new_ready: int = 0
    old: int = 0
    """Pods of older revisions that are neither over nor ending."""
    old_ready: int = 0
    stays: int = 0
    """How many of an older revision its update strategy lets stay: a partition, OnDelete."""
    ending: int = 0
    complete: bool = False
    why: str = ""
    """What its own status says against it, or why it counts though it looks otherwise."""
    stuck: bool = False
    """Whether nothing will change unless somebody does something."""

    @property
    def title(self) -> str:
        """Kind and name, as people say it."""
        return f"{self.kind} {self.name}"

    @property
    def lacks(self) -> int:
        """How many pods are missing that should be ready."""
        return max(0, self.wanted - self.new_ready - min(self.old_ready, self.stays))


def missing(kind: WorkloadKind, name: str, expected: JsonObject) -> Rollout:
    """Return what is to be said of a workload that isn't in the cluster though the release has it.

    ``expected`` is what the release says of it.
    """
    ttl = path(expected, ("spec", "ttlSecondsAfterFinished"))
    if kind is WorkloadKind.JOB and isinstance(ttl, int):
        why = f"has ended and was cleared away (ttlSecondsAfterFinished {ttl})"
        return Rollout(kind=kind, name=name, complete=True, why=why)
    return Rollout(kind=kind, name=name, wanted=_replicas(kind, expected), why="is not there", stuck=True)


def rollout(
    kind: WorkloadKind, live: JsonObject, pods: Sequence[JsonObject], newest: str, now_us: int
) -> Rollout:
    """Return how far a live workload is.

    ``pods`` are those that it owns, ``newest`` is the hash of its newest revision as its pods' labels carry it
    (``newest_hash``).
    """
    if kind is WorkloadKind.JOB:
        return _job(live)
    if kind is WorkloadKind.POD:
        return _bare(live, now_us)
    seen = [(observe("", pod), pod) for pod in pods]
    there = [(known, pod) for known, pod in seen if not is_over(known) and not is_ending(known)]
    fresh = [known for known, pod in there if _is_newest(kind, pod, newest)]
    older = [known for known, pod in there if not _is_newest(kind, pod, newest)]
    counted = Rollout(
        kind=kind,
        name=text(obj(live.get("metadata")), "name"),
        wanted=_replicas(kind, live),
        new=len(fresh),
        new_ready=sum(is_ready(known, now_us) for known in fresh),
        old=len(older),
        old_ready=sum(is_ready(known, now_us) for known in older),
        stays=min(_stays(kind, live), len(older)),
        ending=sum(is_ending(known) for known, _ in seen),
    )
    return _judged(counted, live)


def newest_hash(kind: WorkloadKind, live: JsonObject, revisions: Sequence[JsonObject]) -> str:
    """Return the hash by which pods of a workload's newest revision are labelled, or nothing where none is yet.

    ``revisions`` are the ReplicaSets of a Deployment, or the ControllerRevisions of a DaemonSet.
    """
    if kind is WorkloadKind.STATEFUL_SET:
        return text(obj(live.get("status")), "updateRevision")
    if kind is WorkloadKind.DAEMON_SET:
        newest = max(revisions, key=lambda one: integer(one, "revision"), default=None)
        return _label(newest, REVISION_HASH) if newest is not None else ""
    if kind is WorkloadKind.DEPLOYMENT:
        own = newest_set(live, revisions)
        return _label(own, TEMPLATE_HASH) if own is not None else ""
    return ""


def newest_set(deployment: JsonObject, sets: Iterable[JsonObject]) -> JsonObject | None:
    """Return a Deployment's ReplicaSet of the newest revision, or None where there is none yet.

    It is the one with the Deployment's own template but for the hash, as the Deployment's controller finds it; its
    revision annotation may be a step behind. Of several that are alike it is the oldest.
    """
    template = path(deployment, ("spec", "template"))
    alike = [one for one in sets if _without_hash(path(one, ("spec", "template"))) == template]
    return min(alike, key=lambda one: text(obj(one.get("metadata")), "creationTimestamp"), default=None)


def words(rollouts: Sequence[Rollout]) -> str:
    """Return how far several workloads are together, in a few words."""
    wanted, ready = sum(one.wanted for one in rollouts), sum(one.wanted - one.lacks for one in rollouts)
    stays = sum(one.stays for one in rollouts)
    old = sum(one.old - one.stays for one in rollouts)
    old_ready = sum(max(0, one.old_ready - one.stays) for one in rollouts)
    parts = [f"{ready} of {wanted} ready"]
    if old or (stays and ready < wanted):
        parts = [f"new {sum(one.new_ready for one in rollouts)}/{wanted - stays}"]
        parts += [f"old {old_ready} serving" if old_ready == old else f"old {old_ready} of {old} serving"]
        parts = [part for part in parts if not part.startswith("old 0 serving")]
    elif kinds := _kinds(rollouts):
        parts = [f"{parts[0]} ({kinds})"]
    if stays:
        parts.append(f"{stays} of an older revision stay")
    if ending := sum(one.ending for one in rollouts):
        parts.append(f"{ending} ending")
    return " · ".join(parts)


_NAMES = {
    WorkloadKind.DEPLOYMENT: "deployments",
    WorkloadKind.STATEFUL_SET: "stateful sets",
    WorkloadKind.DAEMON_SET: "daemon sets",
    WorkloadKind.REPLICA_SET: "replica sets",
    WorkloadKind.REPLICATION_CONTROLLER: "replication controllers",
    WorkloadKind.POD: "bare pods",
}


def _kinds(rollouts: Sequence[Rollout]) -> str:
    """Return whose the pods are where they are of more than one kind: ``2 of deployments, 1 of stateful sets``."""
    counts: dict[WorkloadKind, int] = {}
    for one in rollouts:
        if one.wanted:
            counts[one.kind] = counts.get(one.kind, 0) + one.wanted
    if len(counts) < 2:
        return ""
    return ", ".join(f"{counts[kind]} of {name}" for kind, name in _NAMES.items() if kind in counts)


def _judged(counted: Rollout, live: JsonObject) -> Rollout:
    """Return a rollout with what its counts and the workload's status come to."""
    if _behind(live):
        return replace(counted, why="its controller hasn't seen the change yet")
    whole = not counted.lacks and counted.old <= counted.stays
    if not whole:
        stopped, why = _stopped(counted, live)
        return replace(counted, why=why or _order(counted, live), stuck=stopped)
    if short := _not_available(counted, live):
        return replace(counted, why=short)
    stays = f"{counted.stays} of an older revision stay until they are deleted" if counted.stays else ""
    return replace(counted, complete=True, why=stays)


def _stopped(counted: Rollout, live: JsonObject) -> tuple[bool, str]:
    """Return (whether nothing will change by itself, what the workload's own status says against it)."""
    if counted.kind is WorkloadKind.DEPLOYMENT:
        if is_paused(live):
            return True, "is paused: nothing of it is rolled out until it is resumed"
        if failure := never_created(live):
            return False, f"pods can't be created: {failure}"
        progress = condition_of(live, "Progressing")
        if text(progress, "reason") == _DEADLINE:
            return True, line(f"{_DEADLINE}: {text(progress, 'message')}", 240)
    if counted.kind is WorkloadKind.REPLICA_SET and (failure := never_created(live)):
        return False, f"pods can't be created: {failure}"
    return False, ""


def is_paused(workload: JsonObject) -> bool:
    """Return whether a Deployment's rollouts are paused: what is changed of it isn't rolled out."""
    return flag(obj(workload.get("spec")), "paused")


def never_created(workload: JsonObject) -> str:
    """Return why pods of a Deployment or ReplicaSet can't be created (a quota, pod security), or nothing."""
    failure = condition_of(workload, "ReplicaFailure")
    true = text(failure, "status") == "True"
    return line(text(failure, "message") or text(failure, "reason"), 300) if true else ""


def _order(counted: Rollout, live: JsonObject) -> str:
    """Return what keeps a StatefulSet: an old pod that isn't ready stops it where pods are replaced in order."""
    if counted.kind is not WorkloadKind.STATEFUL_SET:
        return ""
    in_order = text(obj(live.get("spec")), "podManagementPolicy", "OrderedReady") == "OrderedReady"
    sick = counted.old - counted.old_ready
    if in_order and sick and counted.old > counted.stays:
        return "a pod of an older revision isn't ready, and pods are replaced in order: it may have to be deleted"
    return ""


def _not_available(counted: Rollout, live: JsonObject) -> str:
    """Return what is to be said while pods are ready, but not yet for as long as the workload asks."""
    seconds = integer(obj(live.get("spec")), "minReadySeconds")
    key = "numberAvailable" if counted.kind is WorkloadKind.DAEMON_SET else "availableReplicas"
    available = integer(obj(live.get("status")), key)
    if seconds and available < counted.wanted:
        return f"{available} of {counted.wanted} are ready for {seconds} s (minReadySeconds)"
    return ""


def _behind(live: JsonObject) -> bool:
    """Return whether the workload's controller has not seen its newest spec yet."""
    generation = integer(obj(live.get("metadata")), "generation")
    return integer(obj(live.get("status")), "observedGeneration") < generation


def _replicas(kind: WorkloadKind, workload: JsonObject) -> int:
    """Return how many pods a workload asks for; of a DaemonSet its controller says it."""
    if kind is WorkloadKind.DAEMON_SET:
        return integer(obj(workload.get("status")), "desiredNumberScheduled")
    if kind is WorkloadKind.JOB:
        return 0
    return integer(obj(workload.get("spec")), "replicas", 1)


def _stays(kind: WorkloadKind, live: JsonObject) -> int:
    """Return how many pods of an older revision the update strategy lets stay."""
    strategy = obj(path(live, ("spec", "updateStrategy")))
    if kind not in {WorkloadKind.STATEFUL_SET, WorkloadKind.DAEMON_SET}:
        return 0
    if text(strategy, "type") == ON_DELETE:
        return _replicas(kind, live)
    return min(integer(obj(strategy.get("rollingUpdate")), "partition"), _replicas(kind, live))


_HASHES = {
    WorkloadKind.DEPLOYMENT: TEMPLATE_HASH,
    WorkloadKind.STATEFUL_SET: REVISION_HASH,
    WorkloadKind.DAEMON_SET: REVISION_HASH,
}


def _is_newest(kind: WorkloadKind, pod: JsonObject, newest: str) -> bool:
    """Return whether a pod is of its workload's newest revision; a ReplicaSet knows no revisions."""
    key = _HASHES.get(kind)
    return key is None or (bool(newest) and _label(pod, key) == newest)


def _label(thing: JsonObject, key: str) -> str:
    return text(obj(path(thing, ("metadata", "labels"))), key)


def _without_hash(template: object) -> JsonObject:
    whole = obj(template)
    meta = obj(whole.get("metadata"))
    labels = {key: value for key, value in obj(meta.get("labels")).items() if key != TEMPLATE_HASH}
    return {**whole, "metadata": {**meta, "labels": labels}}


def _job(live: JsonObject) -> Rollout:
    kind, name = WorkloadKind.JOB, text(obj(live.get("metadata")), "name")
    if _holds(live, "Complete"):
        return Rollout(kind=kind, name=name, complete=True)
    failed = condition_of(live, "Failed")
    if text(failed, "status") == "True":
        why = line(f"has failed: {text(failed, 'reason')}: {text(failed, 'message')}", 240)
        return Rollout(kind=kind, name=name, why=why, stuck=True)
    if flag(obj(live.get("spec")), "suspend"):
        return Rollout(kind=kind, name=name, complete=True, why="is suspended: nothing of it runs")
    spec, status = obj(live.get("spec")), obj(live.get("status"))
    done, asked = integer(status, "succeeded"), integer(spec, "completions", 1)
    return Rollout(kind=kind, name=name, why=f"{done} of {asked} done")


def _bare(pod: JsonObject, now_us: int) -> Rollout:
    kind, known = WorkloadKind.POD, observe("", pod)
    if is_done(known):
        return Rollout(kind=kind, name=known.name, complete=True, why="is done")
    if is_ending(known):
        left = bool(path(pod, ("metadata", "ownerReferences")))
        # What made it is gone already, so another pod stands for it, or none is asked for.
        return Rollout(
            kind=kind, name=known.name, wanted=int(not left), ending=1, complete=left, why="is ending"
        )
    if is_over(known):
        why = line(f"has failed: {known.reason or known.phase}", 240)
        return Rollout(kind=kind, name=known.name, wanted=1, why=why, stuck=True)
    ready = is_ready(known, now_us)
    return Rollout(kind=kind, name=known.name, wanted=1, new=1, new_ready=int(ready), complete=ready)


def _holds(thing: JsonObject, name: str) -> bool:
    return text(condition_of(thing, name), "status") == "True"
