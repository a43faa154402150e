"""What the body of each kind of event may hold: an allow-list of fields, each with its type.

A field that isn't here is never written: the log keeps what was meant to be kept, not whatever an answer held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from state.base import canonical
from state.base.json import Json, JsonObject
from state.events.event import Kind

Shape: TypeAlias = Callable[[Json], bool]
"""Says whether a value has the type of a field."""

_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|inf)|nan")


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _int(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _flag(value: Json) -> bool:
    return isinstance(value, bool)


def _decimal(value: Json) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _free(value: Json) -> bool:
    return isinstance(value, Mapping)


def _opt(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def _list(shape: Shape) -> Shape:
    return lambda value: (
        isinstance(value, Sequence)
        and not isinstance(value, str | bytes)
        and all(shape(one) for one in value)
    )


def _either(*shapes: Shape) -> Shape:
    return lambda value: any(shape(value) for shape in shapes)


def _object(**fields: Shape) -> Shape:
    return lambda value: (
        isinstance(value, Mapping) and all(key in fields and fields[key](one) for key, one in value.items())
    )


_texts, _ints = _list(_text), _list(_int)
_pairs = _list(lambda value: _texts(value) and isinstance(value, Sequence) and len(value) == 2)
_where = {"env": _text, "name": _text}
_good = _object(number=_int, status=_text, manifest_sha=_text, images=_pairs)
_check = _object(id=_text, kind=_text, env=_text, ttl_s=_int, writes=_flag)
_item = _object(id=_text, text=_text, question=_opt(_text), checks=_list(_check))
_person = _object(id=_text, name=_text, roles=_texts, accounts=_texts, signing_keys=_texts)
_candidate = _object(
    version=_text, commit=_text, chart=_text, images=_pairs, migration_head=_text, backward_compatible=_flag
)
_operation = {"id": _text}
_reason = {"reason": _text}
_signed = dict.fromkeys(("how_known", "statement", "signature", "key"), _text)

FIELDS: Mapping[str, Mapping[str, Shape]] = {
    Kind.LOG_OPENED: {
        "app": _text, "log_id": _text, "schema_sha256": _text, "sqlite": _text, "version": _text,
    },
    Kind.LOG_CLOSED: {"head": _text},
    Kind.LOG_ANCHORED: {"head": _text, "sinks": _texts, "occasion": _text, "failed": _texts},
    Kind.LOG_DOUBTED: {**_reason, "anchor": _text},
    Kind.LOG_REDACTED: {**_reason, "seq": _int, **_signed},
    Kind.LOG_WRITE_FAILED: {**_reason, "error": _text},
    Kind.LOG_RECOVERED: {**_reason, "since_us": _int},
    Kind.LAUNCH_OPENED: {
        "launch_id": _text, "title": _text, "window_start_us": _int, "window_end_us": _int, "modules": _texts,
        "regions": _texts, "runbook_digest": _text, "people": _list(_person), "candidate": _candidate,
    },
    Kind.LAUNCH_HELD: _reason,
    Kind.LAUNCH_RELEASED: _reason,
    Kind.LAUNCH_SCRUBBED: _reason,
    Kind.LAUNCH_CLOSED: {},
    Kind.RUNBOOK_CHANGED: {"digest": _text, "before": _text, "diff": _texts, "gone": _texts},
    Kind.ENVIRONMENT_DECLARED: {
        **dict.fromkeys(("tier", "title", "namespace", "release", "context", "api", "admin"), _text),
        "hosts": _pairs,
    },
    Kind.CONDITION_DECLARED: {
        **dict.fromkeys(("id", "title", "env", "unit", "on_trip", "query"), _text),
        "threshold": _decimal, "for_s": _int, "shadow": _flag,
    },
    Kind.GRAPH_DECLARED: {
        **dict.fromkeys(("id", "title", "env", "unit"), _text),
        "condition": _opt(_text), "series": _list(_object(id=_text, label=_text)),
    },
    Kind.OPERATION_DECLARED: {
        **dict.fromkeys(("id", "kind", "env", "title"), _text), "gate": _int, "gates": _ints, "items": _texts,
    },
    Kind.STAGE_DECLARED: {"id": _text, "title": _text, "steps": _texts, "parts": _texts},
    Kind.ENGINE_STARTED: {"pid": _int, "resumed": _flag, "version": _text, "account": _text},
    Kind.ENGINE_STOPPED: _reason,
    Kind.CONSOLE_OPENED: {"id": _text, "tty": _text, "drives": _flag, "how_known": _text},
    Kind.CONSOLE_CLOSED: {"id": _text, **_reason},
    Kind.CONSOLE_TOOK_OVER: {"id": _text, **_reason},
    Kind.COMMAND_REFUSED: {"command": _text, **_reason},
    Kind.GATE_DECLARED: {"number": _int, "title": _text, "items": _list(_item)},
    Kind.GATE_CHANGED: {"from": _text, "to": _text},
    Kind.GATE_RECYCLED: _reason,
    Kind.ITEM_WAIVED: {"item": _text, **_reason, "second": _text, "until_us": _int},
    Kind.CHECK_STARTED: {"item": _text, "check": _text},
    Kind.CHECK_FINISHED: {
        "item": _text, "check": _text, "verdict": _text, "summary": _text, "evidence": _free, "ms": _int,
    },
    Kind.ATTEST_SIGNED: {
        **_signed, **dict.fromkeys(("item", "comment", "link"), _text), "go": _flag, "evidence": _ints,
    },
    Kind.ATTEST_WITHDRAWN: {"item": _text, **_reason},
    Kind.CANDIDATE_SEEN: {"env": _text, "parts": _pairs},
    Kind.OPERATION_INTENDED: {
        **dict.fromkeys(("id", "kind", "env", "title", "from", "to", "diff_sha"), _text),
        "commands": _texts, "timeout_s": _int, "good": _opt(_good), "parts": _pairs, "before": _int,
        "override": _object(reason=_text, second=_text, over=_texts),
    },
    Kind.OPERATION_STARTED: {**_operation, "pid": _int, "start_time": _text, "folder": _text},
    Kind.OPERATION_STEP: {**_operation, "name": _text, "state": _text, "detail": _text},
    Kind.OPERATION_OUTPUT: {**_operation, "stream": _text, "lines": _texts},
    Kind.OPERATION_ABORTED: {**_operation, **_reason},
    Kind.OPERATION_FINISHED: {**_operation, "state": _text, "verdict": _text, "revision": _int, "offers": _texts},
    Kind.OPERATION_UNKNOWN: {**_operation, "verdict": _text, "revision": _int, "offers": _texts},
    Kind.SOURCE_CHANGED: {"name": _text, "ok": _flag, **_reason},
    Kind.POD_CHANGED: {
        **_where, **dict.fromkeys(("app", "phase", "image", "digest", "node", "reason", "unready"), _text),
        **dict.fromkeys(("ready", "containers", "restarts", "created_us", "loops_until_us"), _int),
        "of_job": _flag, "ended": _flag,
    },
    Kind.POD_GONE: _where,
    Kind.INGRESS_CHANGED: {**_where, "hosts": _texts, "address": _text, "tls": _flag},
    Kind.INGRESS_GONE: _where,
    Kind.METRIC_BATCH: {"at_us": _int, "values": _text},
    Kind.METRIC_GAP: {"from_us": _int, "dropped": _int, **_reason},
    Kind.CONDITION_CHANGED: {
        "id": _text, "state": _text, "value": _opt(_decimal), "elapsed_s": _int, "since_us": _int, **_reason,
        "at_us": _int, "active": _flag,
    },
    Kind.CONDITION_ACKNOWLEDGED: {"id": _text, "comment": _text},
    Kind.CONDITION_SAMPLES: {"at_us": _int, "values": _text},
    Kind.CONDITION_MUTED: {"id": _text, **_reason, "until_us": _int},
    Kind.CONDITION_COUNTDOWN: {"id": _text, **_reason, "until_us": _int},
    Kind.ALERT_CHANGED: {
        **_where, **dict.fromkeys(("alert", "severity", "state", "summary"), _text), "since_us": _int,
    },
    Kind.ALERT_GONE: _where,
    Kind.BAKE_STARTED: {"minimum_s": _int, "maximum_s": _int},
    Kind.BAKE_EXTENDED: {"minutes": _int, **_reason},
    Kind.WEBHOOK_SENT: {"occasion": _text, "host": _text, "ok": _flag, "attempts": _int, **_reason},
    Kind.BAKE_PROGRESS: {"good_s": _int, "state": _text, "why": _text},
    Kind.BAKE_FINISHED: {"good_s": _int, "outcome": _text, "why": _text},
    Kind.CLOCK_JUMPED: {"jump_us": _int, "expected_wall_us": _int, "slept_us": _int},
    Kind.CLOCK_RATE: {"rate": _decimal},
    Kind.NOTE_ADDED: {"text": _text},
}  # fmt: skip
"""By kind: its fields. All may be left out; ``cut`` (see ``fit``) may stand in each."""

_CUT = _object(sha256=_text, length=_int)
_TAILS = (2000, 500, 120, 40)
_LINES = (100, 20, 10, 5)


def allowed(kind: str, body: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Return what of a body may be written, and the names of the fields that may not.

    A kind that isn't listed has no field that may be written.
    """
    fields = FIELDS.get(kind, {})
    wrong = tuple(
        key for key, value in body.items() if not (_CUT if key == "cut" else fields.get(key, _never))(value)
    )
    return (body, ()) if not wrong else ({k: v for k, v in body.items() if k not in wrong}, wrong)


