"""What a person signs when they attest: canonical text that names the log, and the head that they had before them.

Because the head is in it, a signature seals everything that came before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from state.base.canonical import CanonicalError, encode, parse_anchor
from state.base.codec import OMIT, WIRE, read


@dataclass(frozen=True, slots=True)
class Statement:
    """What every signed text says."""

    KIND: ClassVar[str]
    log: str
    """The log's id."""
    head: str
    """The anchor of the newest event that the person's console had: ``lc1:…``."""
    account: str

    def text(self) -> str:
        """Return the canonical text that is signed."""
        return encode({"kind": self.KIND, "seq": self.seq, **WIRE.dump(self)})

    @property
    def seq(self) -> int:
        """The number of the newest event that the person's console had."""
        return parse_anchor(self.head).seq


@dataclass(frozen=True, slots=True)
class Attestation(Statement):
    """A person's word on an item."""

    KIND = "attestation"
    item: str
    go: bool
    comment: str
    link: str
    evidence: tuple[int, ...]
    """The check results that they saw, as sequence numbers."""
    candidate: str
    """The version that is launched."""
    cautions: tuple[str, ...] = field(default=(), metadata=OMIT)
    """What spoke against a GO, a line each, as it was told before it was given."""


@dataclass(frozen=True, slots=True)
class Redaction(Statement):
    """A person's word that a body is taken out of a log for good."""

    KIND = "redaction"
    event: int
    """The number of the event whose body goes."""
    reason: str


S = TypeVar("S", bound=Statement)


def read_statement(kind: type[S], signed: str) -> S:
    """Return the statement of a signed text.

    Raises CanonicalError where it isn't one of this kind, in exactly this spelling.
    """
    try:
        found = read(kind, json.loads(signed))
        same = found.text() == signed
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"statement: it is no {kind.KIND}: {error}") from None
    if not same:
        raise CanonicalError(
            f"statement: it has other fields, or another spelling, than its kind, {kind.KIND}"
        )
    return found
