"""What the API server refuses of an object: names, required fields, and what may not change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from console.rehearsal.sim.kubernetes.admission.stored_form import amount
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


_LABEL_NAME = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_QUALIFIED_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_PULLS = ("Always", "IfNotPresent", "Never")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_PORT = "must be between 1 and 65535, inclusive"


def _required(field: str, why: str = "") -> Cause:
    return "FieldValueRequired", f"Required value{': ' if why else ''}{why}", field


def _wrong(field: str, value: object, why: str) -> Cause:
    told = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return "FieldValueInvalid", f"Invalid value: {told}: {why}", field


def _unsupported(field: str, value: str, known: Sequence[str]) -> Cause:
    told = ", ".join(f'"{one}"' for one in known)
    return "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {told}', field


def _is_port(value: object) -> bool:
    return not isinstance(value, int) or 1 <= value <= 65535


def _container_causes(container: JsonObject, here: str) -> list[Cause]:
    """Judge what of a container needs nothing else to be known."""
    causes: list[Cause] = [
        _wrong(f"{here}.ports[{at}].containerPort", port.get("containerPort"), _PORT)
        for at, port in enumerate(objs(container.get("ports")))
        if not _is_port(port.get("containerPort"))
    ]
    causes += [
        _required(f"{here}.env[{at}].name")
        for at, one in enumerate(objs(container.get("env")))
        if not text(one, "name")
    ]
    causes += [
        _required(f"{here}.{probe}", "must specify a handler type")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        if container.get(probe) is not None and not set(obj(container.get(probe))) & set(_HANDLERS)
    ]
    pull = text(container, "imagePullPolicy")
    if pull and pull not in _PULLS:
        causes.append(_unsupported(f"{here}.imagePullPolicy", pull, _PULLS))
    requests, limits = (obj(path(container, ("resources", key))) for key in ("requests", "limits"))
    causes += [
        _wrong(
            f"{here}.resources.requests",
            asked,
            f"must be less than or equal to {name} limit of {limits[name]}",
        )
        for name, asked in sorted(requests.items())
        if name in limits and amount(asked) > amount(limits[name])
    ]
    return causes


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
        causes += _container_causes(container, here)
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
    restart = word(template, "spec", "restartPolicy")
    if restart not in ("", "Always"):
        causes.append(_unsupported("spec.template.spec.restartPolicy", restart, ["Always"]))
    if not selector:
        causes.append(("FieldValueRequired", "Required value", "spec.selector"))
    elif not selected(selector, labels_of(template)):
        why = "`selector` does not match template `labels`"
        causes.append(_wrong("spec.template.metadata.labels", labels_of(template), why))
    return causes


def _label_causes(body: JsonObject) -> list[Cause]:
    return [
        _wrong("metadata.labels", key, _QUALIFIED_RULE)
        for key in labels_of(body)
        if not _QUALIFIED.fullmatch(key.rpartition("/")[2])
    ] + [
        _wrong("metadata.labels", value, _LABEL_RULE)
        for value in labels_of(body).values()
        if len(value) > 63 or not _LABEL.fullmatch(value)
    ]


def _map_causes(resource: Resource, body: JsonObject) -> list[Cause]:
    """Judge a ConfigMap's or a Secret's keys and size."""
    data = {**obj(body.get("data")), **obj(body.get("binaryData"))}
    causes = [_wrong(f"data[{key}]", key, _KEY_RULE) for key in data if not _KEY.fullmatch(key)]
    both = obj(body.get("data")).keys() & obj(body.get("binaryData")).keys()
    causes += [_wrong(f"data[{key}]", key, "duplicate of key present in binaryData") for key in sorted(both)]
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
    causes = [_required(f"spec.ports[{at}].name") for at in nameless]
    causes += [
        _wrong(f"spec.ports[{at}].{key}", port.get(key), _PORT)
        for at, port in enumerate(ports)
        for key in ("port", "targetPort")
        if not _is_port(port.get(key))
    ]
    address = word(service, "spec", "clusterIP")
    if address not in ("", "None") and not address.startswith("10.96.") and not causes:
        why = f"failed to allocate IP {address}: the provided network does not match the current range"
        causes.append(_wrong("spec.clusterIPs", [address], why))
    return causes


def _autoscaler_causes(body: JsonObject) -> list[Cause]:
    most = number(body, ("spec", "maxReplicas"))
    if most >= number(body, ("spec", "minReplicas"), 1):
        return []
    return [_wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")]


def _budget_causes(body: JsonObject) -> list[Cause]:
    spec = obj(body.get("spec"))
    if spec.get("minAvailable") is None or spec.get("maxUnavailable") is None:
        return []
    told = {
        "MinAvailable": spec["minAvailable"],
        "Selector": spec.get("selector"),
        "MaxUnavailable": spec["maxUnavailable"],
        "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
    }
    why = "minAvailable and maxUnavailable cannot be both set"
    return [("FieldValueInvalid", f"Invalid value: {json.dumps(told, separators=(',', ':'))}: {why}", "spec")]


def _ingress_causes(ingress: JsonObject) -> list[Cause]:
    causes: list[Cause] = []
    for at, rule in enumerate(objs(path(ingress, ("spec", "rules")))):
        for number_, one in enumerate(objs(path(rule, ("http", "paths")))):
            field = f"spec.rules[{at}].http.paths[{number_}].pathType"
            kind = text(one, "pathType")
            if not kind:
                causes.append(_required(field, "pathType must be specified"))
            elif kind not in _PATH_TYPES:
                causes.append(_unsupported(field, kind, _PATH_TYPES))
            elif kind != "ImplementationSpecific" and not text(one, "path").startswith("/"):
                why = "must be an absolute path"
                causes.append(_wrong(field.removesuffix("Type"), text(one, "path"), why))
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
    "horizontalpodautoscalers": _autoscaler_causes,
    "poddisruptionbudgets": _budget_causes,
}


def validate(resource: Resource, body: JsonObject, old: JsonObject | None) -> None:
    """Check an object with its defaults; ``old`` is what it would replace.

    Raises KubeError (422) with every cause.
    """
    causes: list[Cause] = []
    name = name_of(body)
    if resource.plural not in _RULES_WITH_COLONS:
        rule = _LABEL_NAME if resource.plural == "namespaces" else _NAME_RULE
        if len(name) > 253:
            causes.append(_wrong("metadata.name", name, "must be no more than 253 characters"))
        elif not _NAME.fullmatch(name):
            causes.append(_wrong("metadata.name", name, rule))
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
}


def _fixed_causes(resource: Resource, body: JsonObject, old: JsonObject) -> list[Cause]:
    causes: list[Cause] = [
        _wrong(".".join(keys), path(body, keys), "field is immutable")
        for keys in _FIXED.get(resource.plural, ())
        if path(body, keys) != path(old, keys)
    ]
    if resource.plural in {"rolebindings", "clusterrolebindings"} and body.get("roleRef") != old.get(
        "roleRef"
    ):
        names = {"apiGroup": "APIGroup", "kind": "Kind", "name": "Name"}
        ref = {names.get(key, key): one for key, one in obj(body.get("roleRef")).items()}
        causes.append(_wrong("roleRef", ref, "cannot change roleRef"))
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
    *first, last = (f"'{key}'" for key in _STATEFULSET_MAY_CHANGE)
    told = f"{', '.join(first)} and {last}"
    why = f"updates to statefulset spec for fields other than {told} are forbidden"
    return [("FieldValueForbidden", f"Forbidden: {why}", "spec")]


def _unchangeable(pod: JsonObject) -> JsonObject:
    """Return a pod's spec without what may change, and without the node that the scheduler writes into it."""
    spec = {key: one for key, one in obj(pod.get("spec")).items() if key not in _POD_MAY_CHANGE}
    for key in ("containers", "initContainers"):
        spec[key] = [{k: v for k, v in one.items() if k != "image"} for one in objs(spec.get(key))]
    return spec
