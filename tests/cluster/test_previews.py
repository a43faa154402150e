"""What a preview says is what the cluster and helm then do: kinds that are new, what is kept, hooks, autoscalers."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.base.json import JsonObject
from tests.cluster.charts.making import CRDS, LEVELS, Chart
from tests.cluster.charts.proving import proof
from tests.cluster.kube_api import MERGE, KubeHttp
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import both_helms
from tests.console.engine.operations.stand import ANN, launch

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), both_helms, pytest.mark.timeout(300)]

SHAPES = (
    CRDS,
    "kept",
    "test-hook",
    "hooks",
    "config-immutable",
    "list-of-roles",
    "time-of-day-args",
    "secret-clear",
)


async def test_what_a_preview_says_of_kinds_hooks_and_others_is_so(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    chart = Chart("chart-90", "usual", SHAPES)
    folder = tmp_path / "one"
    folder.mkdir()
    async with (
        launch(tmp_path, rate=1.0) as base,
        proof(cluster, api, base, chart, folder, major) as one,
    ):
        operations, templates = one.stand.operations, folder / "chart" / "templates"
        first = await operations.preview("staging.deploy", ANN)
        said = "\n".join((*first.checks, *first.diff))
        assert "the chart's crds are new to the cluster" in said
        assert f"Gadget/{CRDS}: is created" in said
        assert "its kind is new to the cluster" in said
        assert "hook Job/before (pre-install, pre-upgrade) runs" in said
        assert "test-hook" not in said
        assert "Role/reader: is created" in said
        await one.run("staging.deploy")

        (templates / "kept.yaml").unlink()
        immutable = templates / "config-immutable.yaml"
        before = immutable.read_text()
        immutable.write_text(before.replace('a: "1"', 'a: "2"'))
        one.values.write_text(f"level: {LEVELS[1]}\n")
        await _scaled_from_outside(api, one.namespace, 2)
        second = await operations.preview("staging.deploy", ANN)
        said = "\n".join(second.diff)
        assert "ConfigMap/kept: is kept (resource-policy), no longer managed" in said
        assert "ConfigMap/config-immutable: data can't be changed in place" in second.reason
        assert "Deployment/web: autoscaler from-outside has 2 replicas, the release sets 1" in second.reason
        assert "Deployment/web: live spec.replicas is 2 instead of 1 (by kube-controller-manager)" in said
        assert "1 drifted" in "\n".join(second.checks)

        immutable.write_text(before)
        await _scaled_from_outside(api, one.namespace, 1)
        await one.run("staging.deploy")
        assert (await api.ask("GET", f"/api/v1/namespaces/{one.namespace}/configmaps/kept"))[0] == 200
        back = await operations.preview("staging.rollback", ANN)
        assert f'ConfigMap/web-config: data.level "{LEVELS[1]}" → "{LEVELS[0]}"' in back.diff


async def _scaled_from_outside(api: KubeHttp, namespace: str, replicas: int) -> None:
    """Scale as an autoscaler does that is not the chart's."""
    target: JsonObject = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler: JsonObject = {
        "metadata": {"name": "from-outside"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 5},
    }
    await api.ask("POST", f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", scaler)
    where = f"/apis/apps/v1/namespaces/{namespace}/deployments/web/scale"
    query = {"fieldManager": "kube-controller-manager"}
    await api.need("PATCH", where, {"spec": {"replicas": replicas}}, query=query, kind=MERGE)
