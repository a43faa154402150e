"""What makes the simulated cluster move: deployments roll out, jobs run, services find their pods."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.controllers.cluster import Cluster
from console.rehearsal.sim.kubernetes.controllers.jobs import Jobs, OnFinished
from console.rehearsal.sim.kubernetes.controllers.kubelet import (
    Behaviour,
    Kubelet,
    Resolve,
    as_planned,
    is_active,
    is_ready,
    made_up_digest,
)
from console.rehearsal.sim.kubernetes.controllers.pod_sets import PodSets
from console.rehearsal.sim.kubernetes.controllers.workloads import Workloads, owner
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    clone,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    seconds_of,
    uid_of,
    word,
)
from console.rehearsal.sim.kubernetes.selectors import chooses
from console.rehearsal.sim.kubernetes.store import Store
from state.base.clock import Clock, first_of
from state.base.json import JsonObject, items, obj, objs, path, text, texts

NODES = ("rehearsal-node-1", "rehearsal-node-2", "rehearsal-node-3")
_MOST_SWEEPS = 20
_LOOK_AT_LEAST_S = 5.0
_SHORTEST_PAUSE_S = 0.01  # a float of seconds since 1970 is not exact: a pause rounded to nothing would spin
_NAMESPACE_ENDS_S = 3.0
_INGRESS_S = 3.0
_PROTECTION = "kubernetes.io/pvc-protection"


def _nothing(namespace: str, job: JsonObject) -> None:
    del namespace, job


class Controllers:
    """Every controller of the cluster, and its kubelets and scheduler, on an injected clock.

    ``behaviour`` says what becomes of each pod and is asked again at every look. ``resolve`` gives an image's
    digest, None for one that no registry has. ``on_job_finished`` hears of each job once, when its last
    status is stored. ``nodes`` are made where the cluster has none. ``ingress_ip`` is what ingresses get.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock | None = None,
        *,
        behaviour: Behaviour = as_planned,
        resolve: Resolve = made_up_digest,
        on_job_finished: OnFinished = _nothing,
    ) -> None:
        self._store = store
        self._clock = clock or store.clock
        self._cluster = Cluster(store)
        self._kubelet = Kubelet(self._cluster, behaviour, resolve)
        self._workloads = Workloads(self._cluster)
        self._pod_sets = PodSets(self._cluster)
        self._jobs = Jobs(self._cluster, on_job_finished)

    async def run(self) -> None:
        """Keep the cluster moving until cancelled."""
        while True:
            pause = self.tick()
            await first_of(self._store.wait_beyond(self._store.version), self._clock.sleep(pause))

    def tick(self) -> float:
        """Do everything that is due now; return for how many seconds of the clock nothing more will be."""
        self._cluster.begin()
        self._make_nodes()
        self._cluster.forget_events()
        for _ in range(_MOST_SWEEPS):
            before = self._store.version
            self._sweep()
            if self._store.version == before:
                break
        return max(_SHORTEST_PAUSE_S, min(self._cluster.due - self._cluster.now, _LOOK_AT_LEAST_S))

    def _sweep(self) -> None:
        store = self._store
        for namespace in store.scan("namespaces"):
            self._namespace(namespace)
        for deployment in store.scan("deployments"):
            self._workloads.step(deployment)
        for replica_set in store.scan("replicasets"):
            if store.peek("replicasets", namespace_of(replica_set), name_of(replica_set)) is replica_set:
                self._workloads.fill(replica_set)
        for one in store.scan("statefulsets"):
            self._pod_sets.step_stateful(one)
        for one in store.scan("daemonsets"):
            self._pod_sets.step_daemon(one)
        for job in store.scan("jobs"):
            self._jobs.step(job)
        for pod in store.scan("pods"):
            if store.peek("pods", namespace_of(pod), name_of(pod)) is pod:
                self._kubelet.step(pod)
        for claim in store.scan("persistentvolumeclaims"):
            self._free(claim)
        for service in store.scan("services"):
            self._endpoints(service)
        for ingress in store.scan("ingresses"):
            self._ingress(ingress)

    def _make_nodes(self) -> None:
        if self._store.scan("nodes"):
            return
        for place, name in enumerate(NODES):
            self._store.put("nodes", node(name, f"10.0.0.{place + 11}", self._cluster.written_now()))

    def _namespace(self, namespace: JsonObject) -> None:
        name = name_of(namespace)
        if is_terminating(namespace):
            began = seconds_of(word(namespace, "metadata", "deletionTimestamp"))
            if self._cluster.reached(began + _NAMESPACE_ENDS_S):
                self._store.empty_namespace(name)
            return
        if self._store.peek("serviceaccounts", name, "default") is None:
            self._store.put("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})

    def _free(self, claim: JsonObject) -> None:
        """Let a claim go that is deleted, once no pod has it."""
        if not is_terminating(claim):
            return
        used = {
            word(volume, "persistentVolumeClaim", "claimName")
            for pod in self._store.scan("pods", namespace_of(claim))
            for volume in objs(path(pod, ("spec", "volumes")))
        }
        finalizers = texts(path(claim, ("metadata", "finalizers")))
        if name_of(claim) not in used and _PROTECTION in finalizers:
            kept = [one for one in finalizers if one != _PROTECTION]
            meta = {**obj(claim.get("metadata")), "finalizers": kept}
            self._store.update("persistentvolumeclaims", {**claim, "metadata": meta})

    def _ingress(self, ingress: JsonObject) -> None:
        made = seconds_of(word(ingress, "metadata", "creationTimestamp"))
        has = items(path(ingress, ("status", "loadBalancer", "ingress")))
        if not has and self._cluster.reached(made + _INGRESS_S):
            self._store.set_status("ingresses", ingress, {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}})

    def _endpoints(self, service: JsonObject) -> None:
        if not path(service, ("spec", "selector")):
            return
        namespace, name = namespace_of(service), name_of(service)
        pods = [
            one for one in self._store.scan("pods", namespace) if chooses(service, one) and is_active(one)
        ]
        pods = [pod for pod in pods if word(pod, "status", "podIP")]
        ports = [_port(one, pods) for one in objs(path(service, ("spec", "ports")))]
        subset: Obj = {"ports": copied(ports)}
        for key, ready in (("addresses", True), ("notReadyAddresses", False)):
            if found := [_address(pod) for pod in pods if is_ready(pod) == ready]:
                subset[key] = copied(found)
        meta = {"name": name, "namespace": namespace}
        subsets: list[Value] = [subset] if pods else []
        there = self._store.peek("endpoints", namespace, name)
        if there is not None and there.get("subsets") == subsets:
            return
        self._store.put(
            "endpoints", {"metadata": {**meta, "ownerReferences": [owner(service)]}, "subsets": subsets}
        )
        self._store.put(
            "endpointslices",
            {
                "metadata": {
                    **meta,
                    "labels": {"kubernetes.io/service-name": name},
                    "ownerReferences": [owner(service)],
                },
                "addressType": "IPv4",
                "ports": ports,
                "endpoints": [_endpoint(pod) for pod in pods],
            },
        )


