"""The machine's own kubectl against the rehearsal's cluster."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import objs, path
from tests.console.rehearsal.sim.kubernetes.conftest import Served, serve
from tests.console.rehearsal.sim.kubernetes.making import cronjob, deployment

pytestmark = [pytest.mark.wire, pytest.mark.needs("kubectl")]

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: %s
"""


async def test_it_makes_a_namespace_and_a_secret(cluster: Served) -> None:
    assert await cluster.kubectl("create", "namespace", "launch") == "namespace/launch created\n"
    await cluster.kubectl(
        "-n", "launch", "create", "secret", "generic", "db", "--from-literal=URL=postgres://x"
    )
    kept = cluster.store.need("secrets", "launch", "db")
    assert kept["data"] == {"URL": base64.b64encode(b"postgres://x").decode()}
    assert kept["type"] == "Opaque"
    again = await cluster.kubectl("create", "namespace", "launch", code=1)
    assert again == 'Error from server (AlreadyExists): namespaces "launch" already exists\n'
    nowhere = await cluster.kubectl("-n", "nowhere", "create", "configmap", "x", code=1)
    assert nowhere == 'error: failed to create configmap: namespaces "nowhere" not found\n'
    assert await cluster.kubectl("delete", "namespace", "launch") == 'namespace "launch" deleted\n'
    assert cluster.store.peek("secrets", "launch", "db") is None


async def test_it_follows_a_rollout_and_undoes_it(cluster: Served) -> None:
    cluster.store.create("deployments", deployment())
    done = await cluster.kubectl("rollout", "status", "deployment/web")
    assert done.endswith('deployment "web" successfully rolled out\n')
    await cluster.kubectl("set", "image", "deployment/web", "web=shop/web:2")
    await cluster.kubectl("rollout", "status", "deployment/web")
    await cluster.kubectl("rollout", "undo", "deployment/web")
    await cluster.kubectl("rollout", "status", "deployment/web")
    sets = json.loads(await cluster.kubectl("get", "rs", "-o", "json"))["items"]
    assert len(sets) == 2
    assert "2         <none>\n3         <none>" in await cluster.kubectl(
        "rollout", "history", "deployment/web"
    )
    await cluster.kubectl("scale", "deployment/web", "--replicas=1")
    await cluster.kubectl("wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=30s")


async def test_get_prints_the_servers_columns(cluster: Served) -> None:
    cluster.store.create("deployments", deployment(replicas=1))
    await cluster.kubectl("rollout", "status", "deployment/web")
    everything = await cluster.kubectl(
        "get", "pods,deployments,replicasets,ingresses,nodes,namespaces,events"
    )
    assert "READY   UP-TO-DATE   AVAILABLE   AGE\ndeployment.apps/web   1/1     1            1 " in everything
    assert "1/1     Running   0 " in everything
    assert "Successfully assigned shop/web-" in everything
    wide = await cluster.kubectl("get", "pods", "-A", "-o", "wide", "-l", "app in (web),!gone")
    assert "NAMESPACE   NAME" in wide
    assert "rehearsal-node-1" in wide
    assert "No resources found" not in await cluster.kubectl("get", "all")


async def test_describe_reads_pods_and_deployments(cluster: Served) -> None:
    cluster.store.create("deployments", deployment(replicas=1))
    await cluster.kubectl("rollout", "status", "deployment/web")
    pod = await cluster.kubectl("describe", "pod", "-l", "app=web")
    assert "Controlled By:  ReplicaSet/web-" in pod
    assert "Image ID:       shop/web@sha256:" in pod
    assert "Started container web" in pod
    assert "Progressing    True    NewReplicaSetAvailable" in await cluster.kubectl(
        "describe", "deployment", "web"
    )
    assert "rehearsal-node-1" in await cluster.kubectl("describe", "node", "rehearsal-node-1")


