"""Where something stands in a runbook: as a person names it, and which keys would be right there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

_ITEM = re.compile(r"[1-9][0-9]?\.[1-9][0-9]?")
_NOUNS = {
    "people": "person",
    "conditions": "condition",
    "graphs": "graph",
    "series": "series",
    "operations": "operation",
    "stages": "stage",
    "checks": "check",
    "parts": "part",
    "freezes": "freeze",
    "helm_commands": "helm command",
    "webhooks": "webhook",
    "apply_secrets": "secret",
}
"""What one of a list is called."""
_NAMED = {"people", "conditions", "graphs", "series", "operations", "stages"}
"""Lists whose parts have an ``id``."""


def spoken(place: Sequence[str], data: object) -> str:
    """Return a place as a person names it: ``item 3.2: check 1: with.min_days``, ``operation staging.deploy: gate``.

    ``data`` is what the runbook says. Positions count from 1; what has a name or a number of its own is called by it.
    """
    words: list[str] = []
    keys: list[str] = []
    for index, part in enumerate(place):
        data = _below(data, part)
        if not part.isdecimal() or not keys:
            keys.append(part)
            continue
        gates = keys == ["gates"] or (keys == ["items"] and words[-1:] and words[-1].startswith("gate "))
        name = _gate_or_item(keys[-1], place, index, data) if gates else _one_of(keys[-1], part, data)
        before = ".".join(keys[:-1])
        words = [
            *(words if keys != ["items"] or not gates else words[:-1]),
            *([before] if before else []),
            name,
        ]
        keys = []
    return ": ".join([*words, *([".".join(keys)] if keys else [])]) or "runbook"


def _below(data: object, part: str) -> object:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
        return data[int(part)]
    return None


def _gate_or_item(key: str, place: Sequence[str], index: int, data: object) -> str:
    gate = int(place[1]) + 1
    if key == "gates":
        return f"gate {gate}"
    written = data.get("id") if isinstance(data, Mapping) else None
    usable = isinstance(written, str) and _ITEM.fullmatch(written)
    return f"item {written if usable else f'{gate}.{int(place[index]) + 1}'}"


def _one_of(key: str, part: str, data: object) -> str:
    noun = _NOUNS.get(key, key)
    name = data.get("id") if isinstance(data, Mapping) and key in _NAMED else None
    return f"{noun} {name if isinstance(name, str) and name.isprintable() and name else int(part) + 1}"


def keys_at(model: object, place: Sequence[str]) -> set[str]:
    """Return the keys that a model has at a place, as they are written; empty where any key is right, or none."""
    found: set[str] = set()
    for one in _models(model, place):
        found |= {field.alias or name for name, field in one.model_fields.items()}
    return found


def types_at(model: object, place: Sequence[str]) -> set[type]:
    """Return the models that may stand at a place."""
    return set(_models(model, place))


def close(word: str, known: Sequence[str] | set[str]) -> str:
    """Return ``: did you mean min_days?`` for a word like a known one, else nothing."""
    lower = {one.lower(): one for one in sorted(known)}
    similar = get_close_matches(word.lower().replace("-", "_"), lower, n=2, cutoff=0.6)
    return f": did you mean {' or '.join(lower[one] for one in similar)}?" if similar else ""


def _models(kind: object, place: Sequence[str]) -> Iterator[type[BaseModel]]:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _models(args[0], place)
    elif origin in {Union, UnionType}:
        for arg in args:
            yield from _models(arg, place)
    elif origin in {tuple, list} and place and place[0].isdecimal():
        yield from _models(args[0], place[1:])
    elif origin in {dict, Mapping} and place:
        yield from _models(args[1], place[1:])
    elif isinstance(kind, type) and issubclass(kind, RootModel):
        yield from _models(kind.model_fields["root"].annotation, place)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        if not place:
            yield kind
            return
        for name, field in kind.model_fields.items():
            if place[0] in {name, field.alias}:
                yield from _models(field.annotation, place[1:])
