"""What stands in the cluster before anybody launches: nodes, namespaces, access, secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.names import PULL_SECRET, REGION, SECRET, TLS_SECRET, Env
from console.rehearsal.sim.kubernetes.controllers.manager import node
from console.rehearsal.sim.kubernetes.objects import stamp
from console.rehearsal.sim.seeded import key
from state.base.json import Json, JsonObject, obj

_RBAC = "rbac.authorization.k8s.io"
_READ: list[Json] = ["get", "list", "watch"]
_WRITE: list[Json] = ["create", "update", "patch", "delete"]


def objects(seed: int, now_us: int) -> Iterator[tuple[str, JsonObject]]:
    """Yield (plural, object) of everything, ready to be created in this order."""
    yield from _nodes(stamp(now_us))
    yield from _cluster_roles()
    for env in Env:
        yield "namespaces", {"metadata": {"name": env.namespace, "labels": _namespace_labels(env)}}
        yield from _access(env)
        yield from _secrets(seed, env)


def _nodes(now: str) -> Iterator[tuple[str, JsonObject]]:
    for number in range(1, 4):
        body = node(f"node-{number}", f"10.0.0.{number + 10}", now)
        metadata = obj(body["metadata"])
        labels = {
            **obj(metadata.get("labels")),
            "topology.kubernetes.io/region": REGION,
            "topology.kubernetes.io/zone": f"{REGION}{'abc'[number - 1]}",
        }
        yield "nodes", {**body, "metadata": {**metadata, "labels": labels}}


def _namespace_labels(env: Env) -> JsonObject:
    return {
        "kubernetes.io/metadata.name": env.namespace,
        "pod-security.kubernetes.io/enforce": "restricted",
        "dotmac.test/tier": env.value,
    }


def _rule(groups: list[Json], resources: list[Json], verbs: list[Json]) -> JsonObject:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _cluster_roles() -> Iterator[tuple[str, JsonObject]]:
    plain: list[Json] = ["pods", "pods/log", "services", "configmaps", "events", "endpoints"]
    apps: list[Json] = ["deployments", "replicasets", "jobs", "cronjobs", "ingresses"]
    view = [
        _rule([""], plain, _READ),
        _rule(["apps", "batch", "networking.k8s.io"], apps, _READ),
    ]
    edit = [
        _rule([""], [*plain, "secrets", "pods/exec"], [*_READ, *_WRITE]),
        _rule(["apps", "batch", "networking.k8s.io"], apps, [*_READ, *_WRITE]),
    ]
    for name, rules in (("view", view), ("edit", edit), ("cluster-admin", [_rule(["*"], ["*"], ["*"])])):
        yield "clusterroles", {"metadata": {"name": name}, "rules": rules}
    yield (
        "clusterrolebindings",
        {
            "metadata": {"name": "cluster-admin"},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": "system:masters"}],
        },
    )


def binding(env: Env, name: str, role: str, subject: str, kind: str = "Group") -> JsonObject:
    """Return a role binding of a user or group in an environment."""
    return binding_in(env.namespace, name, role, subject, kind)


def binding_in(namespace: str, name: str, role: str, subject: str, kind: str = "Group") -> JsonObject:
    """Return a role binding of a user or group in a namespace."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": subject}],
    }


def _access(env: Env) -> Iterator[tuple[str, JsonObject]]:
    yield (
        "serviceaccounts",
        {
            "metadata": {"name": "default", "namespace": env.namespace},
            "automountServiceAccountToken": False,
        },
    )
    yield "rolebindings", binding(env, "release-operators", "edit", "release-operators")
    yield "rolebindings", binding(env, "on-call", "view", "on-call")
    if env is Env.STAGING:
        yield "rolebindings", binding(env, "developers", "edit", "developers")


def _secrets(seed: int, env: Env) -> Iterator[tuple[str, JsonObject]]:
    yield "secrets", secret(env, SECRET, platform_secret(seed, env))
    pull = f'{{"auths":{{"registry.dotmac.test":{{"auth":"{key(seed, env, "pull")[:32]}"}}}}}}'
    yield "secrets", secret(env, PULL_SECRET, {".dockerconfigjson": pull}, "kubernetes.io/dockerconfigjson")


def tls_secret(env: Env, chain: str, private: str) -> JsonObject:
    """Return the Secret of the certificate that the ingress presents; PEM texts."""
    return secret(env, TLS_SECRET, {"tls.crt": chain, "tls.key": private}, "kubernetes.io/tls")


def secret(env: Env, name: str, content: Mapping[str, str], kind: str = "Opaque") -> JsonObject:
    """Return a Secret of an environment."""
    return secret_in(env.namespace, name, content, kind)


def secret_in(namespace: str, name: str, content: Mapping[str, str], kind: str = "Opaque") -> JsonObject:
    """Return a Secret of a namespace."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in content.items()},
    }