def _never(_value: Json) -> bool:
    return False


def fit(body: JsonObject, keep: Callable[[str, bytes], None] | None = None) -> JsonObject:
    """Return a body that fits an event: where it doesn't, each long text and list of lines as its tail.

    ``cut`` then holds SHA-256 and length (bytes) of the whole body's canonical text, which ``keep`` is given first.
    Raises CanonicalError where even the shortest form is too long.
    """
    try:
        canonical.encode(body)
    except canonical.TooLongError as error:
        whole = error.text.encode()
    else:
        return body
    digest = sha256(whole).hexdigest()
    if keep is not None:
        keep(digest, whole)
    cut: JsonObject = {"sha256": digest, "length": len(whole)}
    for tail, lines in zip(_TAILS, _LINES, strict=True):
        shorter = {**{key: _tail(value, tail, lines) for key, value in body.items()}, "cut": cut}
        try:
            canonical.encode(shorter)
        except canonical.TooLongError:
            continue
        return shorter
    raise canonical.CanonicalError(f"body: {len(whole)} bytes, and its tails don't fit one event either")


def _tail(value: Json, longest: int, lines: int) -> Json:
    if isinstance(value, str):
        return value if len(value) <= longest else f"…{value[-longest:]}"
    if isinstance(value, Mapping):
        return {key: _tail(one, longest, lines) for key, one in value.items()}
    if isinstance(value, Sequence):
        kept = value[-lines:] if _texts(value) else value
        return [_tail(one, longest, lines) for one in kept]
    return value
