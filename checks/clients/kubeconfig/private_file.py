"""A kubeconfig of our own for helm: one cluster, one user, one context, and nothing that can lead elsewhere."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from checks.clients.kubeconfig.access import Access
from state.base.json import Json, JsonObject


def write_private(access: Access, file: Path) -> None:
    """Write what an access says as a kubeconfig that only this account may read (0600).

    Tokens and keys go as the user's own file has them: by value, or by the absolute path of a file that is renewed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as out:
        json.dump(_config(access), out)  # JSON is YAML, and its strings can't be taken for something else
    new.replace(file)


def _config(access: Access) -> JsonObject:
    cluster = dict(access.entries.cluster)
    cluster.pop("certificate-authority", None)
    cluster["server"] = access.server
    if access.ca:
        # By value: a file could be replaced between the look at it and helm's.
        cluster["certificate-authority-data"] = base64.b64encode(access.ca.encode()).decode()
    user: dict[str, Json] = dict(access.entries.user)
    if "auth-provider" in user:
        # helm would renew the token and keep the new one in this file, out of kubectl's sight.
        user = {key: value for key, value in user.items() if key != "auth-provider"} | {"token": access.token}
    context: JsonObject = {"cluster": "the", "user": "the", "namespace": access.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": access.context,
        "clusters": [{"name": "the", "cluster": cluster}],
        "users": [{"name": "the", "user": user}],
        "contexts": [{"name": access.context, "context": context}],
    }
