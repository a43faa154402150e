"""Signatures in a log: which words are signed, by which keys, and what they seal."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from state.attest.sshsig import (
    ATTESTATION,
    KEY_TYPES,
    REDACTION,
    SignatureError,
    check,
    fingerprint,
    public_key,
)
from state.attest.statement import Attestation, Redaction, read_statement
from state.base.canonical import CanonicalError, parse_anchor
from state.events.bodies import body_of
from state.events.event import REDACTED_BODY, Event
from state.events.gates import AttestSigned
from state.events.launch import LaunchOpened
from state.events.log import LogRedacted
from state.log.chain import Fault
from state.log.errors import Damage, LogError
from state.log.layout import SELECT_CHUNK
from state.log.rows import event_of

_LARGEST_SIGNERS = 1 << 20
"""Bytes of an allowed_signers file: some thousand keys."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A line of an allowed_signers file, as ssh-keygen reads it: whose key this is."""

    principals: tuple[str, ...]
    key: bytes


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


def read_allowed(path: Path) -> list[Allowed]:
    """Read an allowed_signers file: ``ann ssh-ed25519 AAAA…``, a line each. Options of a line are not obeyed.

    Raises LogError for a file that can't be read or is over 1 MiB, and for a line with a key that can't be checked.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise LogError(
                f"{path} is not a regular file; expected one with the keys that are allowed to sign"
            )
        if found.st_size > _LARGEST_SIGNERS:
            raise LogError(f"{path} has {found.st_size} bytes; a file of allowed signers has at most 1 MiB")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise LogError(f"{path} can't be read: {error.strerror}") from error
    signers = []
    for number, row in enumerate(lines, 1):
        words = row.split()
        if not words or words[0].startswith("#"):
            continue
        at = next((n for n, word in enumerate(words) if n and word in KEY_TYPES), 0)
        try:
            signers.append(Allowed(tuple(words[0].split(",")), public_key(" ".join(words[at : at + 2]))))
        except SignatureError as error:
            raise LogError(f"{path}:{number}: {error}") from None
    return signers


def check_signatures(
    con: sqlite3.Connection, log_id: str, seqs: Sequence[int], allowed: Sequence[Allowed] | None
) -> Signatures:
    """Check the words at these sequence numbers, whose chain holds.

    Keys are those of ``allowed``; without it, those that the log itself names, as a forger could do too.
    """
    result = Signatures()
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
        elif not isinstance(body, AttestSigned | LogRedacted) or not body.signature:
            result.self_declared += 1
        else:
            keys = (
                _allowed_for(event.actor, allowed) if allowed is not None else _named_for(event.actor, named)
            )
            try:
                head = _check(con, log_id, event, body, keys)
            except (SignatureError, CanonicalError, ValueError) as error:
                result.fault = Fault(seq, Damage.SIGNATURE, f"the signature of {event.actor}: {error}")
                return result
            result.signed += 1
            who = f"{event.actor} {body.key}"
            result.keys[who] = result.keys.get(who, 0) + 1
            result.sealed = max(result.sealed, head if allowed is not None else 0)
    return result


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
    for line in lines:
        try:
            yield public_key(line)
        except SignatureError:
            continue


def _allowed_for(account: str, allowed: Sequence[Allowed]) -> frozenset[bytes]:
    return frozenset(
        one.key for one in allowed if any(fnmatchcase(account, pattern) for pattern in one.principals)
    )


def _check(
    con: sqlite3.Connection,
    log_id: str,
    event: Event,
    body: AttestSigned | LogRedacted,
    keys: frozenset[bytes] | None,
) -> int:
    """Check one signed word; return the number of the event that it names as its head."""
    purpose = REDACTION if isinstance(body, LogRedacted) else ATTESTATION
    made = check(body.signature, body.statement.encode(), purpose)
    if keys is not None and made.key not in keys:
        raise SignatureError(f"the key {fingerprint(made.key)} is not known as theirs")
    said = _redaction(event, body) if isinstance(body, LogRedacted) else _attestation(event, body)
    head = parse_anchor(said.head)
    found = con.execute("SELECT hash FROM event WHERE seq=?", (head.seq,)).fetchone()
    if said.log != log_id or head.seq >= event.seq or found is None or found[0].hex()[:32] != head.hash:
        raise SignatureError(f"it was made with another history of this log before it ({said.head})")
    return head.seq


def _attestation(event: Event, body: AttestSigned) -> Attestation:
    said = read_statement(Attestation, body.statement)
    given = (event.actor, body.item, body.go, body.comment, body.link, body.cautions)
    if (said.account, said.item, said.go, said.comment, said.link, said.cautions) != given:
        raise SignatureError("it signs another word than the one that is recorded")
    return said


def _redaction(event: Event, body: LogRedacted) -> Redaction:
    said = read_statement(Redaction, body.statement)
    if (said.account, said.event, said.reason) != (event.actor, event.ref, body.reason):
        raise SignatureError("it signs another redaction than the one that is recorded")
    return said