def _port(port: JsonObject, pods: list[JsonObject]) -> Obj:
    target = port.get("targetPort", port.get("port"))
    if isinstance(target, str):
        containers = [one for pod in pods for one in objs(path(pod, ("spec", "containers")))]
        named = [
            one
            for container in containers
            for one in objs(container.get("ports"))
            if text(one, "name") == target
        ]
        target = named[0].get("containerPort") if named else port.get("port")
    result: Obj = {"port": copied(target), "protocol": text(port, "protocol", "TCP")}
    return {"name": text(port, "name"), **result} if text(port, "name") else result


def _reference(pod: JsonObject) -> Obj:
    return {"kind": "Pod", "name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}


def _address(pod: JsonObject) -> Value:
    node_name = word(pod, "spec", "nodeName")
    return {"ip": word(pod, "status", "podIP"), "nodeName": node_name, "targetRef": _reference(pod)}


def _endpoint(pod: JsonObject) -> Obj:
    return {
        "addresses": [word(pod, "status", "podIP")],
        "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": False},
        "nodeName": word(pod, "spec", "nodeName"),
        "targetRef": _reference(pod),
    }


def node(name: str, address: str, now: str) -> Obj:
    """Return a ready node with all the fields that strict clients need."""
    size: Obj = {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    states = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    conditions: list[Value] = [
        {
            "type": kind,
            "status": value,
            "reason": "KubeletReady"
            if kind == "Ready"
            else "KubeletHasSufficient" + kind.removesuffix("Pressure"),
            "lastTransitionTime": now,
            "lastHeartbeatTime": now,
        }
        for kind, value in states.items()
    ]
    info = dict.fromkeys(
        ("bootID", "kernelVersion", "machineID", "osImage", "systemUUID", "kubeProxyVersion"), "rehearsal"
    )
    info |= {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.32.4"}
    info |= {"containerRuntimeVersion": "containerd://2.0.0"}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "capacity": clone(size),
            "allocatable": size,
            "conditions": conditions,
            "nodeInfo": clone(info),
        },
    }
