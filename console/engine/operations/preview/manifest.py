"""What a manifest holds."""

from __future__ import annotations

from checks.rendered import UnreadableManifestError, documents, parted
from state.base.images import digest_of
from state.base.json import objs, path, text

__all__ = ["UnreadableManifestError", "documents", "images_of", "parted"]


def images_of(manifest: str) -> tuple[tuple[str, str], ...]:
    """Return (container, digest) of a manifest's workloads, as far as it can be read and names digests."""
    try:
        objects = documents(manifest)
    except UnreadableManifestError:
        return ()
    found = {
        (text(container, "name"), digest_of(text(container, "image")))
        for document in objects
        if text(document, "kind") in {"Deployment", "StatefulSet", "DaemonSet"}
        for container in objs(path(document, ("spec", "template", "spec", "containers")))
    }
    return tuple(sorted(pair for pair in found if pair[1]))
