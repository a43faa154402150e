"""The way back stays open on a real control plane, whoever took a field of the release meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.base.json import Json, JsonObject, obj, path
from state.view.enums import OperationState as State
from tests.cluster.kube_api import MERGE, KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import both_helms, debug
from tests.console.engine.operations.screen import told
from tests.console.engine.operations.stand import ANN

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), both_helms, pytest.mark.timeout(300)]

_BACKEND = "dotmac-backend"


async def _scaled_by_hand(real: RealLaunch, replicas: int) -> None:
    """Do what ``kubectl scale`` does: its field manager, and the scale subresource."""
    where = f"/apis/apps/v1/namespaces/{real.namespace}/deployments/{_BACKEND}/scale"
    query = {"fieldManager": "kubectl"}
    await real.api.need("PATCH", where, {"spec": {"replicas": replicas}}, query=query, kind=MERGE)


async def _autoscaled(real: RealLaunch, at_least: int) -> None:
    """Let an autoscaler that is not in the chart set a deployment's replicas, and wait until it has."""
    where = f"/apis/autoscaling/v2/namespaces/{real.namespace}/horizontalpodautoscalers"
    target: JsonObject = {"apiVersion": "apps/v1", "kind": "Deployment", "name": _BACKEND}
    spec: dict[str, Json] = {"minReplicas": at_least, "maxReplicas": 6, "scaleTargetRef": target}
    await real.api.create(where, {"metadata": {"name": "by-hand"}, "spec": spec})
    async with asyncio.timeout(40):
        while await _replicas(real) != at_least:  # noqa: ASYNC110  the cluster is asked
            await asyncio.sleep(0.2)


async def _replicas(real: RealLaunch) -> Json:
    return path(await real.get("deployments", _BACKEND), ("spec", "replicas"))


async def _managers(real: RealLaunch) -> set[tuple[Json, Json]]:
    """Return who manages the replicas, and how."""
    meta = obj((await real.get("deployments", _BACKEND)).get("metadata"))
    fields = meta.get("managedFields")
    assert isinstance(fields, list)
    return {
        (obj(one)["manager"], obj(one)["operation"])
        for one in fields
        if path(obj(one), ("fieldsV1", "f:spec", "f:replicas")) is not None
    }


async def test_replicas_that_a_person_took_stop_neither_deploy_nor_rollback(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    async with launched(cluster, api, tmp_path, major) as real:
        stand = real.stand
        await real.install()
        await _scaled_by_hand(real, 3)
        debug(stand.world.folder.values(Env.STAGING))
        preview = await stand.operations.preview("staging.deploy", ANN)
        lines = [one for one in preview.checks if "takes a field back" in one]
        assert len(lines) == 1, preview.checks
        assert ".spec.replicas is set back, which kubectl (scale) has taken" in lines[0]
        assert ("--force-conflicts" in lines[0]) == (major == 4)
        assert any("--force-conflicts" in one for one in preview.commands) == (major == 4)
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        assert await _replicas(real) == 2
        await _scaled_by_hand(real, 4)
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert any(".spec.replicas is set back" in one for one in preview.checks), preview.checks
        assert any("spec.replicas is 4 instead of 2" in one for one in preview.diff), preview.diff
        assert any("data.LOG_LEVEL" in one and "DEBUG" in one for one in preview.diff), preview.diff
        assert any("1 objects change, 1 drifted" in one for one in preview.checks), preview.checks
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)
        assert await real.revisions() == ["1 superseded", "2 superseded", "3 deployed"]
        assert await _managers(real) == {("helm", "Apply" if major == 4 else "Update")}


async def test_an_autoscaler_that_scales_in_a_bake_and_then_the_way_back(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    async with launched(cluster, api, tmp_path, major) as real:
        stand = real.stand
        await real.install()
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        await _autoscaled(real, 3)
        again = await stand.run("staging.deploy")
        assert again.state is State.SUCCEEDED, (again.verdict, again.output, stand.steps())
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "verified live" in told(stand)
        async with asyncio.timeout(20):
            while await _replicas(real) != 3:  # noqa: ASYNC110  the cluster is asked
                await asyncio.sleep(0.2)


async def test_a_rollback_that_fails_is_told_as_failed_with_the_reason_of_helm(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    """A policy refuses the old images: nothing is rolled back, and the bad revision is no good one afterwards."""
    async with launched(cluster, api, tmp_path, major, images={"backend": "crash"}, each_s=15) as real:
        stand = real.stand
        await real.install()
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        name = f"no-way-back-{real.namespace}"
        await _refuse(cluster, real, name)
        try:
            back = await stand.run("staging.rollback")
            assert back.state is State.FAILED, (back.verdict, back.output, stand.steps())
            assert "the rollback to revision 1 failed (revision 3 (failed))" in back.verdict
            assert "the old version is not allowed here" in back.verdict, back.verdict
            assert "rolled back" not in back.verdict
            assert "What runs now: " in back.verdict
        finally:
            await _refuse(cluster, real, name, gone=True)
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "revision 1 runs again (as revision 4), verified live" in told(stand)


async def _refuse(cluster: Cluster, real: RealLaunch, name: str, *, gone: bool = False) -> None:
    """Let the API server refuse every change of the namespace's deployments, or no longer."""
    group = "/apis/admissionregistration.k8s.io/v1"
    policies = f"{group}/validatingadmissionpolicies"
    bindings = f"{group}/validatingadmissionpolicybindings"
    if gone:
        for where in (bindings, policies):
            await real.api.need("DELETE", f"{where}/{name}")
        await asyncio.sleep(2)
        return
    rule: JsonObject = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["deployments"],
    }
    refusal: JsonObject = {"expression": "false", "message": "the old version is not allowed here"}
    spec: JsonObject = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "by-helm", "expression": "request.userInfo.username == 'ann'"}],
        "validations": [refusal],
    }
    await real.api.create(policies, {"metadata": {"name": name}, "spec": spec})
    labels: JsonObject = {"matchLabels": {"kubernetes.io/metadata.name": real.namespace}}
    bound: JsonObject = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": labels},
    }
    await real.api.create(bindings, {"metadata": {"name": name}, "spec": bound})
    where = f"/apis/apps/v1/namespaces/{real.namespace}/deployments/{_BACKEND}"
    async with asyncio.timeout(30), cluster.api("ann") as ann:
        while (await ann.ask("PATCH", where, {}, query={"dryRun": "All"}, kind=MERGE))[0] < 400:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
