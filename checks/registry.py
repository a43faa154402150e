"""Every kind of check: importing this module registers them all."""

from __future__ import annotations

from checks.base import REGISTRY, CheckKind, Settings


def kind(name: str) -> CheckKind[Settings] | None:
    """Return the kind of that name, or None."""
    return REGISTRY.get(name)


def names() -> list[str]:
    """Return the names of all kinds, sorted."""
    return sorted(REGISTRY)
