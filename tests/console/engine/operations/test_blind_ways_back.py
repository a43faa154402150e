"""What could only not be seen closes no way back; and a release whose records are elsewhere is no first install."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from checks.clients import kube
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import JsonObject, obj
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import fresh
from tests.console.engine.operations.stand import ANN, SHORT_S, Hook, Stand, launch


def _answers(status: int, *parts: str) -> Hook:
    """Return a hook for the API server that refuses some reads with a status."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if request.method == "GET" and request.path.endswith(parts):
            return web.json_response({"kind": "Status", "code": status, "message": "not now"}, status=status)
        return None

    return hook


async def _bad_release(stand: Stand) -> None:
    stand.bad_pods(Env.STAGING, PodPlan(ready=False))
    ended = await stand.run("staging.deploy")
    assert ended.state is State.FAILED, ended.verdict
    stand.world.control.plans.clear()


@pytest.mark.parametrize("status", [403, 500])
async def test_what_cannot_be_seen_is_said_and_closes_no_rollback(tmp_path: Path, status: int) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        await _bad_release(stand)
        hook = _answers(status, "/pods", "/deployments", "/leases/launch-console-dotmac", "/events")
        stand.world.kube.hooks.append(hook)
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert preview.allowed, preview.against
        assert any(one.startswith("! could not be seen") and "pods" in one for one in preview.checks)
        again = await stand.operations.preview("staging.deploy", ANN)
        assert not again.allowed
        stand.world.kube.hooks.remove(hook)
        back = await stand.run("staging.rollback", granted=None)
        assert back.state is State.SUCCEEDED, (back.verdict, stand.steps())


async def test_a_page_that_is_too_large_closes_no_rollback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        await _bad_release(stand)
        pods = stand.world.store.scan("pods", Env.STAGING.namespace)
        for pod in pods:
            meta = {**obj(pod["metadata"]), "annotations": {"filler": "x" * 200_000}}
            stand.world.store.put("pods", {**pod, "metadata": meta})
        monkeypatch.setattr(kube, "BODY_LIMIT", 400_000)
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert preview.allowed, preview.against


async def test_a_rollback_without_a_history_that_can_be_seen_takes_two(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        await _bad_release(stand)
        stand.world.kube.hooks.append(_answers(500, "/secrets"))
        preview = await stand.operations.preview("staging.rollback", ANN)
        assert not preview.allowed
        assert preview.override_allowed, preview.against
        assert any("helm rollback dotmac 1" in one for one in preview.commands), preview.commands
        stand.world.kube.hooks.pop()


async def test_records_in_configmaps_are_no_first_install(tmp_path: Path) -> None:
    async with launch(tmp_path, change=fresh(tmp_path)) as stand:
        place = "dotmac-first"
        stand.world.store.put(
            "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}}
        )
        labels: JsonObject = {"owner": "helm", "name": "dotmac", "version": "7", "status": "deployed"}
        meta: JsonObject = {"name": "sh.helm.release.v1.dotmac.v7", "namespace": place, "labels": labels}
        stand.world.store.put("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        refused = await stand.refused("staging.deploy")
        assert "keeps its records in ConfigMaps" in refused, refused
        assert "the newest is revision 7" in refused
