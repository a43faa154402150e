"""Signatures in a log: which words are signed, by which keys, and what they seal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from state.attest.sshsig import ATTESTATION, REDACTION, SignatureError, check, public_key
from state.attest.statement import (
    Asking,
    Attestation,
    Granting,
    PollWord,
    Redaction,
    Refusing,
    Statement,
    Withdrawal,
    read_statement,
)
from state.base.canonical import CanonicalError, parse_anchor
from state.base.text import line
from state.events.bodies import body_of
from state.events.event import REDACTED_BODY, Body, Event
from state.events.gates import AttestSigned, AttestWithdrawn
from state.events.launch import LaunchOpened
from state.events.log import LogRedacted
from state.events.polls import PollAnswered, PollOpened
from state.events.requests import RequestGranted, RequestMade, RequestRefused
from state.log.allowed_signers import Allowed, keys_for
from state.log.chain import Fault
from state.log.errors import Damage
from state.log.layout import SELECT_CHUNK
from state.log.revoked_keys import RevokedKeys
from state.log.rows import event_of

Signed = (
    AttestSigned
    | AttestWithdrawn
    | LogRedacted
    | PollAnswered
    | RequestMade
    | RequestGranted
    | RequestRefused
)
Anywhere = RequestMade | RequestGranted | RequestRefused
"""What a key's holder may sign from any account: the key says who it is."""


@dataclass(slots=True)
class Signatures:
    """What the signed words of a log showed."""

    signed: int = 0
    self_declared: int = 0
    redacted: int = 0
    """Words whose body was taken out: nothing can be said of them."""
    keys: dict[str, int] = field(default_factory=dict)
    """``ann SHA256:…`` and how many words it signs."""
    sealed: int = 0
    """The newest event that a signature seals, by a key that was known from elsewhere; 0 without one."""
    fault: Fault | None = None


def check_signatures(
    con: sqlite3.Connection,
    log_id: str,
    seqs: Sequence[int],
    allowed: Sequence[Allowed] | None,
    revoked: RevokedKeys | None = None,
) -> Signatures:
    """Check the words at these sequence numbers, whose chain holds.

    Keys are those of ``allowed``; without it, those that the log itself names, as a forger could do too. What one of
    ``revoked`` signed, whenever that was, is believed no more.
    """
    result = Signatures()
    signed_before: dict[str, int] = {}
    named: Mapping[str, frozenset[bytes]] | None = {}
    """None: who named the keys was redacted, so that any key counts."""
    for seq in sorted(seqs):
        row = con.execute(SELECT_CHUNK, (seq - 1, 1)).fetchone()
        event = event_of(row)
        body, gone = body_of(event), event.body == REDACTED_BODY
        if isinstance(body, LaunchOpened):
            named = _named(body) if not gone else None
        elif gone:
            result.redacted += 1
        elif not isinstance(body, Signed) or not body.signature:
            # Who answers a request is told by their account; only a word on an item is declared without a signature.
            result.self_declared += isinstance(body, AttestSigned | LogRedacted)
        else:
            keys = _keys_of(event, body, named, allowed)
            try:
                _once(body.statement, seq, signed_before)
                head, key = _check(con, log_id, event, body, keys, revoked)
            except (SignatureError, CanonicalError, ValueError) as error:
                result.fault = Fault(seq, Damage.SIGNATURE, f"the signature of {event.actor}: {error}")
                return result
            result.signed += 1
            who = line(f"{event.actor} {key}", 200)
            result.keys[who] = result.keys.get(who, 0) + 1
            result.sealed = max(result.sealed, head if allowed is not None else 0)
    return result


def _once(statement: str, seq: int, before: dict[str, int]) -> None:
    """Check that a statement stands in the log for the first time: it counts once, and can't be given again."""
    if statement in before:
        raise SignatureError(f"its statement stands in event {before[statement]} already: it was given again")
    before[statement] = seq


def _keys_of(
    event: Event,
    body: Signed,
    named: Mapping[str, frozenset[bytes]] | None,
    allowed: Sequence[Allowed] | None,
) -> frozenset[bytes] | None:
    """Return the keys that may have signed an event; None: any."""
    if allowed is None:
        if isinstance(body, Anywhere) and named is not None:
            return frozenset(
                key for keys in named.values() for key in keys
            )  # a key's holder may sign anywhere
        return _named_for(event.actor, named)
    purpose = REDACTION if isinstance(body, LogRedacted) else ATTESTATION
    whose = None if isinstance(body, Anywhere) else event.actor
    return keys_for(allowed, whose, purpose, event.wall_us)


def _named(body: LaunchOpened) -> dict[str, frozenset[bytes]]:
    found: dict[str, frozenset[bytes]] = {}
    for person in body.people:
        keys = frozenset(_keys(person.signing_keys))
        for account in person.accounts:
            found[account] = found.get(account, frozenset()) | keys
    return found


