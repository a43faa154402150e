"""Request bodies in Kubernetes' protobuf, which kubectl's ``create`` and helm's storage of releases send.

``protobuf_fields.txt`` beside this file has a line for each message, made from the tags of Kubernetes'
own types (k8s.io/api 0.32): ``Secret metadata=1:ObjectMeta data=2:%y type?=3:s``. A field has its JSON name
(none where JSON shows the message's fields in the parent's place), ``?`` where JSON leaves out a zero, its
number and its type, after ``*`` for a list or ``%`` for a map of texts to it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from console.rehearsal.sim.kubernetes.objects import Obj, Value, child
from console.rehearsal.sim.kubernetes.problems import bad_request, unsupported_media

MAGIC = b"k8s\x00"
CONTENT_TYPE = "application/vnd.kubernetes.protobuf"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: str
    shape: str  # "", "*" or "%"
    drop_zero: bool


@cache
def _messages() -> dict[str, dict[int, _Field]]:
    found: dict[str, dict[int, _Field]] = {}
    for line in Path(__file__).with_name("protobuf_fields.txt").read_text().splitlines():
        message, *fields = line.split()
        found[message] = {}
        for one in fields:
            left, _, kind = one.partition(":")
            name, _, digits = left.partition("=")
            shape = kind[0] if kind[0] in "*%" else ""
            field = _Field(name.rstrip("?"), kind.removeprefix(shape), shape, name.endswith("?"))
            found[message][int(digits)] = field
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 0:
            number, at = _varint(data, at)
            yield tag >> 3, number
            continue
        if wire == 2:
            size, at = _varint(data, at)
        else:
            size = {1: 8, 5: 4}[wire]
        if at + size > len(data):
            raise IndexError(at)
        yield tag >> 3, data[at : at + size]
        at += size


def _signed(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value - (1 << 64) if value >= 1 << 63 else value


def _numbers(data: bytes) -> dict[int, int | bytes]:
    return dict(_parts(data))


def _time(data: bytes, *, micro: bool) -> Value:
    parts = _numbers(data)
    if not parts:
        return None
    when = _EPOCH + timedelta(seconds=_signed(parts.get(1, 0)), microseconds=_signed(parts.get(2, 0)) // 1000)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _int_or_text(data: bytes) -> Value:
    parts = _numbers(data)
    text = parts.get(3, b"")
    assert isinstance(text, bytes)
    return text.decode() if parts.get(1) else _signed(parts.get(2, 0))


def _special(kind: str, value: bytes) -> Value:
    if kind == "s":
        return value.decode()
    if kind == "y":
        return base64.b64encode(value).decode()
    if kind in ("time", "microtime"):
        return _time(value, micro=kind == "microtime")
    if kind == "intstr":
        return _int_or_text(value)
    if kind == "quantity":
        text = _numbers(value).get(1, b"")
        assert isinstance(text, bytes)
        return text.decode()
    return None


def _value(kind: str, value: int | bytes) -> Value:
    if kind == "b":
        return bool(value)
    if kind == "i":
        return _signed(value)
    assert isinstance(value, bytes)
    return _message(kind, value) if kind in _messages() else _special(kind, value)


def _entry(kind: str, data: bytes) -> tuple[str, Value]:
    parts = _numbers(data)
    key = parts.get(1, b"")
    assert isinstance(key, bytes)
    empty: int | bytes = 0 if kind in "bi" else b""
    return key.decode(), _value(kind, parts.get(2, empty))


def _message(message: str, data: bytes) -> Obj:
    fields = _messages()[message]
    body: Obj = {}
    for number, raw in _parts(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.shape == "%":
            assert isinstance(raw, bytes)
            key, one = _entry(field.kind, raw)
            child(body, field.name)[key] = one
            continue
        value = _value(field.kind, raw)
        if field.shape == "*":
            have = body.setdefault(field.name, [])
            assert isinstance(have, list)
            have.append(value)
        elif not field.name:
            body.update(value if isinstance(value, dict) else {})
        elif value is not None and (value or not field.drop_zero):
            body[field.name] = value
    return body


def decode(data: bytes) -> Obj:
    """Return the object in a protobuf body, with its kind and apiVersion.

    Raises KubeError: 400 for bytes that are not Kubernetes' protobuf, 415 for a kind that is not listed.
    """
    if not data.startswith(MAGIC):
        raise bad_request("the body does not begin as Kubernetes' protobuf does")
    try:
        envelope = _numbers(data[len(MAGIC) :])
        types, raw = envelope.get(1, b""), envelope.get(2, b"")
        assert isinstance(types, bytes)
        assert isinstance(raw, bytes)
        named = {number: value.decode() for number, value in _parts(types) if isinstance(value, bytes)}
        kind = named.get(2, "")
        if kind not in _messages():
            raise unsupported_media(("application/json", "application/yaml"))
        return {"apiVersion": named.get(1, ""), "kind": kind, **_message(kind, raw)}
    except (IndexError, KeyError, UnicodeDecodeError, AssertionError) as error:
        raise bad_request(f"the protobuf body is damaged: {type(error).__name__}") from error
