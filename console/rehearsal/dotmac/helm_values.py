"""The Helm values of an environment, for the release that is there and for the candidate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from console.rehearsal.dotmac.names import PARTS, PULL_SECRET, QUEUES, SECRET, TLS_SECRET, Env, reference
from console.rehearsal.sim.fast_yaml import dump
from state.base.json import Json, JsonObject

_RESOURCES: JsonObject = {
    "backend": {
        "requests": {"cpu": "200m", "memory": "512Mi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    },
    "frontend": {
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"cpu": "500m", "memory": "512Mi"},
    },
    "worker": {
        "requests": {"cpu": "200m", "memory": "512Mi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    },
}


def values(
    env: Env, digests: Mapping[str, str], migration_digest: str, secret: Mapping[str, str]
) -> dict[str, Json]:
    """Return an environment's values: digests by part, the image of its migrations, its Secret's checksum.

    The migrations' image may be ahead of the backend's: the SOP migrates before it promotes.
    """
    api, admin = env.hosts
    settings: dict[str, Json] = {
        "environment": env.value,
        "logLevel": "INFO",
        "logFormat": "json",
        "corsOrigins": json.dumps([f"https://{admin}"]),
    }
    return {
        "image": {part: reference(part, digests[part]) for part in PARTS} | {"pullSecret": PULL_SECRET},
        "replicaCount": {"backend": 2, "frontend": 2, "worker": 1},
        "resources": _RESOURCES,
        "ingress": {
            "className": "nginx",
            "hosts": {"api": api, "admin": admin},
            "tls": {"secretName": TLS_SECRET},
        },
        "env": settings | {"checksum": _checksum(settings)},
        "endpoints": {
            "apiBaseUrl": f"https://{api}",
            "wsUrl": f"wss://{api}",
            "nextAuthUrl": f"https://{admin}",
        },
        "secrets": {"name": SECRET, "checksum": _checksum(secret)},
        "worker": {"queues": ",".join(QUEUES)},
        "migrations": {"image": reference("backend", migration_digest)},
    }


def _checksum(content: Mapping[str, Json] | Mapping[str, str]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def write_values(file: Path, content: JsonObject) -> None:
    """Write a values file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dump(content))
