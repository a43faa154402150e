"""An edited command of the runbook changes what is run, not only what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.base.json import Json, integer, objs, text
from state.view.enums import OperationState as State
from tests.console.engine.operations.helms import both_helms, launched
from tests.console.engine.operations.stand import ANN, Change, Stand, jobs, launch


def edited(which: str, old: str, new: str) -> Change:
    def change(body: dict[str, Json]) -> None:
        commands = objs(body["helm_commands"])
        assert any(old in text(one, "command") for one in commands if one["id"] == which)
        body["helm_commands"] = [
            {**one, "command": text(one, "command").replace(old, new)} if one["id"] == which else one
            for one in commands
        ]

    return change


THREE = edited("upgrade", "{chart_version}", "{chart_version} --set replicaCount.backend=3")


async def _deployed(stand: Stand) -> None:
    preview = await stand.operations.preview("staging.deploy", ANN)
    assert " --version 0.1.0 --set replicaCount.backend=3 --kubeconfig " in preview.commands[0]
    assert any("spec.replicas 2 → 3" in line for line in preview.diff), "what is rendered is what is deployed"
    ended = await stand.run("staging.deploy")
    assert ended.state is State.SUCCEEDED, ended.verdict
    live = stand.world.store.need("deployments", Env.STAGING.namespace, "dotmac-backend")
    assert integer(live["spec"], "replicas") == 3  # type: ignore[arg-type]  # an object


async def test_a_flag_of_the_upgrade(tmp_path: Path) -> None:
    async with launch(tmp_path, change=THREE) as stand:
        await _deployed(stand)


@pytest.mark.wire
@both_helms
async def test_a_flag_of_the_upgrade_with_real_helm(tmp_path: Path, major: int) -> None:
    async with launched(tmp_path, major, change=THREE) as stand:
        await _deployed(stand)


async def test_the_name_of_the_job_and_what_is_looked_at(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        edited("migrate", "db-migrate-{release}", "schema-of-{release}")(body)
        edited("validate", "pods,ingress", "pods")(body)

    async with launch(tmp_path, change=change) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        name = f"schema-of-dotmac-{stand.journal.view.log_id[:6]}-1"
        assert preview.commands[0].endswith(f" {name}")
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED
        assert jobs(stand, Env.STAGING) == [name]
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert preview.commands[-1] == "kubectl --context staging -n dotmac-staging get pods"
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        assert "ingress" not in stand.steps()
        assert "pods" in stand.steps()
