"""Who owns a field, and whom a server-side apply runs into, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import JsonObject, obj, objs, path, text
from tests.clocks import ManualClock
from tests.cluster.kube_api import APPLY, KubeHttp
from tests.console.rehearsal.sim.kubernetes.conformance_cases import config, workload
from tests.console.rehearsal.sim.kubernetes.conftest import serve

MAPS = "/api/v1/namespaces/shop/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[KubeHttp]:
    store = Store.open(None, ManualClock())
    store.create("namespaces", {"metadata": {"name": "shop"}})
    async with serve(store, KubeApi(store), tmp_path) as there, KubeHttp(there.url, None) as asking:
        yield asking


async def applied(
    api: KubeHttp, where: str, body: JsonObject, manager: str, **query: str
) -> tuple[int, JsonObject]:
    name = text(obj(body["metadata"]), "name")
    return await api.ask(
        "PATCH", f"{where}/{name}", body, query={"fieldManager": manager, **query}, kind=APPLY
    )


async def test_what_was_scaled_by_another_is_a_conflict(api: KubeHttp) -> None:
    body = workload("web", replicas=2)
    assert (await applied(api, DEPLOYMENTS, body, "helm"))[0] == 201
    scaled: JsonObject = {"spec": {"replicas": 4}}
    query = {"fieldManager": "kube-controller-manager"}
    kind = "application/merge-patch+json"
    assert (await api.ask("PATCH", f"{DEPLOYMENTS}/web/scale", scaled, query=query, kind=kind))[0] == 200
    code, answer = await applied(api, DEPLOYMENTS, body, "helm")
    assert (code, answer["reason"]) == (409, "Conflict")
    assert answer["message"] == (
        'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" '
        "using apps/v1: .spec.replicas"
    )
    assert objs(path(answer, ("details", "causes")))[0]["field"] == ".spec.replicas"
    code, answer = await applied(api, DEPLOYMENTS, body, "helm", force="true")
    assert (code, path(answer, ("spec", "replicas"))) == (200, 2)
    assert (await applied(api, DEPLOYMENTS, body, "helm"))[0] == 200


async def test_the_same_value_is_no_conflict(api: KubeHttp) -> None:
    await applied(api, MAPS, config("both", {"a": "1"}), "one")
    assert (await applied(api, MAPS, config("both", {"a": "1"}), "two"))[0] == 200
    code, answer = await applied(api, MAPS, config("both", {"a": "2"}), "three")
    assert code == 409
    assert "2 conflicts" in text(answer, "message")


async def test_who_creates_owns_and_who_changes_takes_over(api: KubeHttp) -> None:
    await api.need(
        "POST", MAPS, config("made", {"a": "1", "b": "1"}), query={"fieldManager": "kubectl-create"}
    )
    code, answer = await applied(api, MAPS, config("made", {"a": "2"}), "helm")
    assert (code, 'conflict with "kubectl-create" using v1: .data.a' in text(answer, "message")) == (
        409,
        True,
    )
    await api.need("PATCH", f"{MAPS}/made", {"data": {"a": "2"}}, kind="application/merge-patch+json")
    code, answer = await applied(api, MAPS, config("made", {"a": "3"}), "helm")
    assert (code, "kubectl-create" in text(answer, "message")) == (409, False)
    entries = objs(path(await api.get(f"{MAPS}/made"), ("metadata", "managedFields")))
    owned = {text(one, "manager"): obj(obj(one["fieldsV1"])["f:data"]) for one in entries}
    assert owned.pop("kubectl-create") == {"f:b": {}}
    assert list(owned.values()) == [{"f:a": {}}]


async def test_a_quantity_in_another_spelling_is_no_conflict(api: KubeHttp) -> None:
    def sized(memory: str) -> JsonObject:
        container: JsonObject = {"name": "web", "image": "shop/web:1"}
        limited: JsonObject = {**container, "resources": {"limits": {"memory": memory}}}
        pod: JsonObject = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [limited]}}
        return workload("web", pod=pod)

    await applied(api, DEPLOYMENTS, sized("1Gi"), "one")
    assert (await applied(api, DEPLOYMENTS, sized("1024Mi"), "two"))[0] == 200
    code, answer = await applied(api, DEPLOYMENTS, sized("2Gi"), "two")
    assert code == 409
    wanted = '.spec.template.spec.containers[name="web"].resources.limits.memory'
    assert wanted in text(answer, "message")
