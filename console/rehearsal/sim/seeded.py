"""What follows from a world's seed alone: a restart with the same seed changes nothing."""

from __future__ import annotations

import uuid
from hashlib import sha256


def digest(seed: int, *parts: str) -> bytes:
    """Return 32 bytes that depend on the seed and on ``parts``."""
    return sha256("\x1f".join((str(seed), *parts)).encode()).digest()


def key(seed: int, environment: str, name: str) -> str:
    """Return a strong secret of 64 hexadecimal digits, for example the one that signs tokens ("jwt")."""
    return digest(seed, environment, "secret", name).hex()


def identifier(seed: int, *parts: str) -> str:
    """Return a UUID."""
    return str(uuid.UUID(bytes=digest(seed, "uuid", *parts)[:16], version=4))


def system_identifier(seed: int, environment: str) -> int:
    """Return what pg_control_system() calls a database system: 63 bits."""
    return int.from_bytes(digest(seed, environment, "system")[:8], "big") >> 1
