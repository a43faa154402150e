"""The settings of a kind of check in words, from the JSON Schema of its model."""

from __future__ import annotations

import json
from textwrap import wrap

from state.base.json import JsonObject, items, obj, objs, text, texts

_WIDTH = 96
_NOTHING = {"type": "null"}
_SIMPLE = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}


def described(schema: JsonObject) -> list[str]:
    """Return the lines that tell every setting: name, type, default, description; nested ones after them."""
    rows = [*wrap(text(schema, "description"), _WIDTH), *_fields(schema)]
    for name, inner in obj(schema.get("$defs")).items():
        if "properties" in obj(inner):
            message = f"{name.rpartition('.')[2]}: {text(obj(inner), 'description')}"
            rows += ["", *wrap(message, _WIDTH), *_fields(obj(inner))]
    return rows


def _fields(schema: JsonObject) -> list[str]:
    required = texts(schema.get("required"))
    rows: list[str] = []
    for name, value in obj(schema.get("properties")).items():
        setting = obj(value)
        rows.append(f"  {name}: {type_of(setting)}, {_default(setting, required=name in required)}")
        rows += [f"      {row}" for row in wrap(text(setting, "description"), _WIDTH - 6)]
    return rows


def _default(setting: JsonObject, *, required: bool) -> str:
    if required:
        return "required"
    value = setting.get("default")
    if value is None:
        return "optional"
    return f"default {json.dumps(value, ensure_ascii=False)}"


def type_of(schema: JsonObject) -> str:
    """Return a schema's type in words: ``list of text``, ``one of strict, lax``, ``Page or nothing``."""
    if "$ref" in schema:
        return text(schema, "$ref").rpartition("/")[2].rpartition(".")[2]
    if "enum" in schema:
        return f"one of {', '.join(map(str, items(schema.get('enum'))))}"
    if "const" in schema:
        return str(schema["const"])
    if "examples" in schema:
        return f"number, or with its unit, such as {', '.join(texts(schema.get('examples')))}"
    if "anyOf" in schema:
        return " or ".join(
            dict.fromkeys(type_of(one) for one in objs(schema.get("anyOf")) if one != _NOTHING)
        )
    match schema.get("type"):
        case "array":
            return _list(schema)
        case "object":
            inner = schema.get("additionalProperties")
            return f"{{name: {type_of(obj(inner))}}}" if obj(inner) else "keys and values"
        case str(simple):
            return _SIMPLE.get(simple, simple)
        case _:
            return "any value"


def _list(schema: JsonObject) -> str:
    parts = objs(schema.get("prefixItems"))
    if parts:
        return f"[{', '.join(map(type_of, parts))}]"
    return f"list of {type_of(obj(schema.get('items')))}"
