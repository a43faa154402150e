"""What a rehearsal's cluster holds before any product comes, and the objects that every product puts into it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from console.rehearsal.sim.kubernetes import bootstrap
from console.rehearsal.sim.kubernetes.controllers.manager import node
from console.rehearsal.sim.kubernetes.objects import stamp
from state.base.json import JsonObject, obj

REGION = "eu-central-1"
KUBE_SYSTEM = "kube-system"
_RBAC = "rbac.authorization.k8s.io"


def objects(now_us: int) -> Iterator[tuple[str, JsonObject]]:
    """Yield (plural, object) of nodes and of what every API server has, ready to be created in this order."""
    now = stamp(now_us)
    for number in range(1, 4):
        body = node(f"node-{number}", f"10.0.0.{number + 10}", now)
        metadata = obj(body["metadata"])
        labels = {
            **obj(metadata.get("labels")),
            "topology.kubernetes.io/region": REGION,
            "topology.kubernetes.io/zone": f"{REGION}{'abc'[number - 1]}",
        }
        yield "nodes", {**body, "metadata": {**metadata, "labels": labels}}
    yield from bootstrap.objects()
    yield "pods", api_server(1, now)


def api_server(number: int, now: str, *flags: str) -> JsonObject:
    """Return the pod of an API server as the kubelet of its node tells of it; without flags one that keeps a log."""
    name, box = f"kube-apiserver-node-{number}", "kube-apiserver"
    given = flags or ("--audit-policy-file=/etc/kubernetes/audit.yaml", "--audit-log-path=/var/log/audit.log")
    image = "registry.k8s.io/kube-apiserver:v1.34.2"
    state: JsonObject = {
        "name": box,
        "image": image,
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
    }
    return {
        "metadata": {
            "name": name,
            "namespace": KUBE_SYSTEM,
            "labels": {"component": box, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.source": "file", "kubernetes.io/config.mirror": "0" * 32},
        },
        "spec": {
            "nodeName": f"node-{number}",
            "hostNetwork": True,
            "containers": [
                {"name": box, "image": image, "command": [box, "--authorization-mode=Node,RBAC", *given]}
            ],
        },
        "status": {
            "phase": "Running",
            "startTime": now,
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [state],
        },
    }


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Iterator[tuple[str, JsonObject]]:
    """Yield a namespace with what every one has: the default account, and who may change and see it."""
    enforced = {
        "kubernetes.io/metadata.name": name,
        "pod-security.kubernetes.io/enforce": "restricted",
        **(labels or {}),
    }
    yield "namespaces", {"metadata": {"name": name, "labels": enforced}}
    account = {"name": "default", "namespace": name}
    yield "serviceaccounts", {"metadata": account, "automountServiceAccountToken": False}
    yield "rolebindings", role_binding(name, "release-operators", "edit", "release-operators")
    yield "rolebindings", role_binding(name, "on-call", "view", "on-call")


def role_binding(namespace: str, name: str, role: str, subject: str, kind: str = "Group") -> JsonObject:
    """Return a role binding of a user or group in a namespace."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": subject}],
    }


def secret(namespace: str, name: str, content: Mapping[str, str], kind: str = "Opaque") -> JsonObject:
    """Return a Secret of a namespace."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in content.items()},
    }


def tls_secret(namespace: str, name: str, chain: bytes, private_key: bytes) -> JsonObject:
    """Return the Secret of the certificate that an ingress presents; PEM."""
    pair = {"tls.crt": chain.decode(), "tls.key": private_key.decode()}
    return secret(namespace, name, pair, "kubernetes.io/tls")
