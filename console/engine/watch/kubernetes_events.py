"""Pods and ingresses as a captain sees them: the few fields that the log keeps of a Kubernetes object."""

from __future__ import annotations

from state.base.json import Json, JsonObject, obj, objs, path, text
from state.base.text import line
from state.view.launch import IngressView, PodView
from state.view.pods import observe


def pod_body(env: str, pod: JsonObject) -> JsonObject:
    """Return the body of ``pod.changed`` for a pod as the API server gave it."""
    return known_pod(observe(env, pod))


def known_pod(pod: PodView) -> JsonObject:
    """Return a pod of the view in the form of ``pod_body``."""
    rare: dict[str, Json] = {
        "unready": pod.unready,
        "of_job": pod.of_job,
        "ended": pod.ended,
        "loops_until_us": pod.loops_until_us,
    }
    return {
        "env": pod.env,
        "name": pod.name,
        "app": pod.app,
        "phase": pod.phase,
        "ready": pod.ready,
        "containers": pod.containers,
        "restarts": pod.restarts,
        "image": pod.image,
        "digest": pod.digest,
        "node": pod.node,
        "created_us": pod.created_us,
        "reason": pod.reason,
        **{key: value for key, value in rare.items() if value},
    }


def ingress_body(env: str, ingress: JsonObject) -> JsonObject:
    """Return the body of ``ingress.changed`` for an ingress as the API server gave it."""
    spec = obj(ingress.get("spec"))
    balancers = objs(path(ingress, ("status", "loadBalancer", "ingress")))
    address = next((text(b, "hostname") or text(b, "ip") for b in balancers), "")
    hosts = [line(text(rule, "host"), 253) for rule in objs(spec.get("rules"))]
    return {
        "env": env,
        "name": line(text(obj(ingress.get("metadata")), "name"), 253),
        "hosts": hosts[:50],
        "address": line(address, 253),
        "tls": bool(objs(spec.get("tls"))),
    }


def known_ingress(ingress: IngressView) -> JsonObject:
    """Return an ingress of the view in the form of ``ingress_body``."""
    return {
        "env": ingress.env,
        "name": ingress.name,
        "hosts": list(ingress.hosts),
        "address": ingress.address,
        "tls": ingress.tls,
    }
