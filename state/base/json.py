"""Typed reading of JSON objects: bodies of events, frames of the socket, answers of servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

EMPTY: JsonObject = {}


class FieldError(ValueError):
    """A JSON object lacks a field, or the field has another type than expected."""


def obj(value: Json | object) -> JsonObject:
    """Return ``value`` as an object, or an empty one where it is something else."""
    return value if isinstance(value, Mapping) else EMPTY


def items(value: Json | object) -> Sequence[Json]:
    """Return ``value`` as a list, or an empty one where it is something else."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return cast("Sequence[Json]", value)
    return ()


def objs(value: Json | object) -> list[JsonObject]:
    """Return the objects in a list; other members are left out."""
    return [one for one in items(value) if isinstance(one, Mapping)]


def texts(value: Json | object) -> tuple[str, ...]:
    """Return the strings in a list; other members are left out."""
    return tuple(one for one in items(value) if isinstance(one, str))


def text(body: JsonObject, key: str, default: str = "") -> str:
    """Return a string field, or ``default`` where it is absent or of another type."""
    value = body.get(key)
    return value if isinstance(value, str) else default


def opt_text(body: JsonObject, key: str) -> str | None:
    """Return a string field, or None where it is absent or of another type."""
    value = body.get(key)
    return value if isinstance(value, str) else None


def integer(body: JsonObject, key: str, default: int = 0) -> int:
    """Return an integer field, or ``default`` where it is absent or of another type."""
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag(body: JsonObject, key: str) -> bool:
    """Return whether a field is true."""
    return body.get(key) is True


def decimal(body: JsonObject, key: str) -> float | None:
    """Return a number that is kept as a decimal string, or None where there is none."""
    value = body.get(key)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def need_text(body: JsonObject, key: str) -> str:
    """Return a string field.

    Raises FieldError where it is absent or of another type.
    """
    value = body.get(key)
    if not isinstance(value, str):
        raise FieldError(f"field {key!r}: a text was expected")
    return value


def path(value: Json | object, keys: Iterable[str]) -> Json:
    """Return what lies below ``keys`` in nested objects, or None."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return cast("Json", value)


def decimal_text(value: float) -> str:
    """Return a number as the decimal string that the log keeps (bodies have no floats)."""
    return f"{value:.9g}"
