"""Events as rows: sealing a draft into its place in the chain, and reading a row back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict, cast

from state.base import canonical
from state.base.json import JsonObject, obj
from state.events.event import REDACTED_BODY, Draft, Event
from state.log.errors import Damage, LogDamagedError

Cell: TypeAlias = int | str | bytes | None
Row: TypeAlias = tuple[Cell, ...]
"""The cells of one event in the order of ``layout.COLUMNS``."""

LOG_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KIND = re.compile(r"[a-z0-9_]{1,40}(\.[a-z0-9_]{1,40}){1,3}")
_GATE = re.compile(r"g[0-9]{2}")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Stamped:
    """A draft with everything of its row that doesn't depend on its place in the chain."""

    eid: str
    kind: str
    gate: str | None
    ref: int | None
    actor: str
    session: str
    boot: str
    wall_us: int
    mono_us: int
    salt: bytes
    body: str


class Cells(TypedDict):
    """One row as named values, as SQL statements take them."""

    seq: int
    eid: str
    type: str
    gate: str | None
    ref: int | None
    actor: str
    session: str
    boot: str
    wall_us: int
    mono_us: int
    salt: bytes | None
    body: str | None
    body_sha: bytes
    prev: bytes
    hash: bytes


def check_name(value: str, what: str) -> str:
    """Return a text fit for a column of names (actor, session): printable, not empty, at most 200 characters.

    Raises CanonicalError.
    """
    if not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise canonical.CanonicalError(f"{what}: 1 to {_LONGEST_NAME} printable characters are expected")
    return canonical.clean_text(value)


def check_draft(draft: Draft) -> None:
    """Check everything of a draft but its body.

    Raises CanonicalError, which names the field.
    """
    if _KIND.fullmatch(draft.kind) is None:
        raise canonical.CanonicalError(f"kind: {draft.kind[:80]!r} is not like 'gate.changed'")
    if draft.gate is not None and _GATE.fullmatch(draft.gate) is None:
        raise canonical.CanonicalError(f"gate: {draft.gate[:80]!r} is not like 'g01'")
    if draft.ref is not None and draft.ref < 1:
        raise canonical.CanonicalError(f"ref: {draft.ref} is no sequence number")
    check_name(draft.actor, "actor")


def seal(log_id: str, seq: int, prev: bytes, stamped: Stamped) -> Cells:
    """Return the row of an event at its place in the chain."""
    digest = canonical.body_sha(stamped.salt, stamped.body)
    header = canonical.header(
        log_id,
        seq,
        stamped.eid,
        stamped.kind,
        stamped.gate,
        stamped.ref,
        stamped.actor,
        stamped.session,
        stamped.boot,
        stamped.wall_us,
        stamped.mono_us,
        digest,
        prev,
    )
    return Cells(
        seq=seq,
        eid=stamped.eid,
        type=stamped.kind,
        gate=stamped.gate,
        ref=stamped.ref,
        actor=stamped.actor,
        session=stamped.session,
        boot=stamped.boot,
        wall_us=stamped.wall_us,
        mono_us=stamped.mono_us,
        salt=stamped.salt,
        body=stamped.body,
        body_sha=digest,
        prev=prev,
        hash=canonical.event_hash(header),
    )


def cells(row: Cells) -> Row:
    """Return the cells of a sealed row in the order of the columns, which is that of ``Cells``."""
    return cast("Row", tuple(row.values()))


def event_of(row: Sequence[Cell]) -> Event:
    """Return the event of a row.

    Raises LogDamagedError where a cell has the wrong type or the body can't be parsed.
    """
    seq, eid, kind, gate, ref, actor, session, boot, wall_us, mono_us, _, body, _, _, digest = row
    if not (
        isinstance(seq, int)
        and isinstance(eid, str)
        and isinstance(kind, str)
        and (gate is None or isinstance(gate, str))
        and (ref is None or isinstance(ref, int))
        and isinstance(actor, str)
        and isinstance(session, str)
        and isinstance(boot, str)
        and isinstance(wall_us, int)
        and isinstance(mono_us, int)
        and isinstance(digest, bytes)
    ):
        raise LogDamagedError(
            f"event {seq!r} is damaged (schema): a column has the wrong type", damage=Damage.SCHEMA
        )
    return Event(
        seq, eid, kind, gate, ref, actor, session, boot, wall_us, mono_us, _body(seq, body), digest.hex()
    )


def _body(seq: int, body: Cell) -> JsonObject:
    if body is None:
        return REDACTED_BODY
    try:
        parsed = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise LogDamagedError(
            f"event {seq} is damaged (body): it is no JSON object", damage=Damage.BODY, seq=seq
        )
    return obj(parsed)
