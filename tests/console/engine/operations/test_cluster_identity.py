"""The launch fixes which cluster each environment is on; a kubeconfig that leads elsewhere later is refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from checks.clients.errors import MisconfiguredError
from checks.clients.kube import KubeClient
from console.engine.record.clusters import Clusters, fixed_identity
from state.base.json import JsonObject
from state.events.world import ClusterIdentified
from state.view.enums import Tier
from tests.checks.recording import UID, recording
from tests.console.engine.operations.stand import ANN, launch


async def test_a_kubeconfig_that_leads_elsewhere_is_refused_with_both_identities(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand, recording(tmp_path / "other") as other:
        await stand.go()
        clusters = Clusters(stand.journal, stand.runbook, stand.clients)
        await clusters.run()
        fixed = fixed_identity(stand.journal.view, Tier.STAGING)
        assert fixed is not None
        assert fixed.uid
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert preview.allowed, preview.reason
        assert any(f"cluster {fixed}, as this launch began" in one for one in preview.checks)
        argv = shlex.split(preview.commands[0])
        private = Path(argv[argv.index("--kubeconfig") + 1])
        said = yaml.safe_load(private.read_text())  # noqa: ASYNC240  one quick look
        assert [one["name"] for one in said["contexts"]] == ["staging"]
        assert said["clusters"][0]["cluster"]["server"] == fixed.address.server

        file = stand.world.folder.kubeconfig
        before = file.read_text()
        body = yaml.safe_load(before)
        for one in body["clusters"]:
            one["cluster"] = {"server": other.url, "certificate-authority": str(other.authority.ca)}
        file.write_text(yaml.safe_dump(body))
        told = await stand.refused("staging.deploy")
        assert "leads to another cluster now" in told
        assert other.url in told
        assert UID[:8] in told
        assert fixed.address.server in told
        assert fixed.uid[:8] in told
        now = yaml.safe_load(private.read_text())  # noqa: ASYNC240  one quick look
        assert now == said, "helm's own still leads to the launch's cluster"
        # An engine that is started now, or a connection that is opened anew, asks nobody there either.
        other.asked.clear()
        kube = stand.runbook.environments[Tier.STAGING].kube
        late = KubeClient(kube, "rehearsal staging", stand.clients.redactor)
        late.fix(fixed)
        with pytest.raises(MisconfiguredError, match="leads to another cluster now"):
            await late.get("/api/v1/namespaces/dotmac-staging")
        await late.aclose()
        assert {one.path for one in other.asked} == {"/api/v1/namespaces/kube-system"}

        file.write_text(before)
        assert (await stand.operations.preview("staging.deploy", ANN)).allowed


async def test_it_is_recorded_once_and_kept_by_the_next_engine(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        clusters = Clusters(stand.journal, stand.runbook, stand.clients)
        await clusters.run()
        await Clusters(stand.journal, stand.runbook, stand.clients).run()
        events = [e for e in stand.store.read(0, 500) if e.kind == ClusterIdentified.KIND]
        assert sorted(_env(e.body) for e in events) == ["production", "staging"]
        clusters.hold()
        await stand.clients.kube(Tier.STAGING).get("/api/v1/namespaces/dotmac-staging")


def _env(body: JsonObject) -> str:
    return str(body["env"])


async def test_what_of_helms_environment_is_given_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", str(tmp_path / "repositories.yaml"))
    monkeypatch.setenv("HELM_REPOSITORY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HELM_KUBECONTEXT", "elsewhere")
    async with launch(tmp_path) as stand:
        await stand.go()
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert preview.allowed, preview.reason
        assert "pass: helm is given HELM_REPOSITORY_CACHE, HELM_REPOSITORY_CONFIG" in preview.checks
        said = next(one for one in preview.checks if "HELM_NAMESPACE" in one)
        assert "HELM_KUBECONTEXT, HELM_NAMESPACE of this environment is not given to helm" in said
        environ = stand.operations._site(Tier.STAGING).helm.environ()
        assert environ["HELM_REPOSITORY_CONFIG"] == str(tmp_path / "repositories.yaml")
        assert not {"HELM_NAMESPACE", "HELM_KUBECONTEXT"} & set(environ)
        monkeypatch.setenv("HELM_DRIVER", "configmap")
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert "HELM_DRIVER=configmap keeps releases elsewhere than in Secrets" in preview.reason
        assert preview.override_allowed
        monkeypatch.setenv("HELM_DRIVER", "secret")
        assert (await stand.operations.preview("staging.deploy", ANN)).allowed
