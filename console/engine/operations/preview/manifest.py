"""What a manifest holds."""

from __future__ import annotations

import yaml

from state.base.images import digest_of
from state.base.json import JsonObject, obj, objs, path, text

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick one, where the machine has it."""


def documents(manifest: str) -> list[JsonObject]:
    """Return the objects of a manifest; none where it isn't YAML."""
    try:
        return [obj(one) for one in yaml.load_all(manifest, LOADER) if one]
    except yaml.YAMLError:
        return []


def images_of(manifest: str) -> tuple[tuple[str, str], ...]:
    """Return (container, digest) of a manifest's deployments and stateful sets, as far as it names digests."""
    found = {
        (text(container, "name"), digest_of(text(container, "image")))
        for document in documents(manifest)
        if text(document, "kind") in {"Deployment", "StatefulSet", "DaemonSet"}
        for container in objs(path(document, ("spec", "template", "spec", "containers")))
    }
    return tuple(sorted(pair for pair in found if pair[1]))
