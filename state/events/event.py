"""The event: the one thing that is ever written down.

A body is a frozen dataclass, one for each kind (``state.events.bodies`` lists them); in the log it is a JSON object
without floats (numbers that are not whole are decimal strings), with keys of ``[a-z0-9_]``, and never holds a
secret value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar, dataclass_transform

from state.base.codec import LOG, OMIT, left_out
from state.base.json import JsonObject

__all__ = [
    "BODIES",
    "REDACTED_BODY",
    "Body",
    "Draft",
    "Event",
    "Unlisted",
    "event",
    "gate_key",
    "gate_number",
    "left_out",
]


@dataclass(frozen=True, slots=True)
class Cut:
    """A body that was too long: SHA-256 and length in bytes of the whole one's canonical text."""

    sha256: str
    length: int


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Body:
    """What happened. Every kind of event is a class below this one.

    It compares and shows its fields here, once: sixty generated ``__eq__`` would be in the way of the first frame.
    """

    KIND: ClassVar[str] = ""
    """The kind's name in the log: ``gate.changed``."""
    cut: Cut | None = field(default=None, kw_only=True, metadata=OMIT)
    """Says that texts and lists of lines were shortened, where they were."""

    def __eq__(self, other: object) -> bool:
        """Return whether another body is of the same kind and says the same."""
        return type(self) is type(other) and LOG.dump(self) == LOG.dump(other)

    def __hash__(self) -> int:
        """Return a hash of the kind alone: bodies are kept in small sets only."""
        return hash(type(self))

    def __repr__(self) -> str:
        """Return the kind's class with its fields."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in LOG.dump(self).items())})"


BODIES: dict[str, type[Body]] = {}
"""The class of each kind's body. Complete once ``state.events.bodies`` is loaded."""

B = TypeVar("B", bound=Body)

REDACTED_BODY: JsonObject = {"redacted": True}
"""What readers are given in place of a body that was taken out."""


@dataclass_transform(frozen_default=True, field_specifiers=(left_out,))
def event(kind: str, *, kw_only: bool = False) -> Callable[[type[B]], type[B]]:
    """Make a class the body of a kind of event: a frozen dataclass.

    Its fields are all that the log may keep of such an event, and they are written even where they are empty,
    but for those that are ``left_out``.
    """

    def body(given: type[B]) -> type[B]:
        made = dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=kw_only)(given)
        made.KIND = kind
        BODIES[kind] = made
        return made

    return body


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Unlisted(Body):
    """The body of a kind that this version doesn't know, as it stands."""

    kind: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it is written: what happened, without its place in the log."""

    body: Body
    gate: str | None = None
    """``g01`` to ``g10``, or None."""
    ref: int | None = None
    """The sequence number of the event that this one answers."""
    actor: str = "engine"
    """Who: an account (``ann``), or ``engine``."""

    @property
    def kind(self) -> str:
        """The kind's name in the log."""
        return self.body.kind if isinstance(self.body, Unlisted) else self.body.KIND

    def fields(self) -> JsonObject:
        """Return the body as the log holds it."""
        return self.body.fields if isinstance(self.body, Unlisted) else LOG.dump(self.body)


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the log keeps it. Order is ``seq`` alone."""

    seq: int
    eid: str
    kind: str
    gate: str | None
    ref: int | None
    actor: str
    session: str
    boot: str
    wall_us: int
    mono_us: int
    body: JsonObject
    """As it stands in the log; ``state.events.bodies`` reads it."""
    hash: str
    """64 hexadecimal digits: the head of the chain after this event."""


def gate_key(number: int) -> str:
    """Return how the log writes a gate: ``g01`` to ``g10``."""
    return f"g{number:02d}"


def gate_number(key: str | None) -> int | None:
    """Return the number of a gate's key, or None where there is none."""
    if key is None or len(key) != 3 or key[0] != "g" or not key[1:].isdigit():
        return None
    return int(key[1:])
