"""Deploys, migrations and rollbacks by real helms on a real control plane: what the console says of them is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.base.json import obj, path
from state.view.enums import OperationState as State
from tests.cluster.kube_api import KubeHttp
from tests.cluster.launches import launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import both_helms, debug
from tests.console.engine.operations.screen import told

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), both_helms, pytest.mark.timeout(300)]


async def test_first_install_migration_upgrade_and_back(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    async with launched(cluster, api, tmp_path, major) as real:
        stand = real.stand
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        assert "revision 1 (deployed) runs: 5 pods, digests equal" in told(stand)
        migrated = await stand.run("staging.migrate")
        assert migrated.state is State.SUCCEEDED, (migrated.verdict, migrated.output, stand.steps())
        debug(stand.world.folder.values(Env.STAGING))
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output, stand.steps())
        assert "revision 2 (deployed) runs: 5 pods, digests equal" in told(stand)
        assert path(await real.get("configmaps", "dotmac-config"), ("data", "LOG_LEVEL")) == "DEBUG"
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)
        assert await real.revisions() == ["1 superseded", "2 superseded", "3 deployed"]
        assert path(await real.get("configmaps", "dotmac-config"), ("data", "LOG_LEVEL")) == "INFO"


@pytest.mark.parametrize(
    ("word", "why"),
    [("refused", ("ErrImagePull", "ImagePullBackOff")), ("crash", ("CrashLoopBackOff", "exit code 1"))],
)
async def test_a_bad_image_fails_and_the_way_back_is_verified(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int, word: str, why: tuple[str, ...]
) -> None:
    async with launched(cluster, api, tmp_path, major, images={"backend": word}, each_s=20) as real:
        stand = real.stand
        await real.install()
        ended = await stand.run("staging.deploy")
        assert (ended.state, ended.revision) == (State.FAILED, 2), (
            ended.verdict,
            ended.output,
            stand.steps(),
        )
        assert any(one in told(stand) for one in why), told(stand)
        assert "recorded good: revision 1, deployed" in told(stand)
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, (back.verdict, back.output, stand.steps())
        assert "revision 1 runs again (as revision 3), verified live" in told(stand)
        assert (await real.revisions())[-1] == "3 deployed"
        status = obj((await real.get("deployments", "dotmac-backend")).get("status"))
        assert status["readyReplicas"] == 2


async def test_a_migration_that_fails(cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int) -> None:
    async with launched(cluster, api, tmp_path, major, images={"backend": "fail"}) as real:
        await real.install()
        ended = await real.stand.run("staging.migrate")
        assert ended.state is State.FAILED, (ended.verdict, ended.output, real.stand.steps())
        assert "exit code 1" in told(real.stand) or "BackoffLimitExceeded" in told(real.stand), told(
            real.stand
        )
