"""``launch-console checks list | show``: every kind is told from its model and docstring alone."""

from __future__ import annotations

import json

import pytest
import yaml

from checks.base import REGISTRY
from checks.registry import names
from console.__main__ import main
from console.cli.kinds.schema import settings_schema
from console.cli.kinds.told import spell
from state.base.json import obj, objs, text

KINDS = [name for name in names() if not name.startswith("test.")]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_shown_with_its_settings_and_an_example_that_fits(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["checks", "show", name]) == 0
    told = capsys.readouterr().out
    head, _, example = told.partition("\nEXAMPLE\n")
    words, _, settings = head.partition("SETTINGS")
    assert "Judge" in words
    for setting in REGISTRY[name].settings.model_fields:
        assert f"    {setting}: " in settings
    check = objs(obj(yaml.safe_load(example)).get("checks"))[0]
    assert text(check, "kind") == name
    REGISTRY[name].settings.model_validate(dict(obj(check.get("with"))))


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_says_what_it_means(name: str) -> None:
    schema = settings_schema(name)
    models = [schema, *(obj(one) for one in obj(schema.get("$defs")).values())]
    settings = {key: obj(one) for model in models for key, one in obj(model.get("properties")).items()}
    assert [key for key, setting in settings.items() if not text(setting, "description")] == []


def test_a_setting_is_told_with_type_default_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    main(["checks", "show", "audit.recorded"])
    told = capsys.readouterr().out
    assert "It leaves a failed login in the audit trail: in production it is asked for." in told
    assert "    path: text, required\n        The audit trail of the API.\n" in told
    assert "    within: number, or with its unit, such as 30s, 5m, default 30.0\n" in told


def test_the_list_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "list", "--json"]) == 0
    rows = objs(json.loads(capsys.readouterr().out))
    assert [text(row, "kind") for row in rows] == names()
    for row in rows:
        assert set(row) == {"kind", "family", "what", "judges", "ttl_s", "writes"}
        assert len(text(row, "what")) < 120
        assert text(row, "what").endswith(".") or text(row, "family").startswith("tests.")
    assert {text(r, "kind") for r in rows if r["writes"]} >= {
        "web.rate_limit",
        "audit.recorded",
        "alerts.routed",
    }
    assert main(["checks", "list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in names())


@pytest.mark.parametrize(
    ("asked", "message"),
    [("web.cps", "did you mean web.csp"), ("zzz", "checks list"), ("web.nothing", "web.")],
)
def test_an_unknown_kind_has_neighbours(asked: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "show", asked]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


def test_times_are_told_as_a_runbook_writes_them() -> None:
    assert [spell(one) for one in (7200, 5400, 90, 0.4)] == ["2h", "90m", "90s", "0s"]
