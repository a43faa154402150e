"""What a person signs when they attest: canonical text that names the log, and the head that they had before them.

Because the head is in it, a signature seals everything that came before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from state.base.canonical import CanonicalError, encode, parse_anchor
from state.base.codec import OMIT, WIRE, read
from state.base.json import Json, JsonObject

_IN_TOTO = "https://in-toto.io/Statement/v1"
PREDICATE = "https://launch-console.dev/v1/"


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
        """Return the canonical text that is signed: an in-toto Statement where artifacts are named by digest."""
        said: JsonObject = {"kind": self.KIND, "seq": self.seq, **WIRE.dump(self)}
        canonical = encode(said)
        subject = [*self.subjects()]
        if not subject:
            return canonical
        whole = {"_type": _IN_TOTO, "predicate": json.loads(canonical)}
        whole |= {"predicateType": PREDICATE + self.KIND, "subject": subject}
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def subjects(self) -> Iterator[JsonObject]:
        """Yield the artifacts that it is about, by digest; a statement without any is no in-toto Statement."""
        yield from ()

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
    verdicts: tuple[tuple[str, str], ...] = field(default=(), metadata=OMIT)
    """What each check of the item said: (check, verdict)."""
    images: tuple[tuple[str, str], ...] = field(default=(), metadata=OMIT)
    """The candidate's images: (container, reference by digest)."""
    parts: tuple[tuple[str, str, str], ...] = field(default=(), metadata=OMIT)
    """What a deploy is made of, chart and values among it: (environment, what, fingerprint)."""

    def subjects(self) -> Iterator[JsonObject]:
        """Yield the candidate's images."""
        for name, reference in self.images:
            kind, _, digest = reference.rpartition("@")[2].partition(":")
            if digest:
                yield {"name": name, "digest": {kind: digest}}


@dataclass(frozen=True, slots=True)
class Asking(Statement):
    """A person's request of what takes two people."""

    KIND = "request"
    command: str
    args: tuple[tuple[str, str], ...]
    shown: str
    """The digest of what was shown."""
    reason: str


@dataclass(frozen=True, slots=True)
class Granting(Statement):
    """A person's agreement to what somebody else requested."""

    KIND = "grant"
    request: int
    """The number of the request's event."""
    shown: str
    """The digest of what was shown to whoever requested it."""
    comment: str


@dataclass(frozen=True, slots=True)
class Refusing(Statement):
    """A person's no to what somebody else requested."""

    KIND = "refusal"
    request: int
    """The number of the request's event."""
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawal(Statement):
    """A person takes a word on an item back."""

    KIND = "withdrawal"
    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class PollWord(Statement):
    """A person's answer in a go/no-go poll."""

    KIND = "poll"
    poll: int
    """The number of the poll's event."""
    shown: str
    """The digest of what the poll is about."""
    go: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Redaction(Statement):
    """A person's word that a body is taken out of a log for good."""

    KIND = "redaction"
    event: int
    """The number of the event whose body goes."""
    reason: str


S = TypeVar("S", bound=Statement)


def _predicate(said: Json) -> Json:
    return said["predicate"] if isinstance(said, Mapping) and said.get("_type") == _IN_TOTO else said


def read_statement(kind: type[S], signed: str) -> S:
    """Return the statement of a signed text.

    Raises CanonicalError where it isn't one of this kind, in exactly this spelling.
    """
    try:
        found = read(kind, _predicate(json.loads(signed)))
        same = found.text() == signed
    except (ValueError, KeyError, RecursionError) as error:
        raise CanonicalError(f"statement: it is no {kind.KIND}: {error}") from None
    if not same:
        raise CanonicalError(
            f"statement: it has other fields, or another spelling, than its kind, {kind.KIND}"
        )
    return found
