"""What the API server refuses of an object: names, required fields, and what may not change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from console.rehearsal.sim.kubernetes.objects import labels_of, name_of, number, word
from console.rehearsal.sim.kubernetes.problems import invalid
from console.rehearsal.sim.kubernetes.resources import Resource
from console.rehearsal.sim.kubernetes.selectors import selected, selector_of
from state.base.json import JsonObject, obj, objs, path, text

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_CRON = re.compile(r"[0-9A-Za-z*/,?-]+")
_LARGEST = 1024 * 1024
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_RULES_WITH_COLONS = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")


Cause = tuple[str, str, str]
"""A reason, a message, and the field that is meant."""


def _required(field: str, why: str = "") -> Cause:
    return "FieldValueRequired", f"Required value{': ' if why else ''}{why}", field


def _wrong(field: str, value: object, why: str) -> Cause:
    told = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return "FieldValueInvalid", f"Invalid value: {told}: {why}", field


def _template_causes(spec: JsonObject, prefix: str) -> list[Cause]:
    containers = objs(spec.get("containers"))
    if not containers:
        return [_required(f"{prefix}.containers")]
    causes: list[Cause] = []
    volumes = {text(one, "name") for one in objs(spec.get("volumes"))}
    seen: set[str] = set()
    for place, container in enumerate(containers):
        here = f"{prefix}.containers[{place}]"
        causes += [_required(f"{here}.{field}") for field in ("name", "image") if not text(container, field)]
        name = text(container, "name")
        if name in seen:
            causes.append(("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{here}.name"))
        seen.add(name)
        causes += [
            ("FieldValueNotFound", f'Not found: "{wanted}"', f"{here}.volumeMounts[{at}].name")
            for at, mount in enumerate(objs(container.get("volumeMounts")))
            if (wanted := text(mount, "name")) not in volumes
        ]
    return causes


def _workload_causes(body: JsonObject) -> list[Cause]:
    replicas = number(body, ("spec", "replicas"))
    if replicas < 0:
        return [_wrong("spec.replicas", replicas, "must be greater than or equal to 0")]
    selector = selector_of(body)
    template = obj(path(body, ("spec", "template")))
    causes = _template_causes(obj(template.get("spec")), "spec.template.spec")
    if not selector:
        causes.append(("FieldValueRequired", "Required value", "spec.selector"))
    elif not selected(selector, labels_of(template)):
        why = "`selector` does not match template `labels`"
        causes.append(_wrong("spec.template.metadata.labels", labels_of(template), why))
    return causes


def _label_causes(body: JsonObject) -> list[Cause]:
    return [
        _wrong("metadata.labels", value, _LABEL_RULE)
        for value in labels_of(body).values()
        if len(value) > 63 or not _LABEL.fullmatch(value)
    ]


def _map_causes(resource: Resource, body: JsonObject) -> list[Cause]:
    """Judge a ConfigMap's or a Secret's keys and size."""
    data = {**obj(body.get("data")), **obj(body.get("binaryData"))}
    causes = [_wrong(f"data[{key}]", key, _KEY_RULE) for key in data if not _KEY.fullmatch(key)]
    if sum(len(str(value)) for value in data.values()) > _LARGEST:
        where = "data" if resource.plural == "secrets" else "[]"
        causes.append(("FieldValueTooLong", f"Too long: may not be more than {_LARGEST} bytes", where))
    if resource.plural == "secrets" and text(body, "type") == "kubernetes.io/tls":
        causes += [_required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return causes


def _service_causes(service: JsonObject) -> list[Cause]:
    ports = objs(path(service, ("spec", "ports")))
    if _needs_ports(service):
        return [_required("spec.ports")]
    nameless = [at for at, port in enumerate(ports) if not text(port, "name")] if len(ports) > 1 else []
    return [_required(f"spec.ports[{at}].name") for at in nameless]


def _ingress_causes(ingress: JsonObject) -> list[Cause]:
    causes: list[Cause] = []
    for at, rule in enumerate(objs(path(ingress, ("spec", "rules")))):
        for number_, one in enumerate(objs(path(rule, ("http", "paths")))):
            field = f"spec.rules[{at}].http.paths[{number_}].pathType"
            kind = text(one, "pathType")
            if not kind:
                causes.append(_required(field, "pathType must be specified"))
            elif kind not in _PATH_TYPES:
                told = ", ".join(f'"{known}"' for known in _PATH_TYPES)
                message = f'Unsupported value: "{kind}": supported values: {told}'
                causes.append(("FieldValueNotSupported", message, field))
    return causes


def _needs_ports(service: JsonObject) -> bool:
    portless = word(service, "spec", "type") == "ExternalName" or word(service, "spec", "clusterIP") == "None"
    return not portless and not objs(path(service, ("spec", "ports")))


def _job_causes(body: JsonObject) -> list[Cause]:
    spec = obj(path(body, ("spec", "template", "spec")))
    causes = _template_causes(spec, "spec.template.spec")
    if text(spec, "restartPolicy") not in ("Never", "OnFailure"):
        causes.append(_required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return causes


def _cronjob_causes(body: JsonObject) -> list[Cause]:
    schedule = word(body, "spec", "schedule")
    if not schedule:
        return [_required("spec.schedule")]
    parts = schedule.split()
    if schedule.startswith("@") or (len(parts) == 5 and all(_CRON.fullmatch(part) for part in parts)):
        return []
    why = f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    return [_wrong("spec.schedule", schedule, why if len(parts) != 5 else "failed to parse")]


_JUDGES: dict[str, Callable[[JsonObject], list[Cause]]] = {
    "deployments": _workload_causes,
    "replicasets": _workload_causes,
    "statefulsets": _workload_causes,
    "daemonsets": _workload_causes,
    "pods": lambda body: _template_causes(obj(body.get("spec")), "spec"),
    "jobs": _job_causes,
    "cronjobs": _cronjob_causes,
    "services": _service_causes,
    "ingresses": _ingress_causes,
}


def validate(resource: Resource, body: JsonObject, old: JsonObject | None) -> None:
    """Check an object with its defaults; ``old`` is what it would replace.

    Raises KubeError (422) with every cause.
    """
    causes: list[Cause] = []
    name = name_of(body)
    if resource.plural not in _RULES_WITH_COLONS and (not _NAME.fullmatch(name) or len(name) > 253):
        causes.append(("FieldValueInvalid", f'Invalid value: "{name}": {_NAME_RULE}', "metadata.name"))
    causes += _label_causes(body)
    judge = _JUDGES.get(resource.plural)
    if judge is not None:
        causes += judge(body)
    elif resource.plural in {"configmaps", "secrets"}:
        causes += _map_causes(resource, body)
    if old is not None:
        causes += _fixed_causes(resource, body, old)
    if causes:
        raise invalid(resource, name, causes)


_POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_POD_MAY_CHANGE = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName")
_STATEFULSET_MAY_CHANGE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_FIXED = {
    "deployments": (("spec", "selector"),),
    "replicasets": (("spec", "selector"),),
    "daemonsets": (("spec", "selector"),),
    "jobs": (("spec", "selector"), ("spec", "template")),
    "secrets": (("type",),),
    "rolebindings": (("roleRef",),),
    "clusterrolebindings": (("roleRef",),),
}


def _fixed_causes(resource: Resource, body: JsonObject, old: JsonObject) -> list[Cause]:
    causes: list[Cause] = [
        _wrong(".".join(keys), path(body, keys), "field is immutable")
        for keys in _FIXED.get(resource.plural, ())
        if path(body, keys) != path(old, keys)
    ]
    if resource.plural in {"configmaps", "secrets"} and old.get("immutable") is True:
        why = "field is immutable when `immutable` is set"
        causes += [
            ("FieldValueForbidden", f"Forbidden: {why}", key)
            for key in ("data", "binaryData", "immutable")
            if body.get(key) != old.get(key)
        ]
    if resource.plural == "statefulsets":
        causes += _fixed_of_a_statefulset(obj(body.get("spec")), obj(old.get("spec")))
    if resource.plural == "pods" and _unchangeable(body) != _unchangeable(old):
        causes.append(("FieldValueForbidden", f"Forbidden: {_POD_RULE}", "spec"))
    if resource.plural == "services" and word(old, "spec", "clusterIP"):
        address = word(body, "spec", "clusterIP")
        if word(body, "spec", "type") != "ExternalName" and address != word(old, "spec", "clusterIP"):
            causes.append(_wrong("spec.clusterIPs[0]", [address], "may not change once set"))
    return causes


def _fixed_of_a_statefulset(new: JsonObject, old: JsonObject) -> list[Cause]:
    before, after = (
        {key: value for key, value in spec.items() if key not in _STATEFULSET_MAY_CHANGE}
        for spec in (old, new)
    )
    if before == after:
        return []
    told = ", ".join(f"'{key}'" for key in _STATEFULSET_MAY_CHANGE)
    why = f"updates to statefulset spec for fields other than {told} are forbidden"
    return [("FieldValueForbidden", f"Forbidden: {why}", "spec")]


def _unchangeable(pod: JsonObject) -> JsonObject:
    """Return a pod's spec without what may change, and without the node that the scheduler writes into it."""
    spec = {key: one for key, one in obj(pod.get("spec")).items() if key not in _POD_MAY_CHANGE}
    for key in ("containers", "initContainers"):
        spec[key] = [{k: v for k, v in one.items() if k != "image"} for one in objs(spec.get(key))]
    return spec
