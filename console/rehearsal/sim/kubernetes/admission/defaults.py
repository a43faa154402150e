"""What the API server adds to a new object, and keeps of the old one that a new one leaves out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256

from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    child,
    copied,
    members,
    name_of,
    strings,
    uid_of,
)
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import JsonObject, path, text


def _fill(body: Obj, **defaults: Value) -> None:
    for key, value in defaults.items():
        if body.get(key) is None:
            body[key] = value


def _probe_defaults(container: Obj) -> None:
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(kind), dict):
            probe = child(container, kind)
            _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
            if isinstance(probe.get("httpGet"), dict):
                _fill(child(probe, "httpGet"), path="/", scheme="HTTP")


def pod_defaults(spec: Obj) -> None:
    """Fill a pod's spec as the API server does."""
    _fill(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
        securityContext={},
    )
    for container in (*members(spec, "containers"), *members(spec, "initContainers")):
        image = text(container, "image")
        latest = image.endswith(":latest") or (":" not in image.rpartition("/")[2] and "@" not in image)
        _fill(
            container,
            imagePullPolicy="Always" if latest else "IfNotPresent",
            terminationMessagePath="/dev/termination-log",
            terminationMessagePolicy="File",
            resources={},
        )
        _probe_defaults(container)
        for port in members(container, "ports"):
            _fill(port, protocol="TCP")
        for variable in members(container, "env"):
            if isinstance(path(variable, ("valueFrom", "fieldRef")), dict):
                _fill(child(variable, "valueFrom", "fieldRef"), apiVersion="v1")
    for volume in members(spec, "volumes"):
        for kind in ("secret", "configMap", "projected"):
            if isinstance(volume.get(kind), dict):
                _fill(child(volume, kind), defaultMode=420)


def _pod(body: Obj) -> None:
    pod_defaults(child(body, "spec"))
    _fill(
        child(body, "spec"),
        serviceAccountName="default",
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
    )
    _fill(child(body, "status"), phase="Pending", qosClass="Burstable")


def _deployment(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = child(spec, "strategy")
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(child(strategy, "rollingUpdate"), maxSurge="25%", maxUnavailable="25%")
    else:
        strategy.pop("rollingUpdate", None)
    pod_defaults(child(spec, "template", "spec"))


def _statefulset(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    _fill(spec, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
    strategy = child(spec, "updateStrategy")
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(child(strategy, "rollingUpdate"), partition=0)
    for claim in members(spec, "volumeClaimTemplates"):
        _fill(claim, apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"})
        _fill(child(claim, "spec"), volumeMode="Filesystem")
    pod_defaults(child(spec, "template", "spec"))


def _daemonset(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(spec, revisionHistoryLimit=10)
    strategy = child(spec, "updateStrategy")
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(child(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
    pod_defaults(child(spec, "template", "spec"))


def _replicaset(body: Obj) -> None:
    _fill(child(body, "spec"), replicas=1)
    pod_defaults(child(body, "spec", "template", "spec"))


def _job_spec(spec: Obj) -> None:
    _fill(spec, parallelism=1, completions=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    _fill(spec, podReplacementPolicy="TerminatingOrFailed")
    pod_defaults(child(spec, "template", "spec"))


def _job(body: Obj) -> None:
    spec = child(body, "spec")
    _job_spec(spec)
    if spec.get("manualSelector") is not True and not spec.get("selector"):
        uid, name = uid_of(body), name_of(body)
        child(spec, "selector")["matchLabels"] = {"batch.kubernetes.io/controller-uid": uid}
        labels = child(spec, "template", "metadata", "labels")
        for prefix in ("", "batch.kubernetes.io/"):
            labels[f"{prefix}controller-uid"] = uid
            labels[f"{prefix}job-name"] = name


def _cronjob(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(
        spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1
    )
    pod_defaults(child(spec, "jobTemplate", "spec", "template", "spec"))


def _service(body: Obj) -> None:
    spec = child(body, "spec")
    digest = sha256(uid_of(body).encode()).digest()
    _fill(spec, type="ClusterIP", sessionAffinity="None", internalTrafficPolicy="Cluster")
    _fill(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] != "ExternalName":
        _fill(spec, clusterIP=f"10.96.{digest[0]}.{digest[1] or 1}")
        _fill(spec, clusterIPs=[spec["clusterIP"]])
    for port in members(spec, "ports"):
        _fill(port, protocol="TCP", targetPort=port.get("port"))
    child(body, "status", "loadBalancer")


def _secret(body: Obj) -> None:
    _fill(body, type="Opaque")
    for key, value in strings(body.pop("stringData", None)).items():
        child(body, "data")[key] = base64.b64encode(value.encode()).decode()


def _namespace(body: Obj) -> None:
    child(body, "metadata", "labels")["kubernetes.io/metadata.name"] = name_of(body)
    _fill(child(body, "spec"), finalizers=["kubernetes"])
    _fill(child(body, "status"), phase="Active")


def _ingress(body: Obj) -> None:
    child(body, "status", "loadBalancer")


def _autoscaler(body: Obj) -> None:
    _fill(child(body, "spec"), minReplicas=1)


_DEFAULTS: dict[str, Callable[[Obj], None]] = {
    "pods": _pod,
    "deployments": _deployment,
    "replicasets": _replicaset,
    "statefulsets": _statefulset,
    "daemonsets": _daemonset,
    "jobs": _job,
    "cronjobs": _cronjob,
    "services": _service,
    "secrets": _secret,
    "namespaces": _namespace,
    "ingresses": _ingress,
    "horizontalpodautoscalers": _autoscaler,
}


def fill_defaults(resource: Resource, body: Obj) -> None:
    """Add to an object, which has its uid already, what the API server adds."""
    fill = _DEFAULTS.get(resource.plural)
    if fill is not None:
        fill(body)


def carry_over(resource: Resource, body: Obj, old: JsonObject) -> None:
    """Keep what the API server gave the old object and a replacement may leave out."""
    keep = {"services": (("spec", "clusterIP"), ("spec", "clusterIPs")), "pods": (("spec", "nodeName"),)}
    if resource.plural == "jobs":
        keep = {"jobs": (("spec", "selector"),)}
        labels = child(body, "spec", "template", "metadata", "labels")
        for key, label in strings(path(old, ("spec", "template", "metadata", "labels"))).items():
            labels.setdefault(key, label)
    for keys in keep.get(resource.plural, ()):
        value = path(old, keys)
        if value is not None and path(body, keys) is None:
            child(body, *keys[:-1])[keys[-1]] = copied(value)
