"""What the real API server says of its types, made small for the simulated one: every field, and what it takes.

A definition is a map of fields to a word: ``string``, ``int32``, ``bool``, ``quantity``, … or ``@core.v1.Container``
for an object, ``[]`` before it for a list, ``{}`` before it for a map of people's own keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from console.rehearsal.sim.kubernetes import admission
from console.rehearsal.sim.kubernetes.resources import RESOURCES
from state.base.json import JsonObject, obj, objs, text

FILE = Path(admission.__file__).with_name("schemas.json")
_SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
}
_BY_FORMAT = {"int32": "int32", "int64": "int64", "byte": "bytes", "double": "float64"}
_BY_TYPE = {"string": "string", "boolean": "bool", "integer": "int64", "number": "float64"}


def compact(openapi: JsonObject) -> JsonObject:
    """Return ``kinds`` (the definition of each kind that the simulated API serves) and ``types``."""
    definitions = obj(openapi["definitions"])
    kinds = {}
    for resource in RESOURCES.values():
        wanted = (resource.group, resource.version, resource.kind)
        kinds[resource.plural] = next(
            (name for name, one in definitions.items() if wanted in _kinds(obj(one))), ""
        )
    types: dict[str, JsonObject] = {}
    waiting = [name for name in kinds.values() if name]
    while waiting:
        name = waiting.pop()
        if _short(name) in types:
            continue
        fields = {
            field: _word(obj(one)) for field, one in obj(obj(definitions[name]).get("properties")).items()
        }
        types[_short(name)] = fields
        waiting += [_long(word, definitions) for word in fields.values() if "@" in word]
    return {"kinds": {plural: _short(name) for plural, name in kinds.items() if name}, "types": types}


def _kinds(one: JsonObject) -> Iterable[tuple[str, str, str]]:
    for kind in objs(one.get("x-kubernetes-group-version-kind")):
        yield text(kind, "group"), text(kind, "version"), text(kind, "kind")


def _short(name: str) -> str:
    return ".".join(name.split(".")[-3:]) if name else ""


def _long(word: str, definitions: JsonObject) -> str:
    short = word.partition("@")[2]
    return next(name for name in definitions if _short(name) == short)


def _word(one: JsonObject) -> str:
    ref = text(one, "$ref").rpartition("/")[2]
    if ref:
        return _SCALARS.get(ref) or f"@{_short(ref)}"
    kind = text(one, "type")
    if kind == "array":
        return f"[]{_word(obj(one.get('items')))}"
    if kind == "object" or not kind:
        inner = obj(one.get("additionalProperties"))
        return f"{{}}{_word(inner)}" if inner else "any"
    return _BY_FORMAT.get(text(one, "format")) or _BY_TYPE[kind]
