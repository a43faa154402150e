"""Evidence as an event may hold it: no secret, no escape sequence, no float, and not too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from state.base.canonical import LARGEST_INTEGER, encode
from state.base.json import Json, JsonObject, decimal_text
from state.base.text import plain

if TYPE_CHECKING:
    from checks.clients.redact import Redactor

LIMIT = 12 * 1024
"""Bytes of evidence: an event holds 16 KiB with its summary and names."""

_KEY = re.compile(r"[^a-z0-9_]+")
_DEPTH = 10


def fit(evidence: JsonObject, redactor: Redactor) -> JsonObject:
    """Return evidence cleaned of secrets and controls, shortened until it fits ``LIMIT`` bytes."""
    try:
        clean = redactor.clean_object(evidence)
        for texts, members in ((4000, 200), (1000, 60), (300, 25), (120, 8), (60, 3)):
            tidy = _object(clean, texts, members, 1)
            if len(encode(tidy).encode()) <= LIMIT:
                return tidy
    except (TypeError, ValueError, RecursionError):
        return {"trimmed": "the evidence was not a JSON object"}
    return {"trimmed": f"the evidence was over {LIMIT} bytes"}


def _object(value: Mapping[str, Json], texts: int, members: int, depth: int) -> dict[str, Json]:
    shown = list(value.items())
    tidy = {
        _KEY.sub("_", str(k).lower())[:80] or "_": _value(v, texts, members, depth)
        for k, v in shown[: members * 2]
    }
    if len(shown) > members * 2:
        tidy["left_out"] = len(shown) - members * 2
    return tidy


def _value(value: Json, texts: int, members: int, depth: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain(value, texts)
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INTEGER else str(value)
    if depth >= _DEPTH:
        return plain(str(value), texts)
    if isinstance(value, Mapping):
        return _object(value, texts, members, depth + 1)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        kept: list[Json] = [_value(one, texts, members, depth + 1) for one in list(value)[:members]]
        return [*kept, f"{len(value) - members} more"] if len(value) > members else kept
    return plain(str(value), texts)
