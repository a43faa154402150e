"""An example of a check in a runbook, made from the JSON Schema of its settings: it always fits the model."""

from __future__ import annotations

import yaml

from state.base.json import Json, JsonObject, items, obj, objs, text, texts
from state.view.enums import Judges


def example(kind: str, schema: JsonObject, judges: Judges) -> str:
    """Return a check of a kind in YAML, with the settings that it needs.

    What judges the candidate names no environment: it looks where the candidate is.
    """
    check: dict[str, Json] = {"kind": kind}
    if judges is not Judges.CANDIDATE:
        check["env"] = "production"
    needed = _object(schema, obj(schema.get("$defs")))
    if needed:
        check["with"] = needed
    return yaml.safe_dump({"checks": [check]}, sort_keys=False, allow_unicode=True, width=100)


def _object(schema: JsonObject, inner: JsonObject) -> dict[str, Json]:
    either = next(iter(objs(schema.get("anyOf"))), {})
    required = [*texts(schema.get("required")), *texts(either.get("required"))]
    properties = obj(schema.get("properties"))
    return {name: _value(obj(properties[name]), inner, name) for name in required if name in properties}


def _value(schema: JsonObject, inner: JsonObject, name: str) -> Json:
    if "$ref" in schema:
        return _value(obj(inner.get(text(schema, "$ref").rpartition("/")[2])), inner, name)
    for known in ("examples", "enum"):
        if known in schema:
            return items(schema.get(known))[0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _value(objs(schema.get("anyOf"))[0], inner, name)
    match schema.get("type"):
        case "array":
            parts = objs(schema.get("prefixItems")) or [obj(schema.get("items"))]
            return [_value(part, inner, name) for part in parts]
        case "object" if "properties" in schema:
            return _object(schema, inner)
        case "object":
            return {"NAME": _value(obj(schema.get("additionalProperties")), inner, name)}
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "/" if name == "path" or name.endswith("_path") else name.upper()
