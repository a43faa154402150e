"""The JSON Schema for editors: it takes every runbook that we take, and sees the mistakes that people make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

from console.__main__ import main
from console.cli.kinds.schema import runbook_schema
from state.base.json import Json, JsonObject, items, obj, objs, texts
from tests.console.cli.test_command_line import SOP
from tests.paths import ROOT

SCHEMA = runbook_schema()
BOOKS = [SOP, *sorted((ROOT / "examples").rglob("*.yaml"))]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def wrong(value: Json, schema: JsonObject, place: str = "") -> Iterator[str]:
    """Yield where a value doesn't fit, by the words of JSON Schema that pydantic writes."""
    if "$ref" in schema:
        yield from wrong(
            value, obj(obj(SCHEMA["$defs"])[str(schema["$ref"]).removeprefix("#/$defs/")]), place
        )
    if "type" in schema:
        fits = _TYPES[str(schema["type"])]
        if not isinstance(value, fits) or (isinstance(value, bool) and bool not in fits):
            yield f"{place}: {schema['type']}"
            return
    if "const" in schema and value != schema["const"]:
        yield f"{place}: const"
    if "enum" in schema and value not in items(schema["enum"]):
        yield f"{place}: enum"
    if "anyOf" in schema and all(any(wrong(value, one)) for one in objs(schema["anyOf"])):
        yield f"{place}: anyOf"
    if "oneOf" in schema and sum(not any(wrong(value, one)) for one in objs(schema["oneOf"])) != 1:
        yield f"{place}: oneOf"
    for rule in objs(schema.get("allOf")):
        if not any(wrong(value, obj(rule.get("if")))):
            yield from wrong(value, obj(rule.get("then")), place)
    if isinstance(value, str) and "pattern" in schema and not re.search(str(schema["pattern"]), value):
        yield f"{place}: pattern"
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from wrong(one, obj(schema.get("items")), f"{place}.{number}")
        if len(value) < int(str(schema.get("minItems", 0))):
            yield f"{place}: minItems"
    if isinstance(value, dict):
        yield from _members(value, schema, place)


def _members(value: dict[str, Json], schema: JsonObject, place: str) -> Iterator[str]:
    known = obj(schema.get("properties"))
    yield from (f"{place}.{name}: required" for name in texts(schema.get("required")) if name not in value)
    for name, one in value.items():
        if name in known:
            yield from wrong(one, obj(known[name]), f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place}.{name}: unknown"
        else:
            yield from wrong(one, obj(schema.get("additionalProperties")), f"{place}.{name}")


def book(path: Path = SOP) -> dict[str, Json]:
    read = json.loads(json.dumps(yaml.safe_load(path.read_text()), default=lambda at: at.isoformat()))
    assert isinstance(read, dict)
    return read


def inside(value: Json, *where: str | int) -> dict[str | int, Json]:
    """Return the object at a place of a runbook, to be changed."""
    for key in where:
        value = value[key]  # type: ignore[index]  # the way is known to be there
    return cast("dict[str | int, Json]", value)


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: str(path.name))
def test_a_good_runbook_fits(path: Path) -> None:
    assert list(wrong(book(path), SCHEMA)) == []


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("scope", "windoww"), 1, ".scope.windoww: unknown"),
        (
            ("gates", 2, "items", 1, "checks", 0, "with", "colour"),
            1,
            ".gates.2.items.1.checks.0.with.colour: unknown",
        ),
        (
            ("gates", 2, "items", 1, "checks", 0, "timeout"),
            "3 weeks",
            ".gates.2.items.1.checks.0.timeout: anyOf",
        ),
        (
            ("gates", 2, "items", 2, "checks", 0, "with", "path"),
            3,
            ".gates.2.items.2.checks.0.with.path: string",
        ),
        (("candidate", "version"), None, ".candidate.version: string"),
    ],
)
def test_a_mistake_is_seen(where: tuple[str | int, ...], value: Json, message: str) -> None:
    changed = book()
    inside(changed, *where[:-1])[where[-1]] = value
    assert list(wrong(changed, SCHEMA)) == [message]


def test_settings_that_a_kind_needs_are_asked_for() -> None:
    changed = book()
    del inside(changed, "gates", 2, "items", 2, "checks", 0)["with"]
    assert list(wrong(changed, SCHEMA)) == [".gates.2.items.2.checks.0.with: required"]


def test_the_command_prints_it_for_an_editor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "schema"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == json.loads(json.dumps(runbook_schema()))
    assert answer["$schema"].startswith("https://json-schema.org/")
    spec = answer["$defs"]["CheckSpec"]["properties"]
    assert "web.csp" in {one.get("const") for one in spec["kind"]["anyOf"]}
    assert spec["ttl"]["description"].startswith("How long its evidence stays fresh")
