"""Equal without the server's word: quantities exactly, zeros, bytes; and never more than that."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest

from checks.rendered import UnreadableManifestError, documents
from console.engine.operations.compare.by_type import differences
from console.engine.operations.compare.drift import by_type
from console.engine.operations.compare.places import words
from state.base import kube_yaml
from state.base.json import Json, JsonObject, obj
from state.base.quantities import quantity

REPORTS = Path(__file__).with_name("reports")
SUFFIXES = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["00-zero-and-false", "06-creation-timestamp-null", "07-cpu-0.7", "08-emptydir-1024Mi"]
)
def test_reports_of_good_releases_that_were_called_failed_are_equal(name: str) -> None:
    (expected,) = documents((REPORTS / name / "manifest.yaml").read_text())
    live = json.loads((REPORTS / name / "live.json").read_text())
    assert [words(place) for place, *_ in by_type(expected, live)] == []


def test_every_thousandth_of_a_cpu_is_what_kubernetes_makes_of_it() -> None:
    wrong = [at for at in range(1, 4001) if quantity(at / 1000) != quantity(f"{at}m")]
    assert wrong == []


def test_quantities_are_exact_with_every_suffix() -> None:
    draw = random.Random(7)
    for _ in range(3000):
        suffix, power = draw.choice(sorted(SUFFIXES.items()))
        digits = draw.randint(0, 10**6)
        value = Decimal(digits).scaleb(power)
        assert quantity(f"{digits}{suffix}") == value
        assert quantity(f"{digits}e{power}") == value
        assert quantity(f"{digits + 1}{suffix}") != value
        at = draw.randint(1, 6)
        binary = f"{'KMGTPE'[at - 1]}i"
        assert quantity(f"{digits}{binary}") == digits * 1024**at
    assert quantity("1.5Gi") == quantity("1536Mi") == quantity(1610612736)
    assert quantity("0.1n") == quantity("1n")
    assert quantity("-500m") == quantity(-0.5)
    for none in ("", "Gi", "1 Gi", "1GI", "1K", "0x1", "1e", "abc", True, None, "1" * 200, "nan", "inf"):
        assert quantity(none) is None, none


@pytest.mark.parametrize(
    ("kind", "expected", "live"),
    [
        ("Deployment", {"spec": {"hostNetwork": False, "n": 0, "s": "", "l": [], "o": {}, "z": None}}, {"spec": {}}),
        ("Deployment", {"spec": {"strategy": {"rollingUpdate": {"maxSurge": None}}}}, {"spec": {}}),
        ("Role", {"rules": []}, {"rules": None}),
        ("Secret", {"data": {"a": "YWJj\nZGVm\n"}}, {"data": {"a": "YWJjZGVm"}}),
        ("ValidatingWebhookConfiguration", {"caBundle": "Cg=="}, {"caBundle": "Cg=="}),
        ("ResourceQuota", {"spec": {"hard": {"cpu": "4000m", "memory": "8192Mi"}}},
         {"spec": {"hard": {"cpu": "4", "memory": "8Gi"}}}),
        ("Deployment", {"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "1024Mi"}}]},
         {"volumes": [{"name": "x"}, {"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}]}),
        ("Service", {"spec": {"clusterIP": "", "ports": [{"port": 80, "nodePort": 0}]}},
         {"spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30001}]}}),
    ],
)  # fmt: skip
def test_the_same_to_the_api(kind: str, expected: JsonObject, live: JsonObject) -> None:
    assert list(differences(kind, expected, live)) == []


@pytest.mark.parametrize(
    ("kind", "expected", "live", "place"),
    [
        ("ConfigMap", {"data": {"size": "1000m"}}, {"data": {"size": "1"}}, "data.size"),
        ("ConfigMap", {"data": {"a": ""}}, {"data": {"a": "x"}}, "data.a"),
        ("Secret", {"data": {"a": "YWJj"}}, {"data": {"a": "YWJk"}}, "data.a"),
        ("Deployment", {"metadata": {"annotations": {"a": "1e3"}}}, {"metadata": {"annotations": {"a": "1000"}}},
         "metadata.annotations.a"),
        ("Deployment", {"containers": [{"name": "c", "args": ["1000m"]}]},
         {"containers": [{"name": "c", "args": ["1"]}]},
         "containers[c].args"),
        ("Deployment", {"containers": [{"name": "c", "env": [{"name": "A", "value": "1"}]}]},
         {"containers": [{"name": "c", "env": [{"name": "A", "value": "1.0"}]}]}, "containers[c].env[A].value"),
        ("Deployment", {"spec": {"minReadySeconds": 0}}, {"spec": {"minReadySeconds": 1}}, "spec.minReadySeconds"),
        ("Deployment", {"spec": {"paused": False}}, {"spec": {"paused": True}}, "spec.paused"),
        ("Role", {"rules": []}, {"rules": [{"verbs": ["get"]}]}, "rules"),
        ("Role", {"rules": [{"verbs": ["get", "list"]}]}, {"rules": [{"verbs": ["list", "get"]}]}, "rules"),
        ("Deployment", {"spec": {"replicas": 2}}, {"spec": {}}, "spec.replicas"),
        ("Deployment", {"r": {"cpu": "0.7"}}, {"r": {"cpu": "701m"}}, "r.cpu"),
    ],
)  # fmt: skip
def test_not_the_same(kind: str, expected: JsonObject, live: JsonObject, place: str) -> None:
    assert [words(where) for where, *_ in differences(kind, expected, live)] == [place]


def test_manifests_of_the_reports_are_read_as_helm_reads_them() -> None:
    (ops,) = documents((REPORTS / "01-unquoted-equals" / "extra.yaml").read_text())
    assert ops["data"] == {"operator": "="}
    (dated,) = documents((REPORTS / "04-date" / "dated.yaml").read_text())
    assert json.dumps(dated)
    assert obj(obj(dated["metadata"])["annotations"])["licence-expires"] == "2027-03-25"
    args = obj(kube_yaml.load((REPORTS / "05-time-of-day" / "container-args.yaml").read_text()))
    assert args["args"] == ["--quiet-from", "22:30"]
    roles = (REPORTS / "03-list-kind" / "roles.yaml").read_text().replace("{{ .Release.Namespace }}", "shop")
    assert [(one["kind"], obj(one["metadata"])["name"]) for one in documents(roles)] == [("Role", "reader")]


def test_members_of_a_list_have_its_kind_where_they_name_none() -> None:
    found = documents("apiVersion: v1\nkind: ConfigMapList\nitems: [ { metadata: { name: a } } ]\n")
    assert found == [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}]


def test_what_is_no_yaml_is_never_no_objects() -> None:
    with pytest.raises(UnreadableManifestError):
        documents("kind: ConfigMap\n---\nkind: [\n")


def test_random_objects_equal_their_stored_form_and_no_other() -> None:
    """An object as the API might store it: zeros dropped, quantities written anew; then one leaf is changed."""
    draw = random.Random(3)
    for _ in range(400):
        expected = {f"f{n}": _value(draw, 3) for n in range(4)}
        stored = _stored(expected)
        assert list(differences("Thing", expected, stored)) == [], (expected, stored)
        changed, at = _changed(stored, draw)
        if at:
            assert list(differences("Thing", expected, changed)), (expected, at)


def _value(draw: random.Random, depth: int) -> Json:
    if depth and draw.random() < 0.4:
        return {f"k{n}": _value(draw, depth - 1) for n in range(draw.randint(1, 3))}
    if depth and draw.random() < 0.2:
        return [{"name": f"n{n}", "v": _value(draw, depth - 1)} for n in range(draw.randint(1, 3))]
    return draw.choice([False, True, 0, 7, "", "word", "1500m", "0.25", "1024Mi", None, "22:30", "=", {}, []])


def _stored(value: Json) -> Json:
    if isinstance(value, dict):
        kept = {key: _stored(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in (None, False, 0, "", [])}
    if isinstance(value, list):
        return [_stored(one) for one in value]
    again = {"1500m": "1.5", "0.25": "250m", "1024Mi": "1Gi"}
    return again.get(value, value) if isinstance(value, str) else value


def _changed(value: Json, draw: random.Random) -> tuple[Json, str]:
    """Return a copy with one leaf changed, and where."""
    if isinstance(value, dict) and value:
        key = draw.choice(sorted(value))
        inner, at = _changed(value[key], draw)
        return {**value, key: inner}, f"{key}/{at}" if at else ""
    if isinstance(value, list) and value:
        at_n = draw.randrange(len(value))
        member = value[at_n]
        if not isinstance(member, dict) or "v" not in member:
            return value, ""
        inner, at = _changed(member["v"], draw)
        return [
            {**member, "v": inner} if n == at_n else one for n, one in enumerate(value)
        ], f"{at_n}/{at}" if at else ""
    if isinstance(value, dict | list):
        return value, ""
    return ("another", "leaf")
