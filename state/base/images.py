"""References to images: their parts, and the digest in them."""

from __future__ import annotations

import re
from dataclasses import dataclass


def digest_of(reference: str) -> str:
    """Return the ``sha256:…`` of an image reference or of a kubelet's imageID; nothing where it has none."""
    _, found, digest = reference.rpartition("sha256:")
    return f"sha256:{digest}" if found else ""


def is_loaded(image_id: str) -> bool:
    """Return whether a kubelet's imageID names no repository: the image was put into the node by hand.

    Runtimes then tell the digest of its configuration alone (``sha256:…``, ``docker://sha256:…``), or containerd one
    that it worked out when it read the archive (``docker.io/library/import-2026-11-30@sha256:…``): both are other
    digests than that which the image was pushed under.
    """
    return bool(digest_of(image_id)) and ("@" not in image_id or bool(_IMPORTED.search(image_id)))


_IMPORTED = re.compile(r"/import-\d{4}-\d{2}-\d{2}@")


def short(digest: str) -> str:
    """Return the first twelve digits of a digest, as people compare them."""
    return digest.removeprefix("sha256:")[:12] or "no digest"


def shortened(words: str) -> str:
    """Return words with the first twelve digits of each digest: a line then has room for what is said of it."""
    return _DIGESTS.sub(r"sha256:\1…", words)


_DIGESTS = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}")


@dataclass(frozen=True, slots=True)
class ImageRef:
    """``host/repository:tag@sha256:…`` taken apart; ``tag`` or ``digest`` may be empty."""

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, reference: str) -> ImageRef:
        """Return the parts of an image reference.

        A first part is a host only with a dot or a colon in it, or as ``localhost``.
        """
        name, _, digest = reference.partition("@")
        first, slash, rest = name.partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, name = (first, rest) if is_host else ("", name)
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, ""
        return cls(host, repository, tag, digest)
