"""Who may do what: bearer tokens, refusals, and the reviews by which clients ask beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from console.rehearsal.sim.kubernetes.objects import Obj, Value, clone
from console.rehearsal.sim.kubernetes.paths import Target
from console.rehearsal.sim.kubernetes.problems import KubeError, forbidden, invalid_review
from console.rehearsal.sim.kubernetes.resources import RESOURCES
from state.base.json import JsonObject, obj, path, text

Authorize: TypeAlias = Callable[[str, str, str, str, str], bool]
"""Takes user, verb, group, resource (``pods``, ``pods/log``) and namespace ("" for all); says if they may."""

_ATTRIBUTES = {"resourceAttributes", "nonResourceAttributes"}
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def everyone(user: str, verb: str, group: str, resource: str, namespace: str) -> bool:
    """Allow everything: what a KubeApi does that is told nothing else."""
    del user, verb, group, resource, namespace
    return True


def refusal(user: str, verb: str, target: Target) -> KubeError:
    """Return the 403 that says what the user may not do, in Kubernetes' words."""
    resource = target.resource
    plural = f"{resource.plural}/{target.sub}" if target.sub else resource.plural
    scope = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    why = f'User "{user}" cannot {verb} resource "{plural}" in API group "{resource.group}" {scope}'
    return forbidden(resource, target.name, why)


def reviewed(kind: str, body: JsonObject, user: str, authorize: Authorize) -> Obj:
    """Return a review with its answer in the status."""
    answer: Obj
    spec = obj(body.get("spec"))
    if kind.endswith("AccessReview") and len(_ATTRIBUTES & spec.keys()) != 1:
        why = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid_review(("FieldValueInvalid", why, "spec.resourceAttributes"))
    if kind == "SelfSubjectReview":
        answer = {"userInfo": {"username": user, "groups": ["system:authenticated"]}}
    elif kind == "SelfSubjectRulesReview":
        namespace = text(obj(body.get("spec")), "namespace")
        answer, spec = _rules(namespace, user, authorize), {}
    else:
        whose = user if kind == "SelfSubjectAccessReview" else text(obj(body.get("spec")), "user")
        allowed = _allowed(obj(path(body, ("spec", "resourceAttributes"))), whose, authorize)
        answer = {"allowed": allowed}
        if not allowed:
            answer["reason"] = f"the rehearsal gives {whose} no such right"
    group = "authentication.k8s.io/v1" if kind == "SelfSubjectReview" else "authorization.k8s.io/v1"
    told: Obj = {"kind": kind, "apiVersion": group, "metadata": {}, "spec": clone(spec)}
    return {**told, "status": answer}


def _allowed(asked: JsonObject, user: str, authorize: Authorize) -> bool:
    if not asked:
        return True
    sub = text(asked, "subresource")
    resource = text(asked, "resource") + (f"/{sub}" if sub else "")
    return authorize(user, text(asked, "verb"), text(asked, "group"), resource, text(asked, "namespace"))


def _rules(namespace: str, user: str, authorize: Authorize) -> Obj:
    rules: list[Value] = []
    for resource in RESOURCES.values():
        verbs: list[Value] = [
            v for v in _VERBS if authorize(user, v, resource.group, resource.plural, namespace)
        ]
        if verbs:
            rules.append({"verbs": verbs, "apiGroups": [resource.group], "resources": [resource.plural]})
    open_paths: Obj = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version"]}
    return {"resourceRules": rules, "nonResourceRules": [open_paths], "incomplete": False}