async def test_a_job_is_made_from_a_cron_job_and_its_log_read(cluster: Served) -> None:
    cluster.store.create("cronjobs", cronjob())
    assert (
        await cluster.kubectl("create", "job", "once", "--from=cronjob/nightly") == "job.batch/once created\n"
    )
    await cluster.kubectl("wait", "--for=condition=complete", "job/once", "--timeout=30s")
    containers = path(cluster.store.need("jobs", "shop", "once"), ("spec", "template", "spec", "containers"))
    assert [container["args"] for container in objs(containers)] == [["tidy"]]
    pod = (await cluster.kubectl("get", "pods", "-l", "job-name=once", "-o", "name")).strip()
    assert await cluster.kubectl("logs", pod, "--tail=1") == "three from nightly\n"
    assert (await cluster.kubectl("logs", "-f", pod)).startswith("one from shop\n")
    assert await cluster.kubectl("delete", "job", "once") == 'job.batch "once" deleted\n'
    assert "NotFound" in await cluster.kubectl("get", pod, code=1)


async def test_apply_patch_label_and_delete(cluster: Served) -> None:
    await cluster.kubectl("apply", "-f", "-", given=CONFIG % '{a: "1", b: "2"}')
    assert "configured" in await cluster.kubectl("apply", "-f", "-", given=CONFIG % '{a: "1"}')
    assert cluster.store.need("configmaps", "shop", "settings")["data"] == {"a": "1"}
    for data in ('{c: "1", d: "2"}', '{c: "3"}'):
        await cluster.kubectl("apply", "--server-side", "-f", "-", given=CONFIG % data)
    assert cluster.store.need("configmaps", "shop", "settings")["data"] == {"a": "1", "c": "3"}
    added = '[{"op": "add", "path": "/data/e", "value": "5"}]'
    await cluster.kubectl("patch", "configmap", "settings", "--type=json", "-p", added)
    await cluster.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"a": null}}')
    await cluster.kubectl("label", "configmap", "settings", "tier=web")
    assert cluster.store.need("configmaps", "shop", "settings")["data"] == {"c": "3", "e": "5"}
    assert await cluster.kubectl("delete", "configmap", "-l", "tier=web", "--dry-run=server")
    assert cluster.store.peek("configmaps", "shop", "settings") is not None
    assert await cluster.kubectl("delete", "configmap", "-l", "tier=web") == 'configmap "settings" deleted\n'


async def test_a_strategic_patch_merges_containers_by_name(cluster: Served) -> None:
    await cluster.kubectl("create", "deployment", "two", "--image=shop/two:1", "--replicas=1")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "shop/side:1"}]}}}}
    await cluster.kubectl("patch", "deployment", "two", "-p", json.dumps(patch))
    images = await cluster.kubectl("get", "deployment", "two", "-o", "jsonpath={..containers[*].image}")
    assert images == "shop/side:1 shop/two:1"


async def test_watching_shows_each_change(cluster: Served) -> None:
    watching = await cluster.start("get", "configmaps", "-w", "-o", "name")
    assert watching.stdout is not None
    for name in ("first", "second"):
        await asyncio.sleep(0)
        cluster.store.create("configmaps", {"metadata": {"name": name, "namespace": "shop"}})
        line = await asyncio.wait_for(watching.stdout.readline(), 20)
        assert line.decode() == f"configmap/{name}\n"
    watching.terminate()
    await watching.communicate()


async def test_rights_are_asked_and_refused_in_kubernetes_words(tmp_path: Path) -> None:
    def may(user: str, verb: str, group: str, resource: str, namespace: str) -> bool:
        del group, namespace
        return user == "captain" and resource == "pods" and verb in ("get", "list")

    store = Store.open(None)
    api = KubeApi(store, tokens={"t0ken": "captain"}, authorize=may)
    async with serve(store, api, tmp_path, tls=True) as there:
        assert await there.kubectl("auth", "can-i", "list", "pods") == "yes\n"
        refused = await there.start("auth", "can-i", "delete", "pods")
        assert (await refused.communicate())[0].startswith(b"no")
        assert "[get list]" in await there.kubectl("auth", "can-i", "--list")
        assert "captain" in await there.kubectl("auth", "whoami")
        answer = await there.kubectl("get", "secrets", code=1)
        assert answer == (
            'Error from server (Forbidden): secrets is forbidden: User "captain" cannot list resource "secrets" '
            'in API group "" in the namespace "shop"\n'
        )
    async with serve(store, api, tmp_path, tls=True, token="stolen") as there:
        assert "asked for the client to provide credentials" in await there.kubectl("get", "pods", code=1)
