"""The three ways to migrate: a job of the cron job, a job of a deployment's pod, the chart's own hook."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import PREVIOUS_HEAD
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json, JsonObject, obj, objs, path, text
from state.events.bodies import body_as
from state.events.operations import OperationStarted
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, TWO, Change, Hold, Stand, jobs, launch, section
from tests.console.engine.operations.test_private_copy import intended


def _by(how: str) -> Change:
    def change(body: dict[str, Json]) -> None:
        migration = section(body, "candidate", "migration")
        migration["by"] = how
        migration["backward_compatible"] = False
        if how in {"deployment", "job"}:
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
        name = f"db-migrate-dotmac-{stand.journal.view.log_id[:6]}-1"
        image = stand.platform.artifacts.references()["backend"]
        target = "kubectl --context staging -n dotmac-staging"
        (shown,) = preview.commands
        assert shown == f"{target} create job --from=cronjob/dotmac-migrations {name}"
        _with(stand, image="registry.dotmac.test/dotmactech/dotmac-platform-backend:v1.3.0")
        preview = await stand.operations.preview("staging.migrate", ANN)
        (shown,) = preview.commands
        assert shown == (
            f"{target} create job --from=cronjob/dotmac-migrations {name} --dry-run=client -o yaml | "
            f"kubectl set image --local -f - migrations={image} -o yaml | {target} create -f -"
        )
        assert f"Job/{name}: is created (batch/v1)" in preview.diff
        assert preview.to_what.startswith("revision ")
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED
        assert stand.last().commands == preview.commands
        (started,) = [e for e in stand.store.read(0, 500) if e.kind == OperationStarted.KIND]
        assert body_as(OperationStarted, started).start_time == name
        assert intended(stand).inputs_sha == preview.inputs_sha
        assert jobs(stand, Env.STAGING) == [name]
        again = await stand.operations.preview("staging.migrate", ANN)
        assert f" {name[:-1]}2 --dry-run" in again.commands[0]
        job = _job(stand)
        container = objs(path(job, ("spec", "template", "spec", "containers")))[0]
        assert text(container, "image") == stand.platform.artifacts.references()["backend"]
        assert stand.steps()["schema before"] == ("done", PREVIOUS_HEAD)


async def test_a_job_with_a_deployments_pod(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_by("deployment")) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        assert any(line.endswith('command[0] "alembic"') for line in preview.diff)
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


# Staging's namespace enforces the restricted standard.
SAFE: JsonObject = {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
SIDECAR: JsonObject = {"name": "proxy", "image": "registry.example/proxy:2", **SAFE}
FIRST: JsonObject = {"name": "waits", "image": "registry.example/waits:1", **SAFE}


def _with(stand: Stand, *more: JsonObject, image: str = "") -> None:
    """Give staging's cron job containers beside the one that migrates, labels and notes for its jobs."""
    found = stand.world.store.need("cronjobs", Env.STAGING.namespace, "dotmac-migrations")
    template = obj(path(found, ("spec", "jobTemplate")))
    pod = obj(path(template, ("spec", "template", "spec")))
    (own,) = (one for one in objs(pod.get("containers")) if text(one, "name") == "migrations")
    own = {**own, "image": image or text(own, "image")}
    pod = {**pod, "containers": [own, *more], "initContainers": [FIRST]}
    spec = obj(template.get("spec"))
    spec = {**spec, "template": {**obj(spec.get("template")), "spec": pod}}
    about: JsonObject = {"labels": {"team": "data"}, "annotations": {"note": "of the template"}}
    changed = {**obj(found.get("spec")), "jobTemplate": {"metadata": about, "spec": spec}}
    stand.world.store.put("cronjobs", {**found, "spec": changed})


def _images(job: JsonObject, kind: str = "containers") -> dict[str, str]:
    return {
        text(one, "name"): text(one, "image") for one in objs(path(job, ("spec", "template", "spec", kind)))
    }


