"""The JSON Schema of a runbook, for editors: the models', and what each kind of check takes under ``with:``."""

from __future__ import annotations

from checks.base import REGISTRY
from checks.registry import names
from state.base.json import Json, JsonObject, obj
from state.runbook.models import Runbook

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def runbook_schema() -> JsonObject:
    """Return the schema of a whole runbook."""
    schema = obj(Runbook.model_json_schema(by_alias=True))
    shared = dict(obj(schema.get("$defs")))
    spec = dict(obj(shared["CheckSpec"]))
    properties = dict(obj(spec["properties"]))
    # An editor offers the names, and still takes one of an extension that is not installed here.
    known: list[Json] = [{"const": name, "description": summary(name)} for name in names()]
    properties["kind"] = {**obj(properties["kind"]), "anyOf": [*known, {"type": "string"}]}
    rules: list[Json] = []
    for name in names():
        settings = dict(settings_schema(name))
        shared |= obj(settings.pop("$defs"))
        then: dict[str, Json] = {"properties": {"with": settings}}
        if settings.get("required"):
            then["required"] = ["with"]
        rules.append({"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": then})
    shared["CheckSpec"] = {**spec, "properties": properties, "allOf": rules}
    return {"$schema": _DIALECT, **schema, "$defs": shared}


def summary(name: str) -> str:
    """Return in one line what a kind judges: the first sentence of its docstring."""
    return doc(name).split("\n")[0]


def doc(name: str) -> str:
    """Return what a kind judges, as its docstring says it."""
    from inspect import getdoc

    return getdoc(REGISTRY[name].judge) or ""


def settings_schema(name: str) -> JsonObject:
    """Return the schema of a kind's settings; what it refers to is called ``KIND.MODEL``."""
    template = f"#/$defs/{name}.{{model}}"
    schema = obj(REGISTRY[name].settings.model_json_schema(by_alias=True, ref_template=template))
    inner: dict[str, Json] = {f"{name}.{model}": one for model, one in obj(schema.get("$defs")).items()}
    return {**schema, "$defs": inner}
