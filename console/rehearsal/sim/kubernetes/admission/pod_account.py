"""The token of its service account, which the API server mounts into a pod that doesn't decline it."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.objects import Obj, Value, child, copied, members
from state.base.json import JsonObject, obj, path

_WHERE = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = "kube-api-access-"
_SOURCES: list[Value] = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
            ]
        }
    },
]


def mount_token(pod: Obj, account: JsonObject | None, suffix: str) -> None:
    """Add the volume to a new pod, and its mount to every container, unless the pod or its account declines."""
    wanted = path(pod, ("spec", "automountServiceAccountToken"))
    if wanted is None:
        wanted = obj(account).get("automountServiceAccountToken")
    if wanted is False or account is None:
        return
    spec, name = child(pod, "spec"), _PREFIX + suffix
    mount: Obj = {"name": name, "readOnly": True, "mountPath": _WHERE}
    without = [
        one
        for key in ("containers", "initContainers")
        for one in members(spec, key)
        if all(there.get("mountPath") != _WHERE for there in members(one, "volumeMounts"))
    ]
    for container in without:
        container["volumeMounts"] = [*members(container, "volumeMounts"), copied(mount)]
    if without:
        volume: Obj = {"name": name, "projected": {"sources": copied(_SOURCES), "defaultMode": 420}}
        spec["volumes"] = [*members(spec, "volumes"), volume]
