"""What the API server adds to a new object and what it refuses: defaults, names, required fields."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from hashlib import sha256

from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    child,
    copied,
    labels_of,
    members,
    name_of,
    strings,
    uid_of,
    word,
)
from console.rehearsal.sim.kubernetes.problems import invalid
from console.rehearsal.sim.kubernetes.resources import Resource
from console.rehearsal.sim.kubernetes.selectors import selected, selector_of
from state.base.json import JsonObject, obj, objs, path, text

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_RULES_WITH_COLONS = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")


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


def _template_causes(spec: JsonObject, prefix: str) -> list[tuple[str, str, str]]:
    containers = objs(spec.get("containers"))
    if not containers:
        return [("FieldValueRequired", "Required value", f"{prefix}.containers")]
    return [
        ("FieldValueRequired", "Required value", f"{prefix}.containers[{place}].{field}")
        for place, container in enumerate(containers)
        for field in ("name", "image")
        if not text(container, field)
    ]


def _workload_causes(body: JsonObject) -> list[tuple[str, str, str]]:
    selector = selector_of(body)
    template = obj(path(body, ("spec", "template")))
    causes = _template_causes(obj(template.get("spec")), "spec.template.spec")
    if not selector:
        causes.append(("FieldValueRequired", "Required value", "spec.selector"))
    elif not selected(selector, labels_of(template)):
        labels = dict(sorted(labels_of(template).items()))
        causes.append(
            (
                "FieldValueInvalid",
                f"Invalid value: {labels}: `selector` does not match template `labels`",
                "spec.template.metadata.labels",
            )
        )
    return causes


def _needs_ports(service: JsonObject) -> bool:
    portless = word(service, "spec", "type") == "ExternalName" or word(service, "spec", "clusterIP") == "None"
    return not portless and not objs(path(service, ("spec", "ports")))


def validate(resource: Resource, body: JsonObject, old: JsonObject | None) -> None:
    """Check an object with its defaults; ``old`` is what it would replace.

    Raises KubeError (422) with every cause.
    """
    causes: list[tuple[str, str, str]] = []
    name = name_of(body)
    if resource.plural not in _RULES_WITH_COLONS and (not _NAME.fullmatch(name) or len(name) > 253):
        causes.append(("FieldValueInvalid", f'Invalid value: "{name}": {_NAME_RULE}', "metadata.name"))
    if resource.plural in ("deployments", "replicasets"):
        causes += _workload_causes(body)
    elif resource.plural == "pods":
        causes += _template_causes(obj(body.get("spec")), "spec")
    elif resource.plural == "jobs":
        spec = obj(path(body, ("spec", "template", "spec")))
        causes += _template_causes(spec, "spec.template.spec")
        if text(spec, "restartPolicy") not in ("Never", "OnFailure"):
            wrong = 'Required value: valid values: "OnFailure", "Never"'
            causes.append(("FieldValueRequired", wrong, "spec.template.spec.restartPolicy"))
    elif resource.plural == "services" and _needs_ports(body):
        causes.append(("FieldValueRequired", "Required value", "spec.ports"))
    if old is not None:
        causes += _fixed_causes(resource, body, old)
    if causes:
        raise invalid(resource, name, causes)


_FIXED = {
    "deployments": (("spec", "selector"),),
    "replicasets": (("spec", "selector"),),
    "jobs": (("spec", "selector"), ("spec", "template")),
    "secrets": (("type",),),
    "rolebindings": (("roleRef",),),
    "clusterrolebindings": (("roleRef",),),
}


def _fixed_causes(resource: Resource, body: JsonObject, old: JsonObject) -> list[tuple[str, str, str]]:
    return [
        ("FieldValueInvalid", "Invalid value: field is immutable", ".".join(keys))
        for keys in _FIXED.get(resource.plural, ())
        if path(body, keys) != path(old, keys)
    ]


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
