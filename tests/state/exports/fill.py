"""Bodies with a text in every place that takes one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def fill(kind: type[T], text: str) -> T:
    """Return a dataclass with ``text`` in every text of it, and one member in every tuple."""
    hints = get_type_hints(kind, localns={"Json": str, "JsonObject": Mapping})
    given = {
        one.name: value_of(hints[one.name], text)
        for one in dataclasses.fields(kind)  # type: ignore[arg-type]  # only dataclasses come here
        if one.name != "cut"
    }
    return kind(**given)


def value_of(hint: Any, text: str) -> Any:
    origin, members = get_origin(hint), get_args(hint)
    if hint is str:
        return text
    if hint in {int, float}:
        return 7
    if hint is bool:
        return True
    if origin is tuple:
        kept = [one for one in members if one is not Ellipsis]
        return tuple(value_of(one, text) for one in kept)
    if Mapping in {hint, origin}:
        return {"seen": text, "deep": {"list": [text]}}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return fill(hint, text)
    several = [one for one in members if one is not type(None)]
    return value_of(str if str in several else several[0], text) if several else None
