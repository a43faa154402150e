from __future__ import annotations

import pytest

from console.rehearsal.sim.kubernetes.kubectl.apply import apply
from console.rehearsal.sim.kubernetes.kubectl.owned_fields import Writer
from console.rehearsal.sim.kubernetes.kubectl.patch import json_patch, merge, strategic
from console.rehearsal.sim.kubernetes.objects import Obj, Value
from console.rehearsal.sim.kubernetes.problems import KubeError


def writer(manager: str, time: str = "t") -> Writer:
    return Writer(manager=manager, operation="Apply", api_version="v1", subresource="", time=time)


def containers(*named: tuple[str, str]) -> Obj:
    listed: list[Value] = [{"name": name, "image": image} for name, image in named]
    return {"spec": {"containers": listed}}


def test_a_merge_patch_removes_by_null_and_replaces_lists() -> None:
    assert merge({"a": 1, "b": {"c": [1, 2], "d": 3}}, {"a": None, "b": {"c": [9]}}) == {
        "b": {"c": [9], "d": 3}
    }


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "add", "path": "/l/-", "value": 3}, {"l": [1, 2, 3], "m": {"x/y": 1}}),
        ({"op": "add", "path": "/l/0", "value": 0}, {"l": [0, 1, 2], "m": {"x/y": 1}}),
        ({"op": "replace", "path": "/l/1", "value": 5}, {"l": [1, 5], "m": {"x/y": 1}}),
        ({"op": "remove", "path": "/m/x~1y"}, {"l": [1, 2], "m": {}}),
        ({"op": "move", "from": "/l/0", "path": "/m/z"}, {"l": [2], "m": {"x/y": 1, "z": 1}}),
        ({"op": "copy", "from": "/l", "path": "/m"}, {"l": [1, 2], "m": [1, 2]}),
        ({"op": "test", "path": "/l/0", "value": 1}, {"l": [1, 2], "m": {"x/y": 1}}),
    ],
)
def test_json_patch(operation: Obj, left: Obj) -> None:
    assert json_patch({"l": [1, 2], "m": {"x/y": 1}}, [operation]) == left


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "replace", "path": "/none", "value": 1}, 422),
        ({"op": "remove", "path": "/l/9"}, 422),
        ({"op": "test", "path": "/l/0", "value": 7}, 422),
        ({"op": "bend", "path": "/l"}, 400),
    ],
)
def test_a_json_patch_that_does_not_apply(operation: Obj, code: int) -> None:
    with pytest.raises(KubeError) as refused:
        json_patch({"l": [1, 2]}, [operation])
    assert refused.value.code == code


def test_a_strategic_patch_merges_by_key_and_puts_new_members_first() -> None:
    live = containers(("web", "web:1"), ("side", "side:1"))
    patched = strategic(live, containers(("side", "side:2"), ("new", "new:1")))
    assert patched == containers(("web", "web:1"), ("side", "side:2"), ("new", "new:1"))
    assert strategic(containers(("web", "web:1")), containers(("new", "new:1"))) == containers(
        ("new", "new:1"), ("web", "web:1")
    )


def test_the_directives_of_a_strategic_patch() -> None:
    live = containers(("web", "web:1"), ("side", "side:1"))
    assert strategic(live, {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}) == containers(
        ("web", "web:1")
    )
    replaced = {"spec": {"containers": [{"name": "only", "image": "o:1"}, {"$patch": "replace"}]}}
    assert strategic(live, replaced) == containers(("only", "o:1"))
    order = {"spec": {"$setElementOrder/containers": [{"name": "side"}, {"name": "web"}]}}
    assert strategic(live, order) == containers(("side", "side:1"), ("web", "web:1"))
    kept = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategic({"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}, kept) == {
        "strategy": {"type": "Recreate"}
    }
    primitives = {"$deleteFromPrimitiveList/finalizers": ["b"], "finalizers": ["c"]}
    assert strategic({"finalizers": ["a", "b"]}, primitives) == {"finalizers": ["c", "a"]}


def test_an_apply_takes_back_only_what_its_manager_had_set() -> None:
    live: Obj = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "data": {"hand": "made"}}
    first = apply(live, {"metadata": {"name": "x"}, "data": {"a": "1", "b": "2"}}, writer("helm"))
    second = apply(first, {"metadata": {"name": "x"}, "data": {"b": "3"}}, writer("helm"))
    assert second["data"] == {"hand": "made", "b": "3"}
    other = apply(second, {"metadata": {"name": "x"}, "data": {}}, writer("kubectl"))
    assert other["data"] == {"hand": "made", "b": "3"}


def test_an_apply_merges_ports_by_number_and_protocol() -> None:
    def ports(*numbers: int) -> Obj:
        listed: list[Value] = [{"containerPort": number} for number in numbers]
        return {"spec": {"containers": [{"name": "web", "ports": listed}]}}

    first = apply({}, ports(80, 81), writer("helm"))
    assert apply(first, ports(81, 82), writer("helm"))["spec"] == ports(81, 82)["spec"]
