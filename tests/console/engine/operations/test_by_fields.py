"""Live objects held against the set of fields that the server tells, at its marks of list members."""

from __future__ import annotations

import json

import pytest

from console.engine.operations.compare.drift import by_fields
from console.engine.operations.compare.places import members_of, words
from state.base.json import Json, JsonObject

_UDP: JsonObject = {"containerPort": 9090, "protocol": "UDP"}
_TCP: JsonObject = {"containerPort": 9090, "protocol": "TCP"}
_OTHER: JsonObject = {"containerPort": 53, "protocol": "UDP", "name": "dns"}
_SET: JsonObject = {"containerPort": 9090, "protocol": ""}


def _of(ports: list[Json]) -> JsonObject:
    return {"kind": "Deployment", "spec": {"ports": ports}}


def _differs(expected: list[Json], answer: list[Json], live: list[Json], *keys: JsonObject) -> list[str]:
    marks: JsonObject = {
        f"k:{json.dumps(key)}": {".": {}, **{f"f:{name}": {} for name in key}} for key in keys
    }
    fields: JsonObject = {"f:spec": {"f:ports": marks}}
    return [words(place) for place, *_ in by_fields(fields, _of(expected), _of(answer), _of(live))]


@pytest.mark.parametrize(
    ("answer", "live", "found"),
    [
        ([_TCP], [_TCP], False),
        ([_OTHER, _TCP], [_OTHER, _TCP], False),
        ([_TCP, _TCP, _TCP], [_TCP, _TCP], False),  # helm 4 adds it anew at every upgrade
        ([_UDP, _TCP], [_UDP], True),
        ([_UDP, _TCP], [_UDP, _TCP], False),  # somebody's own beside it
        ([_OTHER, _TCP], [_OTHER], True),
        ([_TCP], [], True),
    ],
)
def test_a_port_whose_protocol_is_empty_is_the_default_one(
    answer: list[Json], live: list[Json], found: bool
) -> None:
    assert bool(_differs([_SET], answer, live, _SET)) is found


def test_a_mark_is_a_member_exactly_where_one_is() -> None:
    mark = f"k:{json.dumps(_TCP)}"
    assert members_of([_UDP, _TCP], mark) == [(1, _TCP)]
    assert members_of([_UDP], mark) == []
    assert members_of([_UDP, _OTHER], f"k:{json.dumps(_SET)}") == [(0, _UDP)]
    assert members_of([_UDP], 'k:{"protocol":""}') == []
    assert members_of(["a"], 'v:"a"') == [(0, "a")]
    assert members_of("ab", 'v:"a"') == []
    assert members_of([_UDP], "k:no JSON") == []


def _pod(secrets: list[Json], manager: str) -> JsonObject:
    owned: JsonObject = {"f:spec": {"f:imagePullSecrets": {'k:{"name":"by-hand"}': {}}}}
    meta: JsonObject = {"managedFields": [{"manager": manager, "operation": "Update", "fieldsV1": owned}]}
    return {"kind": "Deployment", "metadata": meta, "spec": {"imagePullSecrets": secrets}}


@pytest.mark.parametrize(
    ("manager", "live", "found"),
    [
        ("kubectl-edit", [{"name": "by-hand"}], True),
        ("kubectl-edit", [{}], True),
        ("kubectl-edit", [], False),
        ("clusterrole-aggregation-controller", [{"name": "by-hand"}], False),
    ],
)
def test_a_list_that_is_empty_in_the_manifest_and_was_filled_differs(
    manager: str, live: list[Json], found: bool
) -> None:
    expected: JsonObject = {"kind": "Deployment", "spec": {"imagePullSecrets": []}}
    stored = _pod(live, manager)
    told = [words(place) for place, *_ in by_fields({"f:spec": {}}, expected, stored, stored)]
    assert told == (["spec.imagePullSecrets"] if found else [])
