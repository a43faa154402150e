"""A bar that says how much of a whole is done."""

from __future__ import annotations

from screens.kit.plain import Role, Span


def bar(part: float, whole: float, width: int, role: Role) -> tuple[Span, Span]:
    """Return how far something is as a bar of ``width`` cells."""
    done = 0 if whole <= 0 else min(width, int(width * part / whole))
    return Span("━" * done, role), Span("╌" * (width - done), Role.DIM)
