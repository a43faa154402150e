"""Pods and ingresses as a captain sees them: the few fields that the log keeps of a Kubernetes object."""

from __future__ import annotations

from state.base.frozen import remake
from state.base.json import JsonObject, obj, objs, path, text
from state.base.text import line
from state.events.world import IngressChanged, PodChanged
from state.view.pods import observe


def pod_body(env: str, pod: JsonObject) -> PodChanged:
    """Return the body of ``pod.changed`` for a pod as the API server gave it."""
    return remake(PodChanged, observe(env, pod))


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
