"""Unchanged is equal and changed is found: what the API server stores of manifests, held against them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from checks.clients.kube import KubeClient
from checks.clients.redact import Redactor
from console.engine.operations.compare.drift import Drift, by_type, drift_of
from console.engine.operations.compare.live_objects import LiveObjects, by_key
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, obj, path
from state.runbook.environment import Kube
from tests.cluster.control_plane import ADMINS
from tests.cluster.fields import changes
from tests.cluster.kube_api import JSON_PATCH, KubeHttp
from tests.cluster.shared import Cluster
from tests.paths import ROOT

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), pytest.mark.timeout(120)]

REPORTS = ROOT / "tests" / "console" / "engine" / "operations" / "reports"
OBJECTS = (Path(__file__).with_name("objects.yaml")).read_text()


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace with objects that helm might have made."""

    api: KubeHttp
    site: Site
    manifest: str

    async def make(self) -> None:
        asked = LiveObjects(self.site)
        keys = by_key(self.manifest, self.site.namespace)
        await asked.learn(list(keys))
        for key, one in keys.items():
            body = _stripped(key[2], one, namespaced=asked.namespaced(key))
            collection = asked.path(key).rpartition("/")[0]
            await self.api.need("POST", collection, body, query={"fieldManager": "helm"})

    async def drift(self) -> Drift:
        return await drift_of(self.site, self.manifest)

    async def change(self, where: str, ops: list[JsonObject], manager: str) -> JsonObject:
        query = {"fieldManager": manager}
        return await self.api.need("PATCH", where, ops, query=query, kind=JSON_PATCH)


def _stripped(namespace: str, one: JsonObject, *, namespaced: bool) -> JsonObject:
    meta = {key: value for key, value in obj(one.get("metadata")).items() if key != "namespace"}
    return {**one, "metadata": {**meta, "namespace": namespace} if namespaced else meta}


@asynccontextmanager
async def place(
    cluster: Cluster, api: KubeHttp, folder: Path, manifest: str, **groups: str
) -> AsyncIterator[Place]:
    namespace = await cluster.namespace(api, "equal")
    user = groups.get("user", "ann")
    config = cluster.kubeconfig(
        user, folder / "config", groups=[] if "user" in groups else [ADMINS], namespace=namespace
    )
    redactor = Redactor()
    kube = KubeClient(Kube(kubeconfig=config, context="tests", namespace=namespace), "tests", redactor)
    clients = SimpleNamespace(redactor=redactor, fingerprint=lambda value: str(len(value)))
    site = cast("Site", SimpleNamespace(namespace=namespace, kube=kube, clients=clients))
    try:
        yield Place(api, site, manifest.replace("NAMESPACE", namespace))
    finally:
        await kube.aclose()


async def test_what_was_applied_unchanged_is_equal(cluster: Cluster, api: KubeHttp, tmp_path: Path) -> None:
    async with place(cluster, api, tmp_path, OBJECTS) as there:
        await there.make()
        drift = await there.drift()
        assert (drift.failing, drift.told, drift.by_type) == ([], [], ())


