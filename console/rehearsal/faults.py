"""The catalogue of faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from console.rehearsal.world import World


class UnknownFaultError(Exception):
    """No fault has that name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the world, and the item of the SOP that must notice.

    ``expect`` is the item's verdict; ``what`` says in a sentence what is wrong.
    """

    name: str
    item: str
    expect: Literal["fail", "unknown"]
    what: str
    apply: Callable[[World], None]


FAULTS: tuple[Fault, ...] = ()


def named(name: str) -> Fault:
    """Return a fault by its name.

    Raises UnknownFaultError, which lists names like it.
    """
    for fault in FAULTS:
        if fault.name == name:
            return fault
    close = get_close_matches(name, [fault.name for fault in FAULTS], n=5, cutoff=0.4)
    hint = f"did you mean {', '.join(close)}?" if close else "`launch-console faults` lists them"
    raise UnknownFaultError(f"there is no fault {name!r}: {hint}")
