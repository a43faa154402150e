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

_RBAC = "rbac.authorization.k8s.io"
_TEMPLATES = "deprecated.daemonset.template.generation"


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
            if isinstance(probe.get("grpc"), dict):
                _fill(child(probe, "grpc"), service="")


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
    # Two names of one field.
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
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
        if isinstance(volume.get("hostPath"), dict):
            _fill(child(volume, "hostPath"), type="")
        for source in members(volume, "projected", "sources"):
            if isinstance(source.get("serviceAccountToken"), dict):
                _fill(child(source, "serviceAccountToken"), expirationSeconds=3600)


def _template(owner: Obj) -> None:
    child(owner, "template", "metadata")
    pod_defaults(child(owner, "template", "spec"))


def _pod(body: Obj) -> None:
    spec = child(body, "spec")
    pod_defaults(spec)
    tolerated = [(one.get("key"), one.get("effect")) for one in members(spec, "tolerations")]
    for trouble in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{trouble}"
        if not {(key, "NoExecute"), (key, None), (None, None)} & set(tolerated):
            added: Obj = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            spec["tolerations"] = [*members(spec, "tolerations"), added]
    _fill(
        child(body, "spec"),
        serviceAccountName="default",
        serviceAccount="default",
        priority=0,
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
    _template(spec)


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
    _template(spec)


def _daemonset(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(spec, revisionHistoryLimit=10)
    strategy = child(spec, "updateStrategy")
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(child(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
    _template(spec)
    _fill(child(body, "metadata", "annotations"), **{_TEMPLATES: "1"})


def _replicaset(body: Obj) -> None:
    _fill(child(body, "spec"), replicas=1)
    _template(child(body, "spec"))


def _job_spec(spec: Obj) -> None:
    _fill(spec, parallelism=1, completions=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    _fill(spec, podReplacementPolicy="TerminatingOrFailed", manualSelector=False)
    _template(spec)


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
    if not path(body, ("metadata", "labels")):
        child(body, "metadata")["labels"] = copied(path(spec, ("template", "metadata", "labels")) or {})


def _cronjob(body: Obj) -> None:
    spec = child(body, "spec")
    _fill(
        spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1
    )
    child(spec, "jobTemplate", "metadata")
    _template(child(spec, "jobTemplate", "spec"))


def _service(body: Obj) -> None:
    spec = child(body, "spec")
    digest = sha256(uid_of(body).encode()).digest()
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        _fill(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
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
    cpu: Obj = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    _fill(child(body, "spec"), minReplicas=1, metrics=[{"type": "Resource", "resource": cpu}])


def _claim(body: Obj) -> None:
    _fill(child(body, "spec"), volumeMode="Filesystem")


def _slice(body: Obj) -> None:
    for port in members(body, "ports"):
        _fill(port, name="", protocol="TCP")
    for endpoint in members(body, "endpoints"):
        child(endpoint, "conditions")


def _network_policy(body: Obj) -> None:
    spec = child(body, "spec")
    child(spec, "podSelector")
    _fill(spec, policyTypes=["Ingress", *(["Egress"] if "egress" in spec else [])])
    for port in (
        port
        for way in ("ingress", "egress")
        for rule in members(spec, way)
        for port in members(rule, "ports")
    ):
        _fill(port, protocol="TCP")


def _role(body: Obj) -> None:
    body["rules"] = body.get("rules") or None


def _role_binding(body: Obj) -> None:
    for subject in members(body, "subjects"):
        if subject.get("kind") in {"User", "Group"}:
            _fill(subject, apiGroup=_RBAC)
    _fill(child(body, "roleRef"), apiGroup=_RBAC)


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
    "persistentvolumeclaims": _claim,
    "endpointslices": _slice,
    "networkpolicies": _network_policy,
    "roles": _role,
    "clusterroles": _role,
    "rolebindings": _role_binding,
    "clusterrolebindings": _role_binding,
}


def fill_defaults(resource: Resource, body: Obj) -> None:
    """Add to an object, which has its uid already, what the API server adds."""
    fill = _DEFAULTS.get(resource.plural)
    if fill is not None:
        fill(body)


def carry_over(resource: Resource, body: Obj, old: JsonObject) -> None:
    """Keep what the API server gave the old object and a replacement may leave out."""
    keep = {"services": (("spec", "clusterIP"), ("spec", "clusterIPs")), "pods": (("spec", "nodeName"),)}
    if resource.plural == "daemonsets":
        before = strings(path(old, ("metadata", "annotations"))).get(_TEMPLATES, "0")
        changed = path(body, ("spec", "template")) != path(old, ("spec", "template"))
        child(body, "metadata", "annotations")[_TEMPLATES] = str(int(before) + changed)
    if resource.plural == "jobs":
        keep = {"jobs": (("spec", "selector"),)}
        labels = child(body, "spec", "template", "metadata", "labels")
        for key, label in strings(path(old, ("spec", "template", "metadata", "labels"))).items():
            labels.setdefault(key, label)
    for keys in keep.get(resource.plural, ()):
        value = path(old, keys)
        if value is not None and path(body, keys) is None:
            child(body, *keys[:-1])[keys[-1]] = copied(value)