async def test_only_the_container_that_migrates_gets_the_image(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        _with(stand, SIDECAR)
        preview = await stand.operations.preview("staging.migrate", ANN)
        made = "migrations gets the candidate's image"
        assert any(made in line and "; proxy keep theirs" in line for line in preview.checks)
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED, stand.last().verdict
        job = _job(stand)
        image = stand.platform.artifacts.references()["backend"]
        assert _images(job) == {"migrations": image, "proxy": "registry.example/proxy:2"}
        assert _images(job, "initContainers") == {"waits": "registry.example/waits:1"}
        meta = obj(job.get("metadata"))
        assert obj(meta.get("labels"))["team"] == "data"
        notes = obj(meta.get("annotations"))
        assert notes["note"] == "of the template"
        assert notes["cronjob.kubernetes.io/instantiate"] == "manual"


async def test_which_container_migrates_must_be_plain(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        _with(stand, image="mirror.example/elsewhere/db-tools:1")
        assert (await stand.operations.preview("staging.migrate", ANN)).allowed, "there is only one"
        _with(stand, SIDECAR, image="mirror.example/elsewhere/db-tools:1")
        answer = await stand.refused("staging.migrate", TWO)
        assert "cronjob/dotmac-migrations has the containers migrations, proxy, and none has" in answer
        assert "none has the image dotmactech/dotmac-platform-backend" in answer
        assert "say which one migrates, at candidate.migration.container" in answer
        same = stand.platform.artifacts.references()["backend"]
        _with(stand, {"name": "twin", "image": same}, image=same)
        assert "have the image" in await stand.refused("staging.migrate", TWO)
        stand.world.store.delete("cronjobs", Env.STAGING.namespace, "dotmac-migrations")
        answer = await stand.refused("staging.migrate", TWO)
        assert "cronjob/dotmac-migrations is not in dotmac-staging" in answer


async def test_the_container_may_be_named(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        section(body, "candidate", "migration")["container"] = "proxy"

    async with launch(tmp_path, change=change) as stand:
        answer = await stand.refused("staging.migrate", TWO)
        assert "cronjob/dotmac-migrations has no container proxy; it has migrations" in answer
        _with(stand, SIDECAR)
        preview = await stand.operations.preview("staging.migrate", ANN)
        assert (
            "| kubectl set image --local -f - proxy=registry.dotmac.test/dotmactech/" in preview.commands[0]
        )


async def test_another_job_than_was_shown_is_not_created(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        _with(stand, SIDECAR)
        reply = await stand.operations.start("staging.migrate", ANN, TWO, preview.inputs_sha)
        assert (reply.ok, reply.message) == (
            False,
            "the migration's job changed since the preview: look again",
        )
        hold = Hold(stand, "POST", "/leases")
        preview = await stand.operations.preview("staging.migrate", ANN)
        assert (await stand.operations.start("staging.migrate", ANN, TWO, preview.inputs_sha)).ok
        await hold.reached.wait()
        _with(stand)  # and what changes after the intent makes no difference
        hold.go.set()
        assert (await stand.ended()).state is State.SUCCEEDED, stand.last().verdict
        assert set(_images(_job(stand))) == {"migrations", "proxy"}


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("image", ["", "registry.dotmac.test/dotmactech/dotmac-platform-backend:v1.3.0"])
async def test_the_command_that_is_shown_makes_the_same_job(tmp_path: Path, image: str) -> None:
    async with launch(tmp_path) as stand:
        _with(stand, SIDECAR, image=image)
        preview = await stand.operations.preview("staging.migrate", ANN)
        assert (await stand.run("staging.migrate")).state is State.SUCCEEDED, stand.last().verdict
        ours = _job(stand)
        name = str(path(ours, ("metadata", "name")))
        stand.world.store.delete("jobs", Env.STAGING.namespace, name)
        config = str(stand.world.folder.kubeconfig)
        typed = await asyncio.create_subprocess_exec(
            *("sh", "-ec", preview.commands[0]),
            env={**os.environ, "KUBECONFIG": config, "HOME": str(tmp_path)},
        )
        assert await typed.wait() == 0
        theirs = stand.world.store.need("jobs", Env.STAGING.namespace, name)
        assert _plain(theirs) == _plain(ours)


def _plain(job: JsonObject) -> JsonObject:
    """Return what somebody asked for: without what a server adds to each, and without kubectl's ``controller``.

    With it the cron job would count the job as its own, and might delete it before its end was read.
    """
    meta = obj(job.get("metadata"))
    owners = [
        {k: v for k, v in one.items() if k != "controller"} for one in objs(meta.get("ownerReferences"))
    ]
    template = obj(path(job, ("spec", "template")))
    labels = {
        key: value
        for key, value in obj(path(template, ("metadata", "labels"))).items()
        if "controller-uid" not in key and "job-name" not in key
    }
    spec = {k: v for k, v in obj(job.get("spec")).items() if k not in {"template", "selector", "suspend"}}
    return {
        "name": meta.get("name"),
        "labels": obj(meta.get("labels")),
        "annotations": obj(meta.get("annotations")),
        "owners": owners,
        "spec": spec,
        "pod": obj(template.get("spec")),
        "of pods": labels,
    }


async def test_what_is_made_of_a_deployment_is_said_as_it_is(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_by("deployment")) as stand:
        preview = await stand.operations.preview("staging.migrate", ANN)
        name = f"db-migrate-dotmac-{stand.journal.view.log_id[:6]}-1"
        (shown,) = preview.commands
        file = stand.store.path.with_suffix(".operations") / f"{name}.json"
        assert shown == f"kubectl --context staging -n dotmac-staging create -f {file}"
        assert any(
            line.startswith(f"Job/{name}: spec.template.spec.containers[migrations].envFrom")
            for line in preview.diff
        )
