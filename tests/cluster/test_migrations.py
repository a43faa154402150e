"""Migration jobs on a real control plane: that can't start, that are gone at once, that another launch has too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import RELEASE
from state.base.json import Json, JsonObject, obj, objs, path, text
from state.view.enums import OperationState as State
from tests.cluster.kube_api import MERGE, KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import MAJORS
from tests.console.engine.operations.screen import told
from tests.console.engine.operations.stand import ANN

# No helm of the console's own takes part: one is enough to install what the jobs are made from.
pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), MAJORS[4], pytest.mark.timeout(200)]

_MAJOR = 4
_CRON = f"{RELEASE}-migrations"


async def _changed(real: RealLaunch, spec: JsonObject) -> None:
    """Change the template of the cron job's jobs."""
    where = f"/apis/batch/v1/namespaces/{real.namespace}/cronjobs/{_CRON}"
    await real.api.need("PATCH", where, {"spec": {"jobTemplate": {"spec": spec}}}, kind=MERGE)


async def _jobs(real: RealLaunch) -> list[JsonObject]:
    return list(objs((await real.api.get(f"/apis/batch/v1/namespaces/{real.namespace}/jobs")).get("items")))


@pytest.mark.parametrize(
    ("image", "spec", "why"),
    [
        ("refused", {}, ("ErrImagePull", "ImagePullBackOff")),
        (
            "crash",
            {"template": {"spec": {"restartPolicy": "OnFailure"}}},
            ("CrashLoopBackOff", "exit code 1"),
        ),
        (
            "",
            {"template": {"spec": {"nodeSelector": {"disk": "of-gold"}}}},
            ("no node takes", "didn't match Pod's node affinity/selector"),
        ),
        (
            "",
            {"template": {"spec": {"serviceAccountName": "nobody"}}},
            ("FailedCreate", 'serviceaccount "nobody" not found'),
        ),
    ],
    ids=["image", "crash", "scheduling", "account"],
)
async def test_a_job_that_cannot_start_says_why_and_can_be_stopped(
    cluster: Cluster,
    api: KubeHttp,
    tmp_path: Path,
    image: str,
    spec: JsonObject,
    why: tuple[str, ...],
) -> None:
    images = {"backend": image} if image else None
    async with launched(cluster, api, tmp_path, _MAJOR, images=images, each_s=12) as real:
        stand = real.stand
        await real.install()
        await _changed(real, {"backoffLimit": 6, **spec})
        ended = await stand.run("staging.migrate")
        assert ended.state is State.UNKNOWN, (ended.verdict, stand.steps())
        assert any(one in ended.verdict for one in why), ended.verdict
        assert any(one in told(stand) for one in why)
        assert "stop-job" in ended.offers
        assert "rollback" not in ended.offers
        active = [one for one in await _jobs(real) if obj(one.get("status")).get("active")]
        if active:
            assert "still runs" in await stand.refused("staging.migrate")
            preview = await stand.operations.preview("staging.stop-job", ANN)
            assert preview.allowed, preview.against
            assert "patch job" in preview.commands[0]
            reply = await stand.operations.recover("stop-job", ANN)
            assert reply.ok, reply.message
            stopped = await stand.ended()
            assert stopped.state is State.SUCCEEDED, (stopped.verdict, stand.steps())
        again = await stand.operations.preview("staging.migrate", ANN)
        assert not any("still runs" in one for one in again.against), again.against


async def test_a_job_that_is_gone_as_soon_as_it_is_done(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    async with launched(cluster, api, tmp_path, _MAJOR) as real:
        await real.install()
        await _changed(real, {"ttlSecondsAfterFinished": 0})
        for _ in range(2):
            ended = await real.stand.run("staging.migrate")
            assert ended.state is State.SUCCEEDED, (ended.verdict, real.stand.steps())
        async with asyncio.timeout(20):
            while await _jobs(real):  # noqa: ASYNC110  the cluster is asked
                await asyncio.sleep(0.2)


async def test_a_job_of_that_name_is_there_already(cluster: Cluster, api: KubeHttp, tmp_path: Path) -> None:
    async with launched(cluster, api, tmp_path, _MAJOR) as real:
        stand = real.stand
        await real.install()
        preview = await stand.operations.preview("staging.migrate", ANN)
        name = next(one for one in preview.commands[0].split() if one.startswith("db-migrate-"))
        container: dict[str, Json] = {"name": "x", "image": "shop/done:1"}
        pod: JsonObject = {"restartPolicy": "Never", "containers": [container]}
        body: JsonObject = {"metadata": {"name": name}, "spec": {"suspend": True, "template": {"spec": pod}}}
        await real.api.create(f"/apis/batch/v1/namespaces/{real.namespace}/jobs", body)
        ended = await stand.run("staging.migrate")
        assert ended.state is State.FAILED, (ended.verdict, stand.steps())
        assert "nothing was changed" in ended.verdict
        assert ended.offers == ("retry",)
        again = await stand.run("staging.migrate")
        assert again.state is State.SUCCEEDED, (again.verdict, stand.steps())
        names = sorted(text(obj(one.get("metadata")), "name") for one in await _jobs(real))
        assert names == [name, f"{name[:-1]}2"]


async def test_a_job_of_its_own_with_the_pod_of_a_deployment(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    def by_job(migration: dict[str, Json]) -> None:
        migration |= {"by": "job", "deployment": "dotmac-backend", "command": ["alembic", "upgrade", "head"]}

    async with launched(cluster, api, tmp_path, _MAJOR, migration=by_job) as real:
        await real.install()
        ended = await real.stand.run("staging.migrate")
        assert ended.state is State.SUCCEEDED, (ended.verdict, real.stand.steps())
        (job,) = await _jobs(real)
        (container,) = objs(path(job, ("spec", "template", "spec", "containers")))
        assert container["command"] == ["alembic", "upgrade", "head"]
