"""Stateful sets and daemon sets: pods that a set makes by itself, with a name or a node of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping

from console.rehearsal.sim.kubernetes.controllers.cluster import Cluster, letters
from console.rehearsal.sim.kubernetes.controllers.kubelet import is_active, is_ready
from console.rehearsal.sim.kubernetes.controllers.workloads import AGAIN_S, owner
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    child,
    clone,
    copied,
    is_terminating,
    labels_of,
    members,
    name_of,
    namespace_of,
    number,
    strings,
    uid_of,
    word,
)
from console.rehearsal.sim.kubernetes.problems import KubeError
from state.base.json import JsonObject, obj, objs, path, text

_HASH = "controller-revision-hash"


class PodSets:
    """Brings StatefulSets and DaemonSets to their pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster.store

    def step_stateful(self, one: JsonObject) -> None:
        """Do what is due for a StatefulSet: pods in order, and replaced from the last to the first."""
        if is_terminating(one):
            return
        revision, replicas = f"{name_of(one)}-{_mark(one)}", number(one, ("spec", "replicas"))
        pods = self._by_ordinal(one)
        if self._fill(one, pods, replicas, revision) and not self._shrink(pods, replicas):
            self._replace(one, pods, replicas, revision)
        self._tell_stateful(one, revision)

    def _by_ordinal(self, one: JsonObject) -> dict[int, JsonObject]:
        found: dict[int, JsonObject] = {}
        for pod in self._store.owned(uid_of(one), "pods"):
            if word(pod, "status", "phase") in ("Succeeded", "Failed") and not is_terminating(pod):
                self._store.delete("pods", namespace_of(pod), name_of(pod), grace=False)
                continue
            found[int(name_of(pod).rpartition("-")[2])] = pod
        return found

    def _fill(self, one: JsonObject, pods: Mapping[int, JsonObject], replicas: int, revision: str) -> bool:
        """Make what is missing; return whether every pod that shall be there is there and ready."""
        at_once = word(one, "spec", "podManagementPolicy") == "Parallel"
        whole = True
        for ordinal in range(replicas):
            pod = pods.get(ordinal)
            if pod is None:
                self._make(one, _stateful_pod(one, ordinal, revision), f"{name_of(one)}-{ordinal}")
            if pod is None or not is_ready(pod):
                # A pod of the old revision that never gets ready is replaced all the same.
                stuck = pod is not None and not is_terminating(pod) and labels_of(pod).get(_HASH) != revision
                whole = whole and stuck
                if not at_once and not stuck:
                    return False
        return whole

    def _shrink(self, pods: Mapping[int, JsonObject], replicas: int) -> bool:
        """Delete the last pod of those that are too many; return whether there was one."""
        surplus = [pods[ordinal] for ordinal in sorted(pods, reverse=True) if ordinal >= replicas]
        if surplus and not any(is_terminating(pod) for pod in surplus):
            self._store.delete("pods", namespace_of(surplus[0]), name_of(surplus[0]))
        return bool(surplus)

    def _replace(self, one: JsonObject, pods: Mapping[int, JsonObject], replicas: int, revision: str) -> None:
        if word(one, "spec", "updateStrategy", "type") == "OnDelete":
            return
        first = number(one, ("spec", "updateStrategy", "rollingUpdate", "partition"))
        for ordinal in reversed(range(first, replicas)):
            pod = pods.get(ordinal)
            if pod is None or is_terminating(pod):
                return
            if labels_of(pod).get(_HASH) != revision:
                self._store.delete("pods", namespace_of(pod), name_of(pod))
                return

    def _tell_stateful(self, one: JsonObject, revision: str) -> None:
        pods = [pod for pod in self._store.owned(uid_of(one), "pods") if is_active(pod)]
        ready = [pod for pod in pods if is_ready(pod)]
        updated = [pod for pod in pods if labels_of(pod).get(_HASH) == revision]
        current = word(one, "status", "currentRevision") or revision
        if len(updated) == len(ready) == len(pods) == number(one, ("spec", "replicas")):
            current = revision
        status: Obj = {
            "observedGeneration": number(one, ("metadata", "generation")),
            "replicas": len(pods),
            "availableReplicas": len(ready),
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        at_current = sum(labels_of(pod).get(_HASH) == current for pod in pods)
        counts = {"readyReplicas": len(ready), "updatedReplicas": len(updated), "currentReplicas": at_current}
        status |= {key: count for key, count in counts.items() if count}
        self._store.set_status("statefulsets", one, status)

    def step_daemon(self, one: JsonObject) -> None:
        """Do what is due for a DaemonSet: a pod for each node, and one replaced at a time."""
        if is_terminating(one):
            return
        revision = _mark(one)
        wanted = strings(path(one, ("spec", "template", "spec", "nodeSelector")))
        nodes = [
            name_of(node) for node in self._store.scan("nodes") if wanted.items() <= labels_of(node).items()
        ]
        pods = {word(pod, "spec", "nodeName"): pod for pod in self._store.owned(uid_of(one), "pods")}
        for node in nodes:
            pod = pods.get(node)
            if pod is None:
                self._make(one, _daemon_pod(one, node, revision), f"{name_of(one)}-")
            elif word(pod, "status", "phase") in ("Succeeded", "Failed") and not is_terminating(pod):
                self._store.delete("pods", namespace_of(pod), name_of(pod), grace=False)
        active = [pods[node] for node in nodes if node in pods and is_active(pods[node])]
        old = [pod for pod in active if labels_of(pod).get(_HASH) != revision]
        ready = [pod for pod in active if is_ready(pod)]
        rolling = word(one, "spec", "updateStrategy", "type") != "OnDelete"
        sick = [pod for pod in old if not is_ready(pod)]
        if rolling and old and (sick or len(nodes) - len(ready) < 1):
            gone = (sick or old)[0]
            self._store.delete("pods", namespace_of(gone), name_of(gone))
        status: Obj = {
            "observedGeneration": number(one, ("metadata", "generation")),
            "desiredNumberScheduled": len(nodes),
            "currentNumberScheduled": len(active),
            "numberMisscheduled": 0,
            "numberReady": len(ready),
        }
        counts = {"updatedNumberScheduled": len(active) - len(old), "numberAvailable": len(ready)}
        counts["numberUnavailable"] = len(nodes) - len(ready)
        self._store.set_status("daemonsets", one, status | {key: n for key, n in counts.items() if n})

    def _make(self, one: JsonObject, pod: Obj, named: str) -> None:
        kind, by = text(one, "kind"), f"{text(one, 'kind').lower()}-controller"
        if not self._cluster.reached(self._cluster.last_event(one, "FailedCreate") + AGAIN_S):
            return
        for claim in objs(path(one, ("spec", "volumeClaimTemplates"))):
            self._claim(one, claim, named)
        try:
            made = self._store.create("pods", pod)
        except KubeError as error:
            stateful = f"create Pod {named} in StatefulSet {name_of(one)} failed error: "
            told = (stateful if kind == "StatefulSet" else "Error creating: ") + error.message
            self._cluster.event(one, "FailedCreate", told, by=by, warning=True)
            self._cluster.reached(self._cluster.now + AGAIN_S)
            return
        told = f"create Pod {named} in StatefulSet {name_of(one)} successful"
        message = told if kind == "StatefulSet" else f"Created pod: {name_of(made)}"
        self._cluster.event(one, "SuccessfulCreate", message, by=by)

    def _claim(self, one: JsonObject, claim: JsonObject, named: str) -> None:
        name = f"{name_of(claim)}-{named}"
        if self._store.peek("persistentvolumeclaims", namespace_of(one), name) is None:
            meta: Obj = {"name": name, "namespace": namespace_of(one)}
            body: Obj = {"metadata": meta, "spec": copied(claim.get("spec"))}
            self._store.create("persistentvolumeclaims", body)


def _mark(one: JsonObject) -> str:
    return letters(json.dumps(path(one, ("spec", "template")), sort_keys=True), 10)


def _pod(one: JsonObject, revision: str) -> Obj:
    template = obj(path(one, ("spec", "template")))
    meta = clone(obj(template.get("metadata")))
    child(meta, "labels")[_HASH] = revision
    meta |= {"namespace": namespace_of(one), "ownerReferences": [owner(one)]}
    return {"metadata": meta, "spec": copied(template.get("spec"))}


def _stateful_pod(one: JsonObject, ordinal: int, revision: str) -> Obj:
    pod, name = _pod(one, revision), f"{name_of(one)}-{ordinal}"
    meta, spec = child(pod, "metadata"), child(pod, "spec")
    meta["name"] = name
    marks = {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(ordinal)}
    child(meta, "labels").update(marks)
    spec["hostname"] = name
    if word(one, "spec", "serviceName"):
        spec["subdomain"] = word(one, "spec", "serviceName")
    claims = [name_of(claim) for claim in objs(path(one, ("spec", "volumeClaimTemplates")))]
    others = [volume for volume in members(spec, "volumes") if volume.get("name") not in claims]
    made = [{"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}"}} for claim in claims]
    if others or made:
        spec["volumes"] = [*others, *(copied(volume) for volume in made)]
    return pod


def _daemon_pod(one: JsonObject, node: str, revision: str) -> Obj:
    pod = _pod(one, revision)
    child(pod, "metadata")["generateName"] = f"{name_of(one)}-"
    child(pod, "spec")["nodeName"] = node
    return pod
