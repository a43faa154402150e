"""The products of the rehearsal: which of them stand in the world of a runbook, and which one it launches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.rehearsal.dotmac.names import PARTS
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.web_service.names import read_names
from console.rehearsal.web_service.product import WebService
from console.rehearsal.world.product import Product
from console.rehearsal.world.world import World
from state.runbook.load import load_runbook


def products_of(runbook: Path | None) -> Sequence[Product]:
    """Return the products of a runbook's world, the one that it launches last; None is the SOP's runbook.

    The SOP's platform stands in every world: whatever else is launched has it as a neighbour.

    Raises RunbookError where the runbook can't be used, and WorldError where the rehearsal has nothing like it.
    """
    if runbook is None:
        return (Dotmac(),)
    loaded = load_runbook(runbook).runbook
    if set(loaded.candidate.images.named()) == set(PARTS):
        return (Dotmac(),)
    return (Dotmac(), WebService(read_names(loaded)))


def open_world(
    folder: Path,
    seed: int = 0,
    faults: Sequence[str] = (),
    rate: float = 1.0,
    runbook: Path | None = None,
    *,
    first: bool = False,
) -> World:
    """Return the world of a folder, with the products of the rehearsal (``World.open``).

    Raises RunbookError, WorldError and UnknownFaultError.
    """
    return World.open(folder, products_of, seed=seed, faults=faults, rate=rate, runbook=runbook, first=first)
