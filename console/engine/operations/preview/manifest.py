"""What a manifest holds."""

from __future__ import annotations

from checks.rendered import LOADER, documents
from state.base.images import digest_of
from state.base.json import objs, path, text

__all__ = ["LOADER", "documents", "images_of"]


def images_of(manifest: str) -> tuple[tuple[str, str], ...]:
    """Return (container, digest) of a manifest's deployments and stateful sets, as far as it names digests."""
    found = {
        (text(container, "name"), digest_of(text(container, "image")))
        for document in documents(manifest)
        if text(document, "kind") in {"Deployment", "StatefulSet", "DaemonSet"}
        for container in objs(path(document, ("spec", "template", "spec", "containers")))
    }
    return tuple(sorted(pair for pair in found if pair[1]))
