"""Which rules of RBAC give power over a production: by API group, resource and verb, as the API server reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from state.base.json import JsonObject, texts

_WRITE: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_READ: Final = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may do with some resources of some API groups by any of some verbs."""

    words: str
    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]


def _power(words: str, group: str, resources: str, verbs: Iterable[str]) -> Power:
    groups = frozenset("" if one == "core" else one for one in group.split())
    return Power(words, groups, frozenset(resources.split()), frozenset(verbs))


_CHANGE: Final = "change things"
POWERS: Final = (
    _power("read secrets", "core", "secrets", _READ),
    # exec, attach and port-forward are GETs too, for clients that use websockets.
    _power("enter pods", "core", "pods/exec pods/attach pods/portforward pods/proxy", {"create", "get"}),
    _power("enter pods", "core", "nodes/proxy services/proxy", {"create", "get", *_WRITE}),
    _power("enter pods", "core", "pods/ephemeralcontainers", {"update", "patch"}),
    _power(
        _CHANGE,
        "core",
        "pods secrets configmaps services endpoints serviceaccounts replicationcontrollers persistentvolumeclaims "
        "persistentvolumes namespaces nodes pods/eviction replicationcontrollers/scale",
        _WRITE,
    ),
    _power(
        _CHANGE,
        "apps extensions",
        "deployments statefulsets daemonsets replicasets deployments/scale statefulsets/scale replicasets/scale",
        _WRITE,
    ),
    _power(_CHANGE, "batch", "jobs cronjobs", _WRITE),
    _power(_CHANGE, "autoscaling", "horizontalpodautoscalers", _WRITE),
    _power(_CHANGE, "policy", "poddisruptionbudgets", _WRITE),
    _power(_CHANGE, "networking.k8s.io extensions", "ingresses networkpolicies ingressclasses", _WRITE),
    _power(
        _CHANGE, "gateway.networking.k8s.io", "gateways httproutes tlsroutes tcproutes grpcroutes", _WRITE
    ),
    _power(
        _CHANGE,
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations validatingwebhookconfigurations mutatingadmissionpolicies "
        "validatingadmissionpolicies",
        _WRITE,
    ),
    _power(_CHANGE, "apiregistration.k8s.io", "apiservices", _WRITE),
    _power(_CHANGE, "apiextensions.k8s.io", "customresourcedefinitions", _WRITE),
    _power("act as others", "core", "users groups serviceaccounts", {"impersonate"}),
    _power(
        "act as others",
        "authentication.k8s.io",
        "users groups serviceaccounts uids userextras",
        {"impersonate"},
    ),
    _power("make tokens", "core", "serviceaccounts/token", {"create"}),
    _power(
        "give power",
        "rbac.authorization.k8s.io",
        "roles clusterroles rolebindings clusterrolebindings",
        {"bind", "escalate", *_WRITE},
    ),
    _power("give power", "certificates.k8s.io", "certificatesigningrequests/approval", {"update", "patch"}),
)
"""Each way to read a production's secrets, get into its pods, change what runs, or become somebody who may."""


def powers_of(rules: Iterable[JsonObject]) -> tuple[str, ...]:
    """Return in words what some rules allow of it, sorted.

    A rule on an API group of its own (an operator's custom resources) gives none; one on a single object by its name
    gives what it names.
    """
    found = set()
    for rule in rules:
        groups, resources, verbs = (
            set(texts(rule.get(word))) for word in ("apiGroups", "resources", "verbs")
        )
        found |= {power.words for power in POWERS if _gives(power, groups, resources, verbs)}
    return tuple(sorted(found))


def _gives(power: Power, groups: set[str], resources: set[str], verbs: set[str]) -> bool:
    return (
        _any(power.groups, groups)
        and (_any(power.resources, resources) or any(_covers(one, power.resources) for one in resources))
        and _any(power.verbs, verbs)
    )


def _any(some: frozenset[str], given: set[str]) -> bool:
    return "*" in given or bool(some & given)


def _covers(given: str, resources: frozenset[str]) -> bool:
    """Return whether ``*/scale`` or ``pods/*`` covers one of some resources."""
    resource, slash, inner = given.partition("/")
    if not slash or "*" not in (resource, inner):
        return False
    pairs = (one.partition("/") for one in resources)
    return any(sub and resource in {"*", name} and inner in {"*", sub} for name, _, sub in pairs)
