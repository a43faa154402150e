"""What ``runbook check`` says of a mistake: where, as a person names it, what is expected, and what was meant."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path

import pytest
import yaml

from console.engine.checks.validate import load_judgeable
from state.runbook.key_places import keys_at, spoken
from state.runbook.load import Problem, RunbookError
from state.runbook.models import Runbook
from tests.paths import ROOT

EXAMPLE = ROOT / "examples" / "web-service.yaml"
OF_PYDANTIC = re.compile(
    r"Input should|Extra inputs|validation|permitted|valid string|Field required|instance of|Value error"
    r"|should have at least|unable to parse|valid (?:integer|number|dictionary|tuple|boolean)|pydantic"
)


def problems(folder: Path, text: str) -> list[Problem]:
    path = folder / "book.yaml"
    path.write_text(text)
    with pytest.raises(RunbookError) as caught:
        load_judgeable(path)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version: "2026.11.3"', "version: 2026.10", 'candidate.version: quote it: "2026.10"'),
        ("candidate:\n", "candiate:\n", "candiate: this key is not known here: did you mean candidate?"),
        ("candidate:\n", "candiate:\n", "candidate: is missing: candiate looks like it, misspelt"),
        (
            "min_days: 30",
            "min_day: 30",
            "item 2.1: check 1: with.min_day: this key is not known here: did you mean",
        ),
        ("min_days: 30", "min_days: soon", "item 2.1: check 1: with.min_days: expected a"),
        (
            "with: { min_days: 30 }",
            "wiht: { min_days: 30 }",
            "item 2.1: check 1: wiht: this key is not known here: did",
        ),
        ("kind: tls.certificates", "kind: tls.certificate", "item 2.1: check 1: kind: there is no kind"),
        ("roles: [observer]", "roles: []", "person observer: roles: give at least one role"),
        ("roles: [observer]", "roles: [observr]", "person observer: roles 1: nothing asks for observr"),
        ("roles: [observer]", "roles: [observr]", "is observer meant?"),
        ("roles: [observer]", "roles: observer", "person observer: roles: a list was expected here"),
        (
            "database: { url: { env: SHOP_STAGING_DATABASE_URL } }",
            "database: { url: 'postgresql://a:canary@b/c' }",
            "environments.staging.database.url: never write a secret here",
        ),
        (
            "database: { url: { env: SHOP_STAGING_DATABASE_URL } }",
            "database: { url: 12345 }",
            "never write a secret here",
        ),
        (
            "database: { url: { env: SHOP_STAGING_DATABASE_URL } }",
            "database: { url: { value: canary } }",
            "never write a secret here",
        ),
        (
            'prometheus: { url: "https://prometheus.staging.example" }',
            'prometheus: { url: "https://prometheus.staging.example", token: canary }',
            "environments.staging.prometheus.token: never write a secret here: say where it is found, { env: NAME }",
        ),
        (
            'prometheus: { url: "https://prometheus.staging.example" }',
            "prometheus: { url: prometheus }",
            "expected a URL",
        ),
        ("start: 2026-12-01T08:00:00Z", "start: tomorrow", "scope.window.start: expected a time"),
        ("start: 2026-12-01T08:00:00Z", "start: 2026-12-01T08:00:00", "scope.window.start: expected a time"),
        (
            "on_trip: ask\n  - id: latency",
            "on_trip: aks\n  - id: latency",
            "condition errors: on_trip: expected",
        ),
        ("on_trip: ask\n  - id: latency", "on_trip: aks\n  - id: latency", "did you mean ask?"),
        (
            "bad_absent_is_zero: true",
            "bad_absent_is_zero: maybe",
            "condition errors: bad_absent_is_zero: expected true or",
        ),
        (
            "env: production, gate: 5 }",
            "env: production, gate: five }",
            "operation production.deploy: gate: expected a whole",
        ),
        ("env: production, gate: 5 }", "env: prod, gate: 5 }", "operation production.deploy: env: expected"),
        ("modules: [catalogue, cart]", "modules: catalogue", "scope.modules: a list was expected here"),
        ("modules: [catalogue, cart]", "modules: []", "scope.modules: give at least one"),
        ('- id: "3.1"', "- id: 3.1", 'item 3.1: id: quote it: "3.1"'),
        ('- id: "3.1"', '- id: "3-1"', 'item 3.1: id: expected the number of an item in quotes, as in "3.2"'),
        ("  - number: 3\n", "  - number: 0\n", "gate 3: number: expected 1 or more"),
        (
            "kube: { context: shop-prod, namespace: shop-prod }",
            "kube: shop-prod",
            "environments.production.kube: keys with",
        ),
        ("minimum: 15m", "minmum: 15m", "bake.minmum: this key is not known here: did you mean minimum?"),
        (
            'health_path: /healthz\n    prometheus: { url: "https://prometheus.example" }',
            'healthpath: /healthz\n    prometheus: { url: "https://prometheus.example" }',
            "environments.production.healthpath: this key is not known here: did you mean health_path?",
        ),
        (
            "{ kind: scope.window }",
            "{ kind: scope.window, timeout: long }",
            "item 1.1: check 1: timeout: a duration such as",
        ),
    ],
)
def test_a_mistake_is_told_in_words(old: str, new: str, words: str, tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    assert old in text
    said = [str(one) for one in problems(tmp_path, text.replace(old, new, 1))]
    assert any(words in one for one in said), said
    assert not any(OF_PYDANTIC.search(one) or "canary" in one for one in said), said


ODD: tuple[object, ...] = (7, 2.5, True, None, "x y", "", [], [1], {}, {"odd": 1}, -1)


def _places(part: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [place] if place else []
    if isinstance(part, dict):
        for key, value in part.items():
            found += _places(value, (*place, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            found += _places(value, (*place, index))
    return found


def _found(path: Path) -> tuple[Problem, ...]:
    try:
        load_judgeable(path)
    except RunbookError as error:
        return error.problems
    return ()


def test_no_mistake_at_any_place_is_told_in_the_words_of_a_library(tmp_path: Path) -> None:
    """Twelve values at once are replaced by odd ones, so that hundreds of mistakes are looked at in a moment."""
    whole = yaml.load(EXAMPLE.read_text(), yaml.CSafeLoader)
    # The loader reads queries of graphs apart from the models: a syntax error of PromQL is in its own words.
    places = [one for one in _places(whole) if one[0] != "graphs" and len(one) > 1]
    draw = random.Random(11)
    seen = 0
    for _ in range(30):
        book = copy.deepcopy(whole)
        for place in draw.sample(places, 12):
            part = book
            try:
                for key in place[:-1]:
                    part = part[key]
                part[place[-1]] = draw.choice(ODD)
            except (KeyError, IndexError, TypeError):
                continue  # what it was in is replaced already
        path = tmp_path / "odd.yaml"
        path.write_text(yaml.dump(book, Dumper=yaml.CSafeDumper, sort_keys=False))
        found = [str(one) for one in _found(path)]
        seen += len(found)
        assert [one for one in found if OF_PYDANTIC.search(one)] == []
        assert [one for one in found if re.search(r"gates\.\d|items\.\d", one)] == []
    assert seen > 150


def test_places_are_named_as_people_name_them() -> None:
    data = {
        "gates": [{}, {"items": [{"id": 2.1}, {"id": "2.2", "checks": [{}, {}]}]}],
        "operations": [{"id": "a.b"}, {}],
    }
    said = {
        ("gates", "1", "title"): "gate 2: title",
        ("gates", "1", "items", "0", "id"): "item 2.1: id",
        ("gates", "1", "items", "1", "checks", "1", "with", "x"): "item 2.2: check 2: with.x",
        ("operations", "0", "gate"): "operation a.b: gate",
        ("operations", "1"): "operation 2",
        ("environments", "staging", "chart", "values", "0"): "environments.staging.chart: values 1",
        (): "runbook",
    }
    assert {place: spoken(place, data) for place in said} == said


def test_the_keys_of_every_part_are_known_through_lists_unions_and_names() -> None:
    assert "min" not in keys_at(Runbook, ())
    assert {"candidate", "gates"} <= keys_at(Runbook, ())
    assert {"with", "kind"} <= keys_at(Runbook, ("gates", "0", "items", "2", "checks", "0"))
    assert {"host", "pin"} <= keys_at(Runbook, ("environments", "staging", "domains", "api"))
    assert {"env", "file"} <= keys_at(Runbook, ("environments", "staging", "database", "url"))
    assert keys_at(Runbook, ("nowhere", "0")) == set()
