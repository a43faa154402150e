"""Objects of the API as the simulated cluster changes them: JSON that is owned by whoever holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias, cast

from state.base.json import JsonObject, obj, path, text
from state.base.json import objs as read_objs

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Obj: TypeAlias = "dict[str, Value]"
_LEAVES = frozenset({str, int, float, bool, type(None)})


def copied(value: object) -> Value:
    """Return a deep copy of a JSON value.

    Raises TypeError where it holds something that JSON has not.
    """
    kind = type(value)  # most are of just these types: an object is copied for each look at it
    if kind is dict:
        whole = cast("dict[object, object]", value)
        return {
            str(key): cast("Value", one) if type(one) in _LEAVES else copied(one)
            for key, one in whole.items()
        }
    if kind is list:
        return [
            cast("Value", one) if type(one) in _LEAVES else copied(one) for one in cast("list[object]", value)
        ]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): copied(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [copied(one) for one in value]
    raise TypeError(f"JSON has no {type(value).__name__}")


def clone(body: Mapping[str, object]) -> Obj:
    """Return a deep copy of a JSON object."""
    return {str(key): copied(one) for key, one in body.items()}


def without_nulls(value: object) -> Value:
    """Return a deep copy of a JSON value without members that are null, as the API server stores it."""
    if isinstance(value, Mapping):
        return {str(key): without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_nulls(one) for one in value]
    return copied(value)


def tidied(body: Mapping[str, object]) -> Obj:
    """Return a deep copy of a JSON object without members that are null."""
    return {str(key): without_nulls(one) for key, one in body.items() if one is not None}


def child(body: Obj, *keys: str) -> Obj:
    """Return the object below ``keys``, made where it is not there yet."""
    for key in keys:
        below = body.get(key)
        if not isinstance(below, dict):
            below = {}
            body[key] = below
        body = below
    return body


def members(body: Obj, *keys: str) -> list[Obj]:
    """Return the objects in the list below ``keys``, to be changed in place; none where there is no list."""
    value = path(body, keys)
    return [cast("Obj", one) for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def name_of(body: JsonObject) -> str:
    """Return metadata.name, or an empty text."""
    return text(obj(body.get("metadata")), "name")


def namespace_of(body: JsonObject) -> str:
    """Return metadata.namespace, or an empty text for an object of the cluster."""
    return text(obj(body.get("metadata")), "namespace")


def uid_of(body: JsonObject) -> str:
    """Return metadata.uid, or an empty text."""
    return text(obj(body.get("metadata")), "uid")


def version_of(body: JsonObject) -> int:
    """Return metadata.resourceVersion as a number, 0 where there is none."""
    digits = text(obj(body.get("metadata")), "resourceVersion")
    return int(digits) if digits.isdigit() else 0


def labels_of(body: JsonObject) -> dict[str, str]:
    """Return metadata.labels."""
    return strings(path(body, ("metadata", "labels")))


def strings(value: object) -> dict[str, str]:
    """Return the members of an object that are texts."""
    return {key: one for key, one in obj(value).items() if isinstance(one, str)}


def number(body: JsonObject, keys: Sequence[str], default: int = 0) -> int:
    """Return the integer below ``keys``, or ``default``."""
    value = path(body, keys)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def word(body: JsonObject, *keys: str) -> str:
    """Return the text below ``keys``, or an empty one."""
    value = path(body, keys)
    return value if isinstance(value, str) else ""


def is_terminating(body: JsonObject) -> bool:
    """Return whether the object is being deleted."""
    return bool(word(body, "metadata", "deletionTimestamp"))


def condition(body: JsonObject, kind: str) -> JsonObject:
    """Return the status condition of that type, or an empty object."""
    for one in read_objs(path(body, ("status", "conditions"))):
        if text(one, "type") == kind:
            return one
    return {}


def stamp(wall_us: int) -> str:
    """Return a time as the API writes it: UTC, whole seconds."""
    return datetime.fromtimestamp(wall_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(written: str) -> float:
    """Return a written time as seconds since 1970, 0 where it is none."""
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0
