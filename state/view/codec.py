"""A view as JSON and back: the keyframe that a console gets when it attaches.

It follows the annotations of the frozen dataclasses, so a new field of the view needs nothing here. A field
that the other side doesn't send keeps its default; one that it doesn't know is left out.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from state.base.json import FieldError, Json, JsonObject
from state.view.launch import LaunchView

T = TypeVar("T")


def dump_view(view: LaunchView) -> JsonObject:
    """Return a view as a JSON object."""
    return cast("JsonObject", _dump(view))


def load_view(body: JsonObject) -> LaunchView:
    """Return the view that ``dump_view`` made.

    Raises FieldError where a value has another shape than the view's.
    """
    return _load_dataclass(LaunchView, body)


def _dump(value: object) -> Json:
    if isinstance(value, Enum):
        return cast("str", value.value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _dump(getattr(value, name)) for name in _defaults(type(value))}
    if isinstance(value, Mapping):
        return [[_dump(k), _dump(v)] for k, v in value.items()]
    if isinstance(value, Sequence):
        return [_dump(one) for one in value]
    raise FieldError(f"a view holds no {type(value).__name__}")


@cache
def _hints(kind: type) -> Mapping[str, object]:
    return get_type_hints(kind)


@cache
def _defaults(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def _load_dataclass(kind: type[T], value: object) -> T:
    if not isinstance(value, Mapping):
        raise FieldError(f"{kind.__name__}: an object was expected")
    hints = _hints(cast("type", kind))
    known = {k: _load(hints[k], v) for k, v in value.items() if k in hints}
    try:
        return kind(**known)
    except TypeError as error:
        raise FieldError(f"{kind.__name__}: {error}") from error


def _load(hint: object, value: object) -> object:
    if hint is object or value is None:
        return value
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        return _load_union(get_args(hint), value)
    if origin is tuple:
        return _load_tuple(get_args(hint), value)
    if origin is not None and issubclass(cast("type", origin), Mapping):
        key, member = get_args(hint)
        rows = cast("Sequence[Sequence[object]]", value)
        return MappingProxyType({_load(key, k): _load(member, v) for k, v in rows})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _load_dataclass(hint, value)
    if hint is float and isinstance(value, int | float):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    raise FieldError(f"{value!r:.40} is not {hint}")


def _load_union(members: tuple[object, ...], value: object) -> object:
    for member in members:
        if member is not types.NoneType:
            return _load(member, value)
    return value


def _load_tuple(members: tuple[object, ...], value: object) -> object:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise FieldError(f"a list was expected, not {value!r:.40}")
    if len(members) == 2 and members[1] is Ellipsis:
        return tuple(_load(members[0], one) for one in value)
    return tuple(_load(member, one) for member, one in zip(members, value, strict=True))
