"""The catalogue of faults: each names the item of the SOP that must notice it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from console.rehearsal.dotmac.faults import (
    blindness,
    data,
    infrastructure,
    monitors,
    platform,
    release,
    security,
    setting,
)
from console.rehearsal.world.fault import Expect, Fault
from console.rehearsal.world.world import World

FAULTS: tuple[Fault, ...] = (
    *setting.FAULTS,
    *platform.FAULTS,
    *monitors.FAULTS,
    *security.FAULTS,
    *infrastructure.FAULTS,
    *data.FAULTS,
    *release.FAULTS,
    *blindness.FAULTS,
)


class UnknownFaultError(Exception):
    """No fault has that name."""


def named(name: str) -> Fault:
    """Return a fault by its name.

    Raises UnknownFaultError, which lists names like it.
    """
    for fault in FAULTS:
        if fault.name == name:
            return fault
    close = get_close_matches(name, [fault.name for fault in FAULTS], n=5, cutoff=0.6)
    hint = f"did you mean {', '.join(close)}?" if close else "`launch-console faults` lists them"
    raise UnknownFaultError(f"there is no fault {name!r}: {hint}")


def open_world(
    folder: Path,
    seed: int = 0,
    faults: Sequence[str] = (),
    rate: float = 1.0,
    runbook: Path | None = None,
) -> World:
    """Return the world of a folder, with faults of the catalogue (``World.open``).

    Raises WorldError, and UnknownFaultError.
    """
    return World.open(folder, seed, faults, rate, runbook, known=named)


__all__ = ["FAULTS", "Expect", "Fault", "UnknownFaultError", "named", "open_world"]