async def test_every_change_that_the_api_allows_is_found_with_and_without_the_servers_word(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    async with place(cluster, api, tmp_path, OBJECTS) as there:
        await there.make()
        asked = LiveObjects(there.site)
        expected = by_key(there.manifest, there.site.namespace)
        live = await asked.get(list(expected))
        allowed: list[str] = []
        for key, one in expected.items():
            for change in changes(one, live[key]):
                query = {"fieldManager": "kubectl-edit", "dryRun": "All"}
                status, changed = await api.ask(
                    "PATCH", asked.path(key), [change], query=query, kind=JSON_PATCH
                )
                if status >= 400 or _bare(changed) == _bare(live[key]):
                    continue
                allowed.append(f"{key[1]} {json.dumps(change)}")
                assert list(by_type(one, changed)), allowed[-1]
        assert len(allowed) > 60
        # The server's word needs a real change: some of them, drawn anew with each run of a commit's tests.
        draw = random.Random(len(allowed))
        for key, one in draw.sample(sorted(expected.items(), key=lambda pair: pair[0]), 6):
            for change in draw.sample(found := list(changes(one, live[key])), min(3, len(found))):
                query = {"fieldManager": "kubectl-edit"}
                before = await api.get(asked.path(key))
                status, changed = await api.ask(
                    "PATCH", asked.path(key), [change], query=query, kind=JSON_PATCH
                )
                if status >= 400 or _bare(changed) == _bare(before):
                    continue
                drift = await there.drift()
                names = {each.object for each in drift.found}
                assert f"{key[1]}/{key[3]}" in names, (key, change)
                assert not drift.by_type or _refused(drift), drift.by_type


def _bare(one: JsonObject) -> str:
    meta = {
        k: v
        for k, v in obj(one.get("metadata")).items()
        if k not in {"managedFields", "generation", "resourceVersion"}
    }
    return json.dumps({**one, "metadata": meta, "status": None}, sort_keys=True)


def _refused(drift: Drift) -> bool:
    return all("422" in one or "409" in one for one in drift.by_type)


async def test_fields_of_others_are_told_with_their_manager_and_those_that_decide_what_runs_fail(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    manifest = (
        (REPORTS / "07-cpu-0.7" / "manifest.yaml")
        .read_text()
        .replace("spec:\n  sel", "spec:\n  replicas: 2\n  sel")
    )
    manifest += "---\n" + (REPORTS / "09-webhook-ca" / "webhook.yaml").read_text().replace(
        "shop-webhook", "NAMESPACE"
    )
    async with place(cluster, api, tmp_path, manifest) as there:
        await there.make()
        namespace = there.site.namespace
        deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/weba"
        hook = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{namespace}"
        scaled: JsonObject = {"spec": {"replicas": 3}}
        await api.need(
            "PATCH",
            f"{deployment}/scale",
            scaled,
            query={"fieldManager": "kube-controller-manager"},
            kind=MERGE,
        )
        ca: list[JsonObject] = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": CA}]
        await there.change(hook, ca, "ca-injector")
        drift = await there.drift()
        assert drift.failing == []
        ca_told = f'live webhooks[v.shop.example].clientConfig.caBundle is "{CA}" instead of "Cg==" (by ca-injector)'
        assert drift.told == [
            "Deployment/weba: live spec.replicas is 3 instead of 2 (by kube-controller-manager)",
            f"ValidatingWebhookConfiguration/{namespace}: {ca_told}",
        ]
        image: list[JsonObject] = [
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x/web:2"}
        ]
        await there.change(deployment, image, "kubectl-set")
        side: JsonObject = {"name": "mesh", "image": "mesh:1"}
        await there.change(
            deployment, [{"op": "add", "path": "/spec/template/spec/containers/-", "value": side}], "mesh"
        )
        drift = await there.drift()
        image_told = 'spec.template.spec.containers[web].image is "x/web:2" instead of "x/web:1"'
        assert drift.failing == [f"Deployment/weba: live {image_told} (by kubectl-set)"]
        assert "Deployment/weba: live spec.template.spec.containers[mesh] was added (by mesh)" in drift.told
        await api.need("DELETE", hook)


async def test_an_account_that_may_only_read_compares_by_type(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    async with place(cluster, api, tmp_path, OBJECTS, user="reader") as there:
        subject: JsonObject = {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
        role: JsonObject = {
            "kind": "ClusterRole",
            "name": "reads-all",
            "apiGroup": "rbac.authorization.k8s.io",
        }
        everything: list[Json] = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        await api.ask(
            "POST", f"{rbac}/clusterroles", {"metadata": {"name": "reads-all"}, "rules": everything}
        )
        meta: JsonObject = {"name": there.site.namespace}
        await api.create(
            f"{rbac}/clusterrolebindings", {"metadata": meta, "roleRef": role, "subjects": [subject]}
        )
        await there.make()
        async with asyncio.timeout(20):
            while True:
                try:
                    drift = await there.drift()
                    break
                except Exception:
                    await asyncio.sleep(0.2)
        assert (drift.failing, drift.told) == ([], [])
        assert len(drift.by_type) == len(by_key(there.manifest, there.site.namespace))
        assert all("403" in one for one in drift.by_type)
        assert (
            path(await api.get(f"/api/v1/namespaces/{there.site.namespace}/configmaps/dated"), ("data", "op"))
            == "="
        )


MERGE = "application/merge-patch+json"
CA = "LS0tLS1CRUdJTg=="
