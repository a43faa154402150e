"""Pods and ingresses as a captain sees them: the few fields that the log keeps of a Kubernetes object."""

from __future__ import annotations

from datetime import datetime

from state.base.json import JsonObject, integer, obj, objs, path, text
from state.base.text import line
from state.events.world import IngressChanged, PodChanged

_APP_LABELS = ("app.kubernetes.io/component", "app", "app.kubernetes.io/name", "k8s-app", "job-name")


def pod_body(env: str, pod: JsonObject) -> PodChanged:
    """Return the body of ``pod.changed`` for a pod as the API server gave it."""
    meta, spec, status = obj(pod.get("metadata")), obj(pod.get("spec")), obj(pod.get("status"))
    containers, states = objs(spec.get("containers")), objs(status.get("containerStatuses"))
    first = containers[0] if containers else {}
    digest = text(states[0], "imageID").rpartition("@")[2] if states else ""
    phase, reason = _phase(meta, status, states)
    labels = obj(meta.get("labels"))
    app = next((text(labels, key) for key in _APP_LABELS if text(labels, key)), "")
    return PodChanged(
        env=env,
        name=line(text(meta, "name"), 253),
        app=line(app, 63),
        phase=line(phase, 60),
        ready=sum(state.get("ready") is True for state in states),
        containers=len(containers),
        restarts=sum(integer(state, "restartCount") for state in states),
        image=line(text(first, "image"), 300),
        digest=line(digest, 100) if digest.startswith("sha256:") else "",
        node=line(text(spec, "nodeName"), 253),
        created_us=_time_us(text(meta, "creationTimestamp")),
        reason=line(reason, 200),
    )


def _phase(meta: JsonObject, status: JsonObject, states: list[JsonObject]) -> tuple[str, str]:
    """Return what kubectl would print as STATUS, and why."""
    if meta.get("deletionTimestamp"):
        return "Terminating", ""
    every = [*objs(status.get("initContainerStatuses")), *states]
    for state in every:
        waiting = obj(path(state, ("state", "waiting")))
        if text(waiting, "reason") not in {"", "PodInitializing", "ContainerCreating"}:
            return text(waiting, "reason"), text(waiting, "message")
    for state in every:
        ended = obj(path(state, ("state", "terminated")))
        if text(ended, "reason") not in {"", "Completed"}:
            return text(ended, "reason"), text(ended, "message")
    for state in states:
        waiting = obj(path(state, ("state", "waiting")))
        if text(waiting, "reason"):
            return text(waiting, "reason"), text(waiting, "message")
    return text(status, "phase") or "Unknown", text(status, "message") or text(status, "reason") or _ended(
        states
    )


def _ended(states: list[JsonObject]) -> str:
    """Return why a container that runs again had ended: it may have been killed between two looks."""
    last = (obj(path(state, ("lastState", "terminated"))) for state in states)
    reason = next((text(one, "reason") for one in last if text(one, "reason") not in {"", "Completed"}), "")
    return f"after {reason}" if reason else ""


def _time_us(stamp: str) -> int:
    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1_000_000)
    except ValueError:
        return 0


def ingress_body(env: str, ingress: JsonObject) -> IngressChanged:
    """Return the body of ``ingress.changed`` for an ingress as the API server gave it."""
    spec = obj(ingress.get("spec"))
    balancers = objs(path(ingress, ("status", "loadBalancer", "ingress")))
    address = next((text(b, "hostname") or text(b, "ip") for b in balancers), "")
    hosts = [line(text(rule, "host"), 253) for rule in objs(spec.get("rules"))]
    return IngressChanged(
        env=env,
        name=line(text(obj(ingress.get("metadata")), "name"), 253),
        hosts=tuple(hosts[:50]),
        address=line(address, 253),
        tls=bool(objs(spec.get("tls"))),
    )