def _named_for(account: str, named: Mapping[str, frozenset[bytes]] | None) -> frozenset[bytes] | None:
    return None if named is None else named.get(account, frozenset())


def _keys(lines: Iterable[str]) -> Iterable[bytes]:
    for one in lines:
        try:
            yield public_key(one)
        except SignatureError:
            continue


def _check(
    con: sqlite3.Connection,
    log_id: str,
    event: Event,
    body: Signed,
    keys: frozenset[bytes] | None,
    revoked: RevokedKeys | None,
) -> tuple[int, str]:
    """Check one signed word; return the number of the event that it names as its head, and the key that signed."""
    purpose = REDACTION if isinstance(body, LogRedacted) else ATTESTATION
    made = check(body.signature, body.statement.encode(), purpose)
    if keys is not None and made.key not in keys:
        raise SignatureError(f"the key {made.fingerprint} is not known as theirs, for this, at that time")
    if revoked is not None and revoked.holds(made.key):
        raise SignatureError(f"the key {made.fingerprint} is revoked")
    _key_told(body, made.fingerprint)
    said = _said(con, event, body)
    head = parse_anchor(said.head)
    found = con.execute("SELECT hash FROM event WHERE seq=?", (head.seq,)).fetchone()
    if said.log != log_id or head.seq >= event.seq or found is None or found[0].hex()[:32] != head.hash:
        raise SignatureError(f"it was made with another history of this log before it ({said.head})")
    return head.seq, made.fingerprint


def _key_told(body: Signed, made: str) -> None:
    """Check that the event names the key that signed it, where it names one."""
    told = body.how_known if body.how_known.startswith("SSH key ") else ""
    if body.key != made or (told and told != f"SSH key {made}"):
        raise SignatureError(f"{made} signed it, and the event names another key")


def _said(con: sqlite3.Connection, event: Event, body: Signed) -> Statement:
    match body:
        case LogRedacted():
            return _redaction(event, body)
        case RequestMade():
            return _asking(event, body)
        case RequestGranted():
            return _granting(con, event, body)
        case RequestRefused():
            return _refusing(event, body)
        case AttestWithdrawn():
            return _withdrawal(event, body)
        case PollAnswered():
            return _poll_word(con, event, body)
        case _:
            return _attestation(event, body)


def _asking(event: Event, body: RequestMade) -> Asking:
    said = read_statement(Asking, body.statement)
    given = (event.actor, body.command, body.args, body.shown, body.reason)
    if (said.account, said.command, said.args, said.shown, said.reason) != given:
        raise SignatureError("it signs another request than the one that is recorded")
    return said


def _answered(con: sqlite3.Connection, event: Event) -> Body | None:
    """Return what an event answers."""
    row = con.execute(SELECT_CHUNK, ((event.ref or 0) - 1, 1)).fetchone()
    return body_of(event_of(row)) if row is not None else None


def _granting(con: sqlite3.Connection, event: Event, body: RequestGranted) -> Granting:
    said = read_statement(Granting, body.statement)
    asked = _answered(con, event)
    shown = asked.shown if isinstance(asked, RequestMade) else None
    if (said.account, said.request, said.comment, said.shown) != (
        event.actor,
        event.ref,
        body.comment,
        shown,
    ):
        raise SignatureError("it grants another request than the one that is recorded")
    return said


def _refusing(event: Event, body: RequestRefused) -> Refusing:
    said = read_statement(Refusing, body.statement)
    if (said.account, said.request, said.reason) != (event.actor, event.ref, body.reason):
        raise SignatureError("it refuses another request than the one that is recorded")
    return said


def _withdrawal(event: Event, body: AttestWithdrawn) -> Withdrawal:
    said = read_statement(Withdrawal, body.statement)
    if (said.account, said.item, said.reason) != (event.actor, body.item, body.reason):
        raise SignatureError("it withdraws another word than the one that is recorded")
    return said


def _poll_word(con: sqlite3.Connection, event: Event, body: PollAnswered) -> PollWord:
    said = read_statement(PollWord, body.statement)
    asked = _answered(con, event)
    shown = asked.shown if isinstance(asked, PollOpened) else None
    given = (event.actor, event.ref, shown, body.go, body.comment)
    if (said.account, said.poll, said.shown, said.go, said.comment) != given:
        raise SignatureError("it is another answer, or to another poll, than the one that is recorded")
    return said


def _attestation(event: Event, body: AttestSigned) -> Attestation:
    said = read_statement(Attestation, body.statement)
    given = (event.actor, body.item, body.go, body.comment, body.link, body.cautions, body.evidence)
    if (said.account, said.item, said.go, said.comment, said.link, said.cautions, said.evidence) != given:
        raise SignatureError("it signs another word than the one that is recorded")
    return said


def _redaction(event: Event, body: LogRedacted) -> Redaction:
    said = read_statement(Redaction, body.statement)
    if (said.account, said.event, said.reason) != (event.actor, event.ref, body.reason):
        raise SignatureError("it signs another redaction than the one that is recorded")
    return said
