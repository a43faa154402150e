"""The kubeconfig by which clients reach the simulated cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml


def write_kubeconfig(
    path: Path, *, server: str, contexts: Mapping[str, tuple[str, str]], ca: Path | None = None
) -> None:
    """Write a kubeconfig, mode 0600, whose first context is the current one.

    ``contexts`` maps a name to a namespace and a bearer token. ``ca`` is the authority's file, for https.
    """
    cluster: dict[str, str] = {"server": server}
    if ca is not None:
        cluster["certificate-authority"] = str(ca)
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts), ""),
        "clusters": [{"name": "rehearsal", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}} for name, (_, token) in contexts.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "rehearsal", "user": name, "namespace": namespace}}
            for name, (namespace, _) in contexts.items()
        ],
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)
        yaml.safe_dump(body, out, sort_keys=False)
