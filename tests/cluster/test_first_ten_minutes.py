"""``init`` describes a release on a real control plane, ``doctor`` finds it, and the runbook launches it."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
import yaml

from console.rehearsal.dotmac.names import Env
from state.base.json import obj
from state.view.enums import OperationState as State
from tests.cluster.control_plane import ADMINS
from tests.cluster.kube_api import KubeHttp
from tests.cluster.launches import launched
from tests.cluster.shared import Cluster
from tests.console.cli.test_first_ten_minutes import command, diagnoses, flags, instead
from tests.console.engine.operations.helms import find
from tests.console.engine.operations.stand import on_world

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane", "helm3"), pytest.mark.timeout(300)]


async def test_init_doctor_and_check_lead_to_a_runbook_that_launches(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with launched(cluster, api, tmp_path, 3) as real:
        stand, book = real.stand, tmp_path / "book.yaml"
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output)
        config = cluster.kubeconfig(
            getpass.getuser(), tmp_path / "mine.kubeconfig", groups=(ADMINS,), contexts=[e.value for e in Env]
        )
        spaces = {tier.value: e.kube.namespace for tier, e in stand.runbook.environments.items()}
        where = [word for tier, space in spaces.items() for word in (f"--{tier}", f"{tier}/{space}")]
        hosts = [
            word
            for tier, e in stand.runbook.environments.items()
            for word in (f"--{tier}-domain", e.domains.all()[0].host)
        ]
        world = flags(stand.world, kubeconfig=config, helm=find(3))
        assert await command("init", str(book), "--release", "dotmac", *where, *hosts, *world) == 0
        assert await command("runbook", "check", str(book)) == 0, capsys.readouterr().err
        capsys.readouterr()
        code = await command("doctor", str(book), "--json", "--clock", str(stand.world.folder.clock))
        missing = diagnoses(capsys.readouterr().out)
        assert set(missing) <= {("this machine", "terminal"), ("production", "stop conditions")}, missing
        assert code == 13
        data = obj(yaml.safe_load(book.read_text()))
        assert set(obj(obj(data["candidate"])["images"])) == {"backend", "frontend", "worker"}
        mine = await on_world(stand.world, tmp_path / "mine.lclog", instead(data))
        try:
            ended = await mine.run("staging.deploy")
            assert ended.state is State.SUCCEEDED, (ended.verdict, ended.output)
        finally:
            await mine.close()
