"""Numbers as people read them: a value with its unit, a count with its noun."""

from __future__ import annotations

import math


def number(value: float | None, unit: str) -> str:
    """Return a value with its unit: a ratio in per cent, seconds, or a plain number; ``no data`` for None."""
    if value is None:
        return "no data"
    if unit == "ratio":
        return f"{value * 100:.2f} %"
    if unit == "seconds":
        return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.2f} s"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: ``1 pod``, ``2 pods``; ``1 key is``, ``2 keys are``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def pace(rate: float) -> str:
    """Return how fast a clock runs: ``in real time``, ``60 times as fast as real time``."""
    return "in real time" if rate == 1 else f"{rate:g} times as fast as real time"


_SAME, _NOTHING = 1e-9, 1e-12
"""Of a number; and where the number is zero. Sums of rates are off by some 1e-15: 0.1 + 0.2 is not over 0.3."""


def beyond(value: float, limit: float, *, below: bool = False) -> bool:
    """Return whether a value is above a limit, or ``below`` it. Equal is not, also where floats blur it."""
    if math.isclose(value, limit, rel_tol=_SAME, abs_tol=_NOTHING):
        return False
    return value < limit if below else value > limit
