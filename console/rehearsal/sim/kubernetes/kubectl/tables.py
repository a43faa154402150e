"""The Table form of answers, which ``kubectl get`` shows: columns and cells are the server's work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    condition,
    is_terminating,
    number,
    seconds_of,
    strings,
    word,
)
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import Json, JsonObject, flag, items, obj, objs, path, text

Cell: TypeAlias = Callable[[JsonObject, float], Value]
"""Takes an object and the time now, in seconds since 1970."""

NONE = "<none>"


def accepts_table(accept: str) -> bool:
    """Return whether the first form that an Accept header names is a Table."""
    return "as=Table" in accept.split(",", 1)[0]


def span(seconds: float) -> str:
    """Return a length of time as kubectl writes ages: ``117s``, ``2m5s``, ``3h5m``, ``2d3h``, ``300d``."""
    s = max(0, int(seconds))
    minutes, hours, days = s // 60, s // 3600, s // 86400
    if s < 120:
        return f"{s}s"
    if minutes < 10:
        return f"{minutes}m{s % 60}s" if s % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def _since(*keys: str) -> Cell:
    def cell(body: JsonObject, now: float) -> Value:
        then = seconds_of(word(body, *keys))
        return span(now - then) if then else "<unknown>"

    return cell


def _text(*keys: str, empty: str = NONE) -> Cell:
    return lambda body, _: word(body, *keys) or empty


def _count(*keys: str) -> Cell:
    return lambda body, _: number(body, keys)


def _of(above: Sequence[str], below: Sequence[str], least: int = 0) -> Cell:
    return lambda body, _: f"{number(body, above)}/{number(body, below, least)}"


def _size(*keys: str) -> Cell:
    def cell(body: JsonObject, _: float) -> Value:
        value = path(body, keys)
        return len(value) if isinstance(value, dict | list) else 0

    return cell


def pod_status(body: JsonObject) -> str:
    """Return the word that kubectl shows for a pod: its phase, or why a container waits or ended."""
    shown = word(body, "status", "reason") or word(body, "status", "phase")
    statuses = objs(path(body, ("status", "containerStatuses")))
    for status in reversed(statuses):
        waiting, ended = (
            word(status, "state", "waiting", "reason"),
            word(status, "state", "terminated", "reason"),
        )
        shown = waiting or ended or shown
    if shown == "Completed" and any(flag(status, "ready") for status in statuses):
        shown = "Running"
    return "Terminating" if is_terminating(body) else shown


def _pod_ready(body: JsonObject, _: float) -> Value:
    ready = sum(flag(one, "ready") for one in objs(path(body, ("status", "containerStatuses"))))
    return f"{ready}/{len(objs(path(body, ('spec', 'containers'))))}"


def _pod_restarts(body: JsonObject, now: float) -> Value:
    statuses = objs(path(body, ("status", "containerStatuses")))
    times = sum(number(status, ("restartCount",)) for status in statuses)
    last = max(
        (seconds_of(word(status, "lastState", "terminated", "finishedAt")) for status in statuses), default=0
    )
    return f"{times} ({span(now - last)} ago)" if times and last else str(times)


def _ports(body: JsonObject, _: float) -> Value:
    listed = objs(path(body, ("spec", "ports")))
    return ",".join(f"{number(one, ('port',))}/{text(one, 'protocol', 'TCP')}" for one in listed) or NONE


def _hosts(body: JsonObject, _: float) -> Value:
    return ",".join(text(one, "host") or "*" for one in objs(path(body, ("spec", "rules")))) or "*"


def _addresses(body: JsonObject, _: float) -> Value:
    listed = objs(path(body, ("status", "loadBalancer", "ingress")))
    return ",".join(text(one, "ip") or text(one, "hostname") for one in listed)


def _ingress_ports(body: JsonObject, _: float) -> Value:
    return "80, 443" if items(path(body, ("spec", "tls"))) else "80"


def _endpoints(body: JsonObject, _: float) -> Value:
    found = [
        f"{text(address, 'ip')}:{number(port, ('port',))}"
        for subset in objs(body.get("subsets"))
        for address in objs(subset.get("addresses"))
        for port in objs(subset.get("ports"))
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + more if found else NONE


def _job_status(body: JsonObject, _: float) -> Value:
    for kind in ("Complete", "Failed", "Suspended"):
        if text(condition(body, kind), "status") == "True":
            return kind
    return "Terminating" if is_terminating(body) else "Running"


def _job_duration(body: JsonObject, now: float) -> Value:
    began, ended = (seconds_of(word(body, "status", key)) for key in ("startTime", "completionTime"))
    return span((ended or now) - began) if began else ""


def _node_status(body: JsonObject, _: float) -> Value:
    ready = "Ready" if text(condition(body, "Ready"), "status") == "True" else "NotReady"
    return f"{ready},SchedulingDisabled" if flag(obj(body.get("spec")), "unschedulable") else ready


def _node_roles(body: JsonObject, _: float) -> Value:
    prefix = "node-role.kubernetes.io/"
    labels = strings(path(body, ("metadata", "labels")))
    return ",".join(key.removeprefix(prefix) for key in labels if key.startswith(prefix)) or NONE


def _involved(body: JsonObject, _: float) -> Value:
    return f"{word(body, 'involvedObject', 'kind').lower()}/{word(body, 'involvedObject', 'name')}"


def _images(*keys: str) -> Cell:
    return lambda body, _: ",".join(text(one, "image") for one in objs(path(body, keys)))


def _selector(*keys: str) -> Cell:
    return lambda body, _: ",".join(f"{k}={v}" for k, v in strings(path(body, keys)).items()) or NONE


def _shown(*keys: str) -> Cell:
    def cell(body: JsonObject, _: float) -> Value:
        value: Json = path(body, keys)
        return NONE if value is None else str(value)

    return cell


_NAME: tuple[str, Cell] = ("Name", _text("metadata", "name"))
_AGE: tuple[str, Cell] = ("Age", _since("metadata", "creationTimestamp"))
_TEMPLATE = ("spec", "template", "spec", "containers")

_COLUMNS: dict[str, tuple[tuple[str, Cell], ...]] = {
    "pods": (
        ("Ready", _pod_ready),
        ("Status", lambda body, _: pod_status(body)),
        ("Restarts", _pod_restarts),
        _AGE,
        ("*IP", _text("status", "podIP")),
        ("*Node", _text("spec", "nodeName")),
    ),
    "deployments": (
        ("Ready", _of(("status", "readyReplicas"), ("spec", "replicas"))),
        ("Up-to-date", _count("status", "updatedReplicas")),
        ("Available", _count("status", "availableReplicas")),
        _AGE,
        ("*Images", _images(*_TEMPLATE)),
        ("*Selector", _selector("spec", "selector", "matchLabels")),
    ),
    "replicasets": (
        ("Desired", _count("spec", "replicas")),
        ("Current", _count("status", "replicas")),
        ("Ready", _count("status", "readyReplicas")),
        _AGE,
        ("*Images", _images(*_TEMPLATE)),
        ("*Selector", _selector("spec", "selector", "matchLabels")),
    ),
    "services": (
        ("Type", _text("spec", "type")),
        ("Cluster-IP", _text("spec", "clusterIP")),
        ("External-IP", _text("spec", "externalName")),
        ("Port(s)", _ports),
        _AGE,
        ("*Selector", _selector("spec", "selector")),
    ),
    "ingresses": (
        ("Class", _text("spec", "ingressClassName")),
        ("Hosts", _hosts),
        ("Address", _addresses),
        ("Ports", _ingress_ports),
        _AGE,
    ),
    "endpoints": (("Endpoints", _endpoints), _AGE),
    "jobs": (
        ("Status", _job_status),
        ("Completions", _of(("status", "succeeded"), ("spec", "completions"), 1)),
        ("Duration", _job_duration),
        _AGE,
        ("*Images", _images(*_TEMPLATE)),
    ),
    "cronjobs": (
        ("Schedule", _text("spec", "schedule")),
        ("Timezone", _text("spec", "timeZone")),
        ("Suspend", _shown("spec", "suspend")),
        ("Active", _size("status", "active")),
        ("Last Schedule", _text("status", "lastScheduleTime")),
        _AGE,
    ),
    "nodes": (
        ("Status", _node_status),
        ("Roles", _node_roles),
        _AGE,
        ("Version", _text("status", "nodeInfo", "kubeletVersion")),
    ),
    "namespaces": (("Status", _text("status", "phase")), _AGE),
    "secrets": (("Type", _text("type")), ("Data", _size("data")), _AGE),
    "configmaps": (("Data", _size("data")), _AGE),
    "serviceaccounts": (("Secrets", _size("secrets")), _AGE),
    "events": (
        ("Last Seen", _since("lastTimestamp")),
        ("Type", _text("type")),
        ("Reason", _text("reason")),
        ("Object", _involved),
        ("Message", _text("message")),
    ),
    "leases": (("Holder", _text("spec", "holderIdentity")), _AGE),
    "poddisruptionbudgets": (
        ("Min Available", _shown("spec", "minAvailable")),
        ("Max Unavailable", _shown("spec", "maxUnavailable")),
        ("Allowed Disruptions", _count("status", "disruptionsAllowed")),
        _AGE,
    ),
    "horizontalpodautoscalers": (
        (
            "Reference",
            lambda b, _: (
                f"{word(b, 'spec', 'scaleTargetRef', 'kind')}/{word(b, 'spec', 'scaleTargetRef', 'name')}"
            ),
        ),
        ("MinPods", _shown("spec", "minReplicas")),
        ("MaxPods", _shown("spec", "maxReplicas")),
        ("Replicas", _count("status", "currentReplicas")),
        _AGE,
    ),
    "persistentvolumeclaims": (
        ("Status", _text("status", "phase")),
        ("Volume", _text("spec", "volumeName")),
        ("StorageClass", _text("spec", "storageClassName")),
        _AGE,
    ),
}


def table(
    resource: Resource, bodies: Sequence[JsonObject], meta: JsonObject, now: float, *, whole: bool = False
) -> JsonObject:
    """Return objects as a Table; ``whole`` puts objects beside their cells, not their metadata alone.

    A column whose name begins with ``*`` is one that only ``-o wide`` shows.
    """
    columns = (_NAME, *_COLUMNS.get(resource.plural, (_AGE,)))
    definitions: list[Obj] = [
        {
            "name": title.removeprefix("*"),
            "type": "string",
            "format": "name" if title == "Name" else "",
            "description": title.removeprefix("*"),
            "priority": int(title.startswith("*")),
        }
        for title, _ in columns
    ]
    rows: list[JsonObject] = [
        {"cells": [cell(body, now) for _, cell in columns], "object": body if whole else _partial(body)}
        for body in bodies
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _partial(body: JsonObject) -> JsonObject:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": body.get("metadata"),
    }
