"""Refusals, dry runs, conflicts and hooks, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import JsonObject, obj, objs, path
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.conftest import Served, serve
from tests.console.rehearsal.sim.kubernetes.making import deployment, job

SHOP = "/api/v1/namespaces/shop"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Served]:
    store = Store.open(None, ManualClock())
    store.create("namespaces", {"metadata": {"name": "shop"}})
    async with serve(store, KubeApi(store), tmp_path) as there:
        yield there


async def ask(
    there: Served, method: str, where: str, body: object = None, kind: str = "application/json"
) -> tuple[int, JsonObject]:
    headers = {"Content-Type": kind}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, there.url + where, json=body, headers=headers) as answer,
    ):
        return answer.status, obj(await answer.json(content_type=None))


async def test_what_is_not_there_is_not_found(still: Served) -> None:
    code, status = await ask(still, "GET", f"{SHOP}/pods/web")
    assert code == 404
    assert status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods "web" not found',
        "reason": "NotFound",
        "details": {"kind": "pods", "name": "web"},
        "code": 404,
    }
    assert (await ask(still, "GET", f"{SHOP}/wombats"))[0] == 404
    async with aiohttp.ClientSession() as session, session.get(f"{still.url}/elsewhere") as answer:
        assert (answer.status, await answer.text()) == (404, "404 page not found\n")
    assert (await ask(still, "POST", f"{SHOP}/pods/web", {}))[0] == 405


async def test_a_bad_object_is_invalid_with_every_cause(still: Served) -> None:
    bad = deployment(name="Web_1")
    bad["spec"] = {**obj(bad["spec"]), "selector": {"matchLabels": {"app": "other"}}}
    code, status = await ask(still, "POST", DEPLOYMENTS, bad)
    assert (code, status["reason"]) == (422, "Invalid")
    fields = [cause["field"] for cause in objs(path(status, ("details", "causes")))]
    assert fields == ["metadata.name", "spec.template.metadata.labels"]
    assert still.store.scan("deployments") == []


async def test_a_job_cannot_change_its_template(still: Served) -> None:
    still.store.create("jobs", job())
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "migrate", "image": "other:1"}]}}}}
    where = "/apis/batch/v1/namespaces/shop/jobs/migrate"
    code, status = await ask(still, "PATCH", where, patch, "application/strategic-merge-patch+json")
    assert (code, path(objs(path(status, ("details", "causes")))[0], ("field",))) == (422, "spec.template")


async def test_a_write_on_an_old_version_conflicts(still: Served) -> None:
    made = still.store.create("configmaps", {"metadata": {"name": "c", "namespace": "shop"}})
    still.store.put("configmaps", {"metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "1"}})
    code, status = await ask(still, "PUT", f"{SHOP}/configmaps/c", {**made, "data": {"a": "2"}})
    assert (code, status["reason"]) == (409, "Conflict")
    assert "the object has been modified" in str(status["message"])
    code, status = await ask(still, "POST", f"{SHOP}/configmaps", {"metadata": {"name": "c"}})
    assert (code, status["reason"]) == (409, "AlreadyExists")


async def test_a_dry_run_stores_nothing(still: Served) -> None:
    before = still.store.version
    code, made = await ask(still, "POST", f"{DEPLOYMENTS}?dryRun=All", deployment())
    assert code == 201
    assert path(made, ("spec", "strategy", "rollingUpdate", "maxSurge")) == "25%"
    assert (await ask(still, "DELETE", "/api/v1/namespaces/shop?dryRun=All"))[0] == 200
    assert still.store.version == before


async def test_names_are_generated_and_string_data_is_encoded(still: Served) -> None:
    body = {"metadata": {"generateName": "token-"}, "stringData": {"k": "v"}}
    _, first = await ask(still, "POST", f"{SHOP}/secrets", body)
    _, second = await ask(still, "POST", f"{SHOP}/secrets", body)
    assert str(path(first, ("metadata", "name"))).startswith("token-")
    assert path(first, ("metadata", "name")) != path(second, ("metadata", "name"))
    assert first["data"] == {"k": "dg=="}
    assert "stringData" not in first


async def test_status_and_the_rest_are_written_apart(still: Served) -> None:
    await ask(still, "POST", DEPLOYMENTS, {**deployment(), "status": {"replicas": 9}})
    merge = "application/merge-patch+json"
    _, body = await ask(still, "PATCH", f"{DEPLOYMENTS}/web/status", {"status": {"replicas": 1}}, merge)
    assert (path(body, ("status", "replicas")), path(body, ("metadata", "generation"))) == (1, 1)
    _, body = await ask(
        still, "PATCH", f"{DEPLOYMENTS}/web", {"status": {"replicas": 7}, "spec": {"paused": True}}, merge
    )
    assert (path(body, ("status", "replicas")), path(body, ("metadata", "generation"))) == (1, 2)
    _, scale = await ask(still, "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}}, merge)
    assert (scale["kind"], path(scale, ("spec", "replicas"))) == ("Scale", 5)


async def test_a_hook_can_answer_in_the_servers_place(still: Served) -> None:
    async def broken(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=500, text="etcd is down") if "configmaps" in request.path else None

    still.api.hooks.append(broken)
    assert (await ask(still, "GET", f"{SHOP}/pods"))[0] == 200
    async with aiohttp.ClientSession() as session, session.get(f"{still.url}{SHOP}/configmaps") as answer:
        assert answer.status == 500


async def test_a_body_that_cannot_be_read_is_refused(still: Served) -> None:
    assert (await ask(still, "POST", f"{SHOP}/secrets", {}, "text/plain"))[0] == 415
    assert (await ask(still, "POST", f"{SHOP}/secrets", {}, "application/vnd.kubernetes.protobuf"))[0] == 400
    assert (await ask(still, "POST", f"{SHOP}/secrets", {"kind": "Pod", "apiVersion": "v1"}))[0] == 400
    assert (await ask(still, "POST", f"{SHOP}/secrets", {"metadata": {"name": "s", "namespace": "x"}}))[
        0
    ] == 400
    assert (await ask(still, "GET", f"{SHOP}/pods?labelSelector=a%20b"))[0] == 400
    assert (await ask(still, "GET", f"{SHOP}/pods?fieldSelector=spec.wombat%3D1"))[0] == 400
    assert (await ask(still, "GET", f"{SHOP}/pods?limit=some"))[0] == 400
