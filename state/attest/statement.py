"""What a person signs when they attest: canonical text that names the log, and the head that they had before them.

Because the head is in it, a signature seals everything that came before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from state.base.canonical import CanonicalError, encode, parse_anchor
from state.base.json import JsonObject, flag, integer, items, obj, text


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's word on an item."""

    log: str
    """The log's id."""
    head: str
    """The anchor of the newest event that the person's console had: ``lc1:…``."""
    account: str
    item: str
    go: bool
    comment: str
    link: str
    evidence: tuple[int, ...]
    """The check results that they saw, as sequence numbers."""
    candidate: str
    """The version that is launched."""

    def text(self) -> str:
        """Return the canonical text that is signed."""
        return encode(self.body())

    def body(self) -> JsonObject:
        """Return the statement as a JSON object."""
        return {
            "kind": "attestation",
            "log": self.log,
            "seq": self.seq,
            "head": self.head,
            "account": self.account,
            "item": self.item,
            "go": self.go,
            "comment": self.comment,
            "link": self.link,
            "evidence": list(self.evidence),
            "candidate": self.candidate,
        }

    @property
    def seq(self) -> int:
        """The number of the newest event that the person's console had."""
        return parse_anchor(self.head).seq


@dataclass(frozen=True, slots=True)
class Redaction:
    """A person's word that a body is taken out of a log for good."""

    log: str
    head: str
    account: str
    event: int
    """The number of the event whose body goes."""
    reason: str

    def text(self) -> str:
        """Return the canonical text that is signed."""
        return encode(
            {
                "kind": "redaction",
                "log": self.log,
                "seq": parse_anchor(self.head).seq,
                "head": self.head,
                "account": self.account,
                "event": self.event,
                "reason": self.reason,
            }
        )


def read_attestation(signed: str) -> Attestation:
    """Return the attestation of a signed text.

    Raises CanonicalError where it isn't one, in exactly this spelling.
    """
    try:
        body = obj(json.loads(signed))
    except (ValueError, RecursionError):
        raise CanonicalError("statement: it is no JSON") from None
    evidence = tuple(one for one in items(body.get("evidence")) if isinstance(one, int))
    found = Attestation(
        log=text(body, "log"),
        head=text(body, "head"),
        account=text(body, "account"),
        item=text(body, "item"),
        go=flag(body, "go"),
        comment=text(body, "comment"),
        link=text(body, "link"),
        evidence=evidence,
        candidate=text(body, "candidate"),
    )
    try:
        same = found.text() == signed and found.seq == integer(body, "seq")
    except ValueError as error:
        raise CanonicalError(f"statement: {error}") from None
    if not same:
        raise CanonicalError("statement: it has other fields, or another spelling, than an attestation")
    return found


def read_redaction(signed: str) -> Redaction:
    """Return the redaction of a signed text.

    Raises CanonicalError where it isn't one, in exactly this spelling.
    """
    try:
        body = obj(json.loads(signed))
        found = Redaction(
            log=text(body, "log"),
            head=text(body, "head"),
            account=text(body, "account"),
            event=integer(body, "event"),
            reason=text(body, "reason"),
        )
        same = found.text() == signed
    except (ValueError, RecursionError):
        raise CanonicalError("statement: it is no redaction") from None
    if not same:
        raise CanonicalError("statement: it has other fields, or another spelling, than a redaction")
    return found
