"""Checking a run of rows: sequence, bodies, links and hashes. The first fault ends the check."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring
from typing import NoReturn, TypeAlias, cast

from state.base import canonical
from state.base.json import Json
from state.events.log import LogRedacted
from state.log.errors import Damage
from state.log.rows import LOG_ID, Row

_SAMPLES = re.compile(r'\{"at_us":(?:[1-8][0-9]{0,15}|9[0-9]{0,14}),"values":"[^"\\\x00-\x1f]*"\}')
"""What most bodies of a log look like; a text that matches has one spelling, and its number is below 2**53."""
_BODY = b"launch-console/body/v1\n"
_NONE = type(None)
_NOTED = frozenset(
    {
        *("log.redacted", "launch.opened", "attest.signed", "attest.withdrawn", "poll.answered"),
        *("request.made", "request.granted", "request.refused"),
    }
)
_TYPES: tuple[frozenset[type], ...] = tuple(
    map(
        frozenset,
        (
            *((int,), (str,), (str,), (str, _NONE), (int, _NONE), (str,), (str,), (str,), (int,), (int,)),
            *((bytes, _NONE), (str, _NONE), (bytes,), (bytes,), (bytes,)),
        ),
    )
)


_Names: TypeAlias = tuple[str, str | None, str, str, str]
_Typed: TypeAlias = tuple[
    int,
    str,
    str,
    str | None,
    int | None,
    str,
    str,
    str,
    int,
    int,
    bytes | None,
    str | None,
    bytes,
    bytes,
    bytes,
]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad event and what is wrong with it."""

    seq: int
    damage: Damage
    message: str


def log_id_of(first_body: str | None) -> str | None:
    """Return the log's id from the body of event 1, or None where it holds none."""
    try:
        body = json.loads(first_body or "")
    except (ValueError, RecursionError):  # the latter: nested too deep to be a body
        return None
    found = body.get("log_id") if isinstance(body, dict) else None
    return found if isinstance(found, str) and LOG_ID.fullmatch(found) else None


def _typed(row: Row) -> bool:
    return all(type(cell) in types for cell, types in zip(row, _TYPES, strict=True))


class Chain:
    """Follows the chain from one event on.

    Where ``prev`` is None, the first row's own link is taken as true: the check of a part of the log.
    """

    def __init__(self, log_id: str, *, after: int = 0, prev: bytes | None = None) -> None:
        self.log_id = log_id
        self.seq = after
        self.prev = canonical.genesis(log_id) if after == 0 else prev
        self.bare: list[int] = []
        """Events without a body: each needs a redaction."""
        self.redactions: set[int] = set()
        """Events that a redaction names."""
        self._named: dict[_Names, tuple[str, str, str, str]] = {}
        self.noted: list[int] = []
        """Events that may be signed, or name keys."""

    def feed(self, rows: Sequence[Row]) -> Fault | None:
        """Check the next rows in the order of the file; return the first fault."""
        at = 0
        while at < len(rows):
            at += self._plain(cast("Sequence[_Typed]", rows[at:] if at else rows))
            if at < len(rows):
                damage = self._check(rows[at]) if _typed(rows[at]) else Damage.SCHEMA
                if damage is not None:
                    return Fault(self.seq + 1, damage, _SAYS[damage])
                self.seq += 1
                at += 1
        return None

    def _plain(self, rows: Sequence[_Typed]) -> int:
        """Pass the first rows that are plainly good, and return how many; ``_check`` judges the others.

        The same rules, written out: calls would take a third of the time that a long log needs.
        """
        log_id, named, sha, samples, quote = (
            self.log_id,
            self._named,
            sha256,
            _SAMPLES.fullmatch,
            encode_basestring,
        )
        before, last = self.seq, self.prev
        count = before
        try:
            for (
                seq,
                eid,
                kind,
                gate,
                ref,
                actor,
                session,
                boot,
                wall,
                mono,
                salt,
                body,
                digest,
                prev,
                own,
            ) in rows:
                if seq != count + 1 or prev != last or salt is None or body is None or kind in _NOTED:
                    break
                if type(wall) is not int or type(mono) is not int or not (ref is None or type(ref) is int):
                    break  # a text of digits would give the same header
                if sha(_BODY + salt + body.encode()).digest() != digest:
                    break
                key = (kind, gate, actor, session, boot)
                if key not in named:
                    named[key] = canonical.names(log_id, *key)
                a, b, c, d = named[key]
                header = (
                    f'\0{a}{digest.hex()}{b}{quote(eid)}{c}{mono},"prev":"{prev.hex()}",'
                    f'"ref":{"null" if ref is None else ref},"seq":{seq}{d}{wall}}}'
                )
                if sha(header.encode()).digest() != own or (samples(body) is None and not is_canonical(body)):
                    break
                count, last = seq, own
        except (UnicodeEncodeError, TypeError, AttributeError):
            pass  # a text that is not UTF-8, or a column of another type
        self.seq, self.prev = count, last
        return count - before

    def bare_fault(self, redactions: set[int]) -> Fault | None:
        """Return the first event whose body is gone without a redaction that names it."""
        for seq in self.bare:
            if seq == 1 or seq not in redactions:
                return Fault(seq, Damage.BODY, "its body is gone, and no later redaction names it")
        return None

    def _check(self, row: Row) -> Damage | None:
        if row[0] != self.seq + 1:
            return Damage.SEQ
        typed = cast("_Typed", row)
        seq, eid, kind, gate, ref, actor, session, boot, wall_us, mono_us, salt, body, digest, prev, own = (
            typed
        )
        try:
            if body is None and salt is None:
                self.bare.append(seq)
            elif body is None or salt is None or canonical.body_sha(salt, body) != digest:
                return Damage.BODY
            if prev != self.prev and self.prev is not None:
                return Damage.PREV
            text = canonical.header(
                self.log_id, seq, eid, kind, gate, ref, actor, session, boot, wall_us, mono_us, digest, prev
            )
            if canonical.event_hash(text) != own:
                return Damage.HASH
            if body is not None and not is_canonical(body):
                return Damage.CANONICAL
        except UnicodeEncodeError:
            return Damage.HASH if body is None or _has_utf8(body) else Damage.BODY
        if kind in _NOTED:
            self.noted.append(seq)
            if kind == LogRedacted.KIND and ref is not None:
                self.redactions.add(ref)
        self.prev = own
        return None


_SAYS = {
    Damage.SEQ: "another sequence number stands here: an event is missing, added or out of order",
    Damage.SCHEMA: "a column has a type that the schema doesn't allow",
    Damage.BODY: "its body is not the one that was recorded",
    Damage.PREV: "it doesn't follow the event before it",
    Damage.HASH: "its time, kind, actor or another column is not the one that was recorded",
    Damage.CANONICAL: "its body is not in canonical form",
}


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(_: str) -> NoReturn:
    raise ValueError("a float")


_scan: Callable[[str, int], tuple[Json, int]] = getattr(  # noqa: B009  the stubs leave it out
    json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse), "scan_once"
)


def is_canonical(body: str) -> bool:
    """Return whether a stored body is an object whose canonical spelling it is itself."""
    if _SAMPLES.fullmatch(body) is not None:
        return True
    try:
        parsed, _ = _scan(body, 0)  # what stands after the object shows in the comparison
    except (ValueError, RecursionError, StopIteration):
        return False
    return isinstance(parsed, dict) and canonical.spell(parsed) == body and canonical.in_domain(parsed)
