"""Deployments and replica sets: a rollout goes on by as many pods as its strategy allows at a time."""

from __future__ import annotations

import json
import math

from console.rehearsal.sim.kubernetes.controllers.cluster import Cluster, conditions, letters
from console.rehearsal.sim.kubernetes.controllers.kubelet import is_active, is_ready
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    child,
    clone,
    condition,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    number,
    seconds_of,
    strings,
    uid_of,
    word,
)
from console.rehearsal.sim.kubernetes.problems import KubeError
from state.base.json import Json, JsonObject, obj, objs, path, text

_REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = (_REVISION, _DESIRED, _MAX, "kubectl.kubernetes.io/last-applied-configuration")
_HASH = "pod-template-hash"
_BY = "deployment-controller"
AGAIN_S = 5.0
"""How long a pod that was refused is not asked for again."""
_FAILED: Obj = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}


def owner(body: JsonObject) -> Obj:
    """Return the reference by which what a controller makes names its owner."""
    return {
        "apiVersion": text(body, "apiVersion"),
        "kind": text(body, "kind"),
        "name": name_of(body),
        "uid": uid_of(body),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _share(value: Json, whole: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * whole / 100
        return math.ceil(share) if up else math.floor(share)
    return value if isinstance(value, int) else 0


def _revision(body: JsonObject) -> int:
    digits = strings(path(body, ("metadata", "annotations"))).get(_REVISION, "0")
    return int(digits) if digits.isdigit() else 0


def _plain_template(replica_set: JsonObject) -> Obj:
    template = clone(obj(path(replica_set, ("spec", "template"))))
    child(template, "metadata", "labels").pop(_HASH, None)
    return template


class Workloads:
    """Brings deployments to their replica sets, and replica sets to their pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster.store

    def step(self, deployment: JsonObject) -> None:
        """Do what is due for a deployment."""
        if is_terminating(deployment):
            return
        sets = self._store.owned(uid_of(deployment), "replicasets")
        template = clone(obj(path(deployment, ("spec", "template"))))
        new = next((one for one in sets if _plain_template(one) == template), None)
        if path(deployment, ("spec", "paused")) is not True:
            if new is None:
                new = self._new_set(deployment, template)
            self._renumber(deployment, new, sets)
            old = [one for one in sets if uid_of(one) != uid_of(new)]
            self._roll(deployment, new, old)
            self._forget_old(deployment, old)
        self._tell_status(deployment, new)

    def _new_set(self, deployment: JsonObject, template: Obj) -> JsonObject:
        mark = letters(json.dumps(template, sort_keys=True), 10)
        labels = {**strings(path(template, ("metadata", "labels"))), _HASH: mark}
        selector = strings(path(deployment, ("spec", "selector", "matchLabels")))
        child(template, "metadata")["labels"] = {**labels}
        return self._store.put(
            "replicasets",
            {
                "metadata": {
                    "name": f"{name_of(deployment)}-{mark}",
                    "namespace": namespace_of(deployment),
                    "labels": labels,
                    "ownerReferences": [owner(deployment)],
                },
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {**selector, _HASH: mark}},
                    "template": template,
                },
            },
        )

    def _renumber(self, deployment: JsonObject, new: JsonObject, sets: list[JsonObject]) -> None:
        newest = max((_revision(one) for one in sets if uid_of(one) != uid_of(new)), default=0)
        revision = str(_revision(new) if _revision(new) > newest else newest + 1)
        told = strings(path(deployment, ("metadata", "annotations")))
        replicas = number(deployment, ("spec", "replicas"))
        marks = {key: value for key, value in told.items() if key not in _NOT_COPIED}
        marks |= {_REVISION: revision, _DESIRED: str(replicas), _MAX: str(replicas + self._surge(deployment))}
        self._annotate("replicasets", new, marks)
        if told.get(_REVISION) != revision:
            self._annotate("deployments", deployment, {_REVISION: revision})

    def _annotate(self, resource: str, body: JsonObject, marks: dict[str, str]) -> None:
        live = self._store.need(resource, namespace_of(body), name_of(body))
        have = strings(path(live, ("metadata", "annotations")))
        if any(have.get(key) != value for key, value in marks.items()):
            fresh = clone(live)
            child(fresh, "metadata", "annotations").update(marks)
            self._store.update(resource, fresh)

    def _surge(self, deployment: JsonObject) -> int:
        surge, _ = self._limits(deployment)
        return surge

    def _limits(self, deployment: JsonObject) -> tuple[int, int]:
        replicas = number(deployment, ("spec", "replicas"))
        if word(deployment, "spec", "strategy", "type") == "Recreate":
            return 0, replicas
        rolling = obj(path(deployment, ("spec", "strategy", "rollingUpdate")))
        surge = _share(rolling.get("maxSurge"), replicas, up=True)
        missing = _share(rolling.get("maxUnavailable"), replicas, up=False)
        return surge, missing if surge or missing else 1

    def _roll(self, deployment: JsonObject, new: JsonObject, old: list[JsonObject]) -> None:
        replicas = number(deployment, ("spec", "replicas"))
        surge, missing = self._limits(deployment)
        sizes = {uid_of(one): number(one, ("spec", "replicas")) for one in (new, *old)}
        have, total = sizes[uid_of(new)], sum(sizes.values())
        recreating = word(deployment, "spec", "strategy", "type") == "Recreate"
        if have > replicas:
            self._scale(deployment, new, replicas)
        elif have < replicas and not (recreating and any(self._pods(one) for one in old)):
            self._scale(deployment, new, min(replicas, have + max(0, replicas + surge - total)))
        if recreating:
            for one in old:
                self._scale(deployment, one, 0)
            return
        have = number(self._fresh(new), ("spec", "replicas"))
        unready = have - len(self._ready(new))
        spare = total - sizes[uid_of(new)] + have - (replicas - missing) - max(0, unready)
        for one in old:
            sick = sizes[uid_of(one)] - len(self._ready(one))
            cut = max(0, min(sick, spare))
            self._scale(deployment, one, sizes[uid_of(one)] - cut)
            sizes[uid_of(one)] -= cut
            spare -= cut
        spare = min(spare, sum(len(self._ready(one)) for one in (new, *old)) - (replicas - missing))
        for one in old:
            cut = max(0, min(sizes[uid_of(one)], spare))
            self._scale(deployment, one, sizes[uid_of(one)] - cut)
            spare -= cut

    def _fresh(self, body: JsonObject) -> JsonObject:
        return self._store.peek("replicasets", namespace_of(body), name_of(body)) or body

    def _scale(self, deployment: JsonObject, replica_set: JsonObject, replicas: int) -> None:
        fresh = clone(self._fresh(replica_set))
        before = number(fresh, ("spec", "replicas"))
        if before == replicas:
            return
        child(fresh, "spec")["replicas"] = replicas
        self._store.update("replicasets", fresh)
        verb = "up" if replicas > before else "down"
        message = f"Scaled {verb} replica set {name_of(fresh)} from {before} to {replicas}"
        self._cluster.event(deployment, "ScalingReplicaSet", message, by=_BY)

    def _forget_old(self, deployment: JsonObject, old: list[JsonObject]) -> None:
        empty = sorted((one for one in old if not number(one, ("spec", "replicas"))), key=_revision)
        keep = number(deployment, ("spec", "revisionHistoryLimit"), 10)
        for one in empty[: max(0, len(empty) - keep)]:
            if not self._store.owned(uid_of(one), "pods"):
                self._store.delete("replicasets", namespace_of(one), name_of(one))

    def _pods(self, replica_set: JsonObject) -> list[JsonObject]:
        return [one for one in self._store.owned(uid_of(replica_set), "pods") if is_active(one)]

    def _ready(self, replica_set: JsonObject) -> list[JsonObject]:
        return [pod for pod in self._pods(replica_set) if is_ready(pod)]

    def _tell_status(self, deployment: JsonObject, new: JsonObject | None) -> None:
        fresh = self._store.need("deployments", namespace_of(deployment), name_of(deployment))
        sets = self._store.owned(uid_of(fresh), "replicasets")
        total = sum(len(self._pods(one)) for one in sets)
        ready = sum(len(self._ready(one)) for one in sets)
        expected, updated = number(fresh, ("spec", "replicas")), len(self._pods(new)) if new else 0
        counts = {"replicas": total, "updatedReplicas": updated, "readyReplicas": ready}
        counts |= {"availableReplicas": ready, "unavailableReplicas": max(0, max(total, expected) - ready)}
        complete = total == updated == ready == expected
        _, missing = self._limits(fresh)
        status: Obj = {
            "observedGeneration": number(fresh, ("metadata", "generation")),
            **{key: value for key, value in counts.items() if value},
        }
        available = _condition("Available", ready >= expected - missing)
        progressing = self._progress(fresh, name_of(new) if new else "", counts, complete=complete)
        now = self._cluster.written_now()
        failure = condition(new, "ReplicaFailure") if new else {}
        told = [available, progressing, *([clone(failure)] if failure else [])]
        kept = clone(fresh)
        if not failure:
            child(kept, "status")["conditions"] = [clone(one) for one in _but_failure(fresh)]
        status["conditions"] = conditions(kept, *told, now=now)
        self._store.set_status("deployments", fresh, status)

    def _progress(self, deployment: JsonObject, new: str, counts: dict[str, int], *, complete: bool) -> Obj:
        old = condition(deployment, "Progressing")
        reason, shown, since = text(old, "reason"), f'ReplicaSet "{new}"', text(old, "lastUpdateTime")
        moved = any(
            counts[key] != number(deployment, ("status", key)) for key in ("updatedReplicas", "readyReplicas")
        )
        renewed = number(deployment, ("metadata", "generation")) != number(
            deployment, ("status", "observedGeneration")
        )
        deadline = seconds_of(since) + number(deployment, ("spec", "progressDeadlineSeconds"), 600)
        known = text(old, "message").startswith(shown)
        if complete:
            told = ("NewReplicaSetAvailable", f"{shown} has successfully progressed.", True)
        elif moved or renewed or not known or reason == "NewReplicaSetAvailable":
            told = ("ReplicaSetUpdated", f"{shown} is progressing.", True)
        elif reason == "ProgressDeadlineExceeded" or self._cluster.reached(deadline):
            told = ("ProgressDeadlineExceeded", f"{shown} has timed out progressing.", False)
        else:
            told = (reason, text(old, "message"), True)
        if moved or renewed or told[0] != reason or not since:
            since = self._cluster.written_now()
        value: Value = "True" if told[2] else "False"
        return {
            "type": "Progressing",
            "status": value,
            "reason": told[0],
            "message": told[1],
            "lastUpdateTime": since,
        }

    def fill(self, replica_set: JsonObject) -> None:
        """Make or delete pods until a replica set has as many as it shall, and tell its status."""
        if is_terminating(replica_set):
            return
        pods, expected = self._pods(replica_set), number(replica_set, ("spec", "replicas"))
        failure = self._make(replica_set, expected - len(pods))
        surplus = sorted(
            pods, key=lambda pod: (is_ready(pod), -seconds_of(word(pod, "metadata", "creationTimestamp")))
        )
        for one in surplus[: max(0, len(pods) - expected)]:
            self._store.delete("pods", namespace_of(one), name_of(one))
            message = f"Deleted pod: {name_of(one)}"
            self._cluster.event(replica_set, "SuccessfulDelete", message, by="replicaset-controller")
        pods, ready = self._pods(replica_set), len(self._ready(replica_set))
        status: Obj = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "observedGeneration": number(replica_set, ("metadata", "generation")),
        }
        if ready:
            status |= {"readyReplicas": ready, "availableReplicas": ready}
        if failure:
            status["conditions"] = conditions(replica_set, failure, now=self._cluster.written_now())
        self._store.set_status("replicasets", replica_set, status)

    def _make(self, replica_set: JsonObject, more: int) -> Obj:
        """Make pods; return the condition that says why one was refused, if one was, also at the last attempt."""
        old = condition(replica_set, "ReplicaFailure")
        if more <= 0 or (old and not self._cluster.reached(self._last_failure(replica_set) + AGAIN_S)):
            return clone(old) if more > 0 else {}
        for _ in range(more):
            try:
                made = self._store.create("pods", self._pod(replica_set))
            except KubeError as error:
                told = f"Error creating: {error.message}"
                self._cluster.event(
                    replica_set, "FailedCreate", told, by="replicaset-controller", warning=True
                )
                self._cluster.reached(self._cluster.now + AGAIN_S)
                return {**_FAILED, "message": error.message}
            message = f"Created pod: {name_of(made)}"
            self._cluster.event(replica_set, "SuccessfulCreate", message, by="replicaset-controller")
        return {}

    def _last_failure(self, replica_set: JsonObject) -> float:
        return self._cluster.last_event(replica_set, "FailedCreate")

    def _pod(self, replica_set: JsonObject) -> Obj:
        template = obj(path(replica_set, ("spec", "template")))
        meta = clone(obj(template.get("metadata")))
        meta |= {"generateName": f"{name_of(replica_set)}-", "namespace": namespace_of(replica_set)}
        meta["ownerReferences"] = [owner(replica_set)]
        return {"metadata": meta, "spec": copied(template.get("spec"))}


def _but_failure(deployment: JsonObject) -> list[JsonObject]:
    found = objs(path(deployment, ("status", "conditions")))
    return [one for one in found if text(one, "type") != "ReplicaFailure"]


def _condition(kind: str, holds: bool) -> Obj:
    reason = "MinimumReplicasAvailable" if holds else "MinimumReplicasUnavailable"
    message = f"Deployment {'has' if holds else 'does not have'} minimum availability."
    return {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message}
