"""The three ways to migrate: a job of the cron job, a job of a deployment's pod, the chart's own hook."""

from __future__ import annotations

from pathlib import Path

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import PREVIOUS_HEAD
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json, JsonObject, obj, objs, path, text
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, TWO, Change, Stand, jobs, launch, section


def _by(how: str) -> Change:
    def change(body: dict[str, Json]) -> None:
        migration = section(body, "candidate", "migration")
        migration["by"] = how
        migration["backward_compatible"] = False
        if how == "deployment":
            migration["deployment"] = "dotmac-backend"
            migration["command"] = ["alembic", "upgrade", "head"]

    return change


def _job(stand: Stand) -> JsonObject:
    found = stand.world.store.peek("jobs", Env.STAGING.namespace, jobs(stand, Env.STAGING)[0])
    assert found is not None
    return found


async def test_a_job_of_the_cron_job(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        start = "kubectl --context staging -n dotmac-staging create job --from=cronjob/dotmac-migrations"
        assert preview.commands == (f"{start} db-migrate-dotmac-…",)
        assert preview.to_what.startswith("revision ")
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED
        job = _job(stand)
        container = objs(path(job, ("spec", "template", "spec", "containers")))[0]
        assert text(container, "image") == stand.platform.artifacts.references()["backend"]
        assert stand.steps()["schema before"] == ("done", PREVIOUS_HEAD)


async def test_a_job_with_a_deployments_pod(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_by("deployment")) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        assert preview.commands[0].endswith("-- alembic upgrade head")
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED, stand.last().verdict
        pod = obj(path(_job(stand), ("spec", "template", "spec")))
        container = objs(pod.get("containers"))[0]
        assert container["command"] == ["alembic", "upgrade", "head"]
        assert container["envFrom"]
        assert "readinessProbe" not in container
        assert pod["restartPolicy"] == "Never"


async def test_the_charts_own_hook_interlocks_the_deploy(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_by("hook")) as stand:
        answer = await stand.refused("staging.migrate", TWO)
        assert "the chart's own hook migrates, in the deploy" in answer
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED
        stand.platform.platforms[Env.STAGING].database.migrate()
        assert "staging.deploy ran and is not declared backward compatible" in await stand.refused(
            "staging.rollback"
        )


async def test_two_migrations_do_not_run_at_once(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=20) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ends_after_s=100_000), '"migrations"')
        ended = await stand.run("staging.migrate")
        assert ended.state is State.UNKNOWN
        assert "has not ended within 20 s" in ended.verdict
        answer = await stand.refused("staging.migrate", TWO)
        assert "still runs: two migrations at once would collide" in answer
