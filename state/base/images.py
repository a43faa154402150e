"""The digest in a reference to an image."""

from __future__ import annotations


def digest_of(reference: str) -> str:
    """Return the ``sha256:…`` of an image reference or of a kubelet's imageID; nothing where it has none."""
    _, found, digest = reference.rpartition("sha256:")
    return f"sha256:{digest}" if found else ""


def short(digest: str) -> str:
    """Return the first twelve digits of a digest, as people compare them."""
    return digest.removeprefix("sha256:")[:12] or "no digest"
