"""What was sent, as the API server's types read it: fields that they have not are told, other types refused.

The types are the real server's (``schemas.json``, recorded by tests/console/rehearsal/sim/kubernetes).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from console.rehearsal.sim.kubernetes.objects import Obj, Value
from console.rehearsal.sim.kubernetes.problems import bad_request
from console.rehearsal.sim.kubernetes.resources import Resource
from state.base.json import JsonObject, obj, text

_FILE = Path(__file__).with_name("schemas.json")
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_BITS = {"int32": 31, "int64": 63}
_GO = {"float64": "float64", "bytes": "[]uint8", "time": "v1.Time", "quantity": "resource.Quantity"}
_IN_GO = {"int-or-string": "intstr.IntOrString"}
_OF_LISTS = "[]"
_OF_MAPS = "{}"


@cache
def _schemas() -> tuple[JsonObject, JsonObject]:
    whole = obj(json.loads(_FILE.read_text(encoding="utf-8")))
    return obj(whole["kinds"]), obj(whole["types"])


class _UnlikeError(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    types: JsonObject
    unknown: list[str] = field(default_factory=list)

    def struct(self, value: Mapping[str, object], name: str, at: str, go: str) -> Obj:
        fields = obj(self.types.get(name))
        read: Obj = {}
        for key, one in value.items():
            word = text(fields, key)
            here = f"{at}.{key}" if at else key
            if not word:
                self.unknown.append(f'unknown field "{here}"')
            elif one is not None:
                read[key] = self.value(one, word, here, f"{_last(name)}.{f'{go}.' if go else ''}{key}")
        return read

    def value(self, value: object, word: str, at: str, go: str) -> Value:
        """Read a value; ``at`` is its place with indexes, ``go`` as Go's decoder tells it."""
        if word.startswith(_OF_LISTS):
            if not isinstance(value, list):
                raise _unlike(value, go, word)
            inner = word.removeprefix(_OF_LISTS)
            return [self.value(one, inner, f"{at}[{n}]", go) for n, one in enumerate(value)]
        if word.startswith(_OF_MAPS):
            if not isinstance(value, Mapping):
                raise _unlike(value, go, word)
            inner = word.removeprefix(_OF_MAPS)
            return {
                str(key): _zero(inner) if one is None else self.value(one, inner, f"{at}.{key}", go)
                for key, one in value.items()
            }
        if word.startswith("@"):
            if not isinstance(value, Mapping):
                raise _unlike(value, go, word)
            return self.struct(value, word[1:], at, go.partition(".")[2])
        return _scalar(value, word, go)


def decoded(resource: Resource, body: JsonObject) -> tuple[Obj, list[str]]:
    """Return an object as its type reads it, and what was told of fields that it has not.

    A null in a map of texts is an empty text there; any other is as if it weren't there.
    Raises KubeError (400) for a value of another type than its field's.
    """
    kinds, types = _schemas()
    name = text(kinds, resource.plural)
    reader = _Reader(types)
    if not name:
        return {key: one for key, one in body.items() if one is not None}, []  # type: ignore[misc]  # JSON either way
    try:
        read = reader.struct(body, name, "", "")
    except _UnlikeError as error:
        raise bad_request(f"{_handled(resource)}: {error}") from None
    return read, reader.unknown


def strictly(resource: Resource, unknown: list[str]) -> None:
    """Refuse an object with fields that its type has not.

    Raises KubeError (400) where there are such.
    """
    if unknown:
        raise bad_request(f"{_handled(resource)}: strict decoding error: {', '.join(unknown)}")


def _handled(resource: Resource) -> str:
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _zero(word: str) -> Value:
    return {"string": "", "quantity": "0", "bytes": ""}.get(word)


def _scalar(value: object, word: str, go: str) -> Value:
    wanted: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "bytes": str,
        "time": str,
        "int-or-string": (str, int),
        "quantity": (str, int, float),
        "float64": (int, float),
    }
    if word == "bool":
        if not isinstance(value, bool):
            raise _unlike(value, go, word)
    elif word in _BITS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not -(2 ** _BITS[word]) <= int(str(value)) < 2 ** _BITS[word]:
            raise _unlike(value, go, word)
    elif word in wanted and (isinstance(value, bool) or not isinstance(value, wanted[word])):
        raise _unlike(value, go, word)
    if word == "quantity" and not _QUANTITY.fullmatch(str(value)):
        raise _UnlikeError(f"quantities must match the regular expression '^{_QUANTITY.pattern}$'")
    if word == "bytes":
        _need_base64(str(value))
    return value  # type: ignore[return-value]  # JSON as it was decoded


def _need_base64(written: str) -> None:
    whole = written.replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(whole, validate=True)
    except (binascii.Error, ValueError):
        bad = re.search(r"[^A-Za-z0-9+/]", whole)
        place = bad.start() if bad is not None else len(whole)
        raise _UnlikeError(f"illegal base64 data at input byte {place}") from None


def _unlike(value: object, go: str, word: str) -> _UnlikeError:
    kind = {bool: "bool", str: "string", list: "array", dict: "object"}.get(type(value), "number")
    if kind == "number" and word in _BITS:
        kind = f"number {json.dumps(value)}"
    return _UnlikeError(f"json: cannot unmarshal {kind} into Go struct field {go} of type {_in_go(word)}")


def _in_go(word: str) -> str:
    if word.startswith(_OF_LISTS):
        return f"[]{_in_go(word.removeprefix(_OF_LISTS))}"
    if word.startswith(_OF_MAPS):
        return f"map[string]{_in_go(word.removeprefix(_OF_MAPS))}"
    if word.startswith("@"):
        return ".".join(word[1:].split(".")[1:])
    return _GO.get(word) or _IN_GO.get(word) or word
