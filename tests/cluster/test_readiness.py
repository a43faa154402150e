"""Releases of every shape on a real control plane: what runs well succeeds, what doesn't fails for its own reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.base.json import JsonObject
from state.view.enums import OperationState as State
from state.view.launch import OperationView
from tests.cluster.kube_api import MERGE, KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import MAJORS, both_helms, debug
from tests.console.engine.operations.screen import told

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), pytest.mark.timeout(300)]
helm_4 = pytest.mark.parametrize("major", [pytest.param(4, marks=MAJORS[4])])
"""Where the release's objects tell, and not how helm made them."""

# As cases/reports/02 has it: an image by tag, no readiness probe, the usual labels.
CACHE = """apiVersion: apps/v1
kind: StatefulSet
metadata: { name: cache, labels: { app.kubernetes.io/name: cache, app.kubernetes.io/instance: {{ .Release.Name }} } }
spec:
  serviceName: cache
  replicas: 1
  selector: { matchLabels: { app.kubernetes.io/name: cache, app.kubernetes.io/instance: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app.kubernetes.io/name: cache, app.kubernetes.io/instance: {{ .Release.Name }} } }
    spec: { containers: [ { name: cache, image: "docker.io/library/redis:7.2" } ] }
"""


def workload(kind: str, name: str, *, spec: str = "", pod: str = "", image: str = "shop/thing:1") -> str:
    """Return a template of a workload with labels of its own, and with the log's level in its pods."""
    group = {"Job": "batch/v1"}.get(kind, "apps/v1")
    selector = "" if kind == "Job" else f"selector: {{ matchLabels: {{ of: {name} }} }}"
    return f"""apiVersion: {group}
kind: {kind}
metadata: {{ name: {name} }}
spec:
  {selector}
{_indented(spec, 2)}
  template:
    metadata: {{ labels: {{ of: {name} }}, annotations: {{ level: "{{{{ .Values.env.logLevel }}}}" }} }}
    spec:
      containers: [ {{ name: {name}, image: "{image}" }} ]
{_indented(pod, 6)}
"""


def _indented(lines: str, by: int) -> str:
    return "\n".join(" " * by + one for one in lines.strip().splitlines())


TEST_HOOK = """apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  labels: { app.kubernetes.io/instance: {{ .Release.Name }} }
  annotations: { helm.sh/hook: test }
spec:
  restartPolicy: Never
  containers: [ { name: test, image: "shop/test-hang:1" } ]
"""
BARE = """apiVersion: v1
kind: Pod
metadata: { name: bare }
spec:
  containers: [ { name: bare, image: "shop/bare:1" } ]
"""
ORDERED = "replicas: 2\nserviceName: ordered"
KEPT = "replicas: 2\nserviceName: kept\nupdateStrategy: { type: OnDelete }"
PARTLY = "replicas: 2\nserviceName: partly\nupdateStrategy: { rollingUpdate: { partition: 1 } }"
NOWHERE = "nodeSelector: { no.such/node: here }"
DONE = "restartPolicy: Never"
GOOD = {
    "cache": CACHE,
    "ordered": workload("StatefulSet", "ordered", spec=ORDERED),
    "kept": workload("StatefulSet", "kept", spec=KEPT),
    "partly": workload("StatefulSet", "partly", spec=PARTLY),
    "agent": workload("DaemonSet", "agent"),
    "nowhere": workload("DaemonSet", "nowhere", pod=NOWHERE),
    "none": workload("Deployment", "none", spec="replicas: 0"),
    "once": workload("Job", "once-{{ .Release.Revision }}", pod=DONE),
    "bare": BARE,
    "test": TEST_HOOK,
}


def add(real: RealLaunch, templates: dict[str, str]) -> None:
    """Add templates to the launch's chart."""
    folder = real.stand.platform.chart / "templates"
    for name, body in templates.items():
        (folder / f"added-{name}.yaml").write_text(body)


def said(run: OperationView, real: RealLaunch) -> str:
    """Return all that a failed assertion should show."""
    return f"{run.verdict}\n{run.output}\n{real.stand.steps()}"


@both_helms
async def test_every_kind_of_workload_succeeds_and_goes_back(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    async with launched(cluster, api, tmp_path, major) as real:
        add(real, GOOD)
        stand = real.stand
        first = await stand.run("staging.deploy")
        assert first.state is State.SUCCEEDED, said(first, real)
        # 5 of the product's, and 1 + 2 + 2 + 2 of stateful sets, a node's each, the bare one
        assert "revision 1 (deployed) runs: 16 pods" in first.verdict
        words = stand.steps()["pods"][1]
        assert words.startswith(
            "16 of 16 ready (5 of deployments, 7 of stateful sets, 3 of daemon sets, 1 of bare pods)"
        )
        hanging = asyncio.create_task(real.helm("test", "dotmac", "--timeout", "2s", code=1))
        debug(stand.world.folder.values(Env.STAGING))
        await hanging
        second = await stand.run("staging.deploy")
        assert second.state is State.SUCCEEDED, said(second, real)
        assert "3 of an older revision stay" in stand.steps()["pods"][1], stand.steps()["pods"]
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, said(back, real)
        assert "revision 1 runs again (as revision 3), verified live" in back.verdict


RESTRICTED: JsonObject = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
REASONS = {
    "pull": (workload("Deployment", "pull", image="shop/web-refused:1"), "ImagePull"),
    "crash": (
        workload("StatefulSet", "crash", spec="serviceName: crash", image="shop/web-crash:1"),
        "exit code 1",
    ),
    "account": (
        workload("Deployment", "account", pod="serviceAccountName: nobody"),
        'serviceaccount "nobody" not found',
    ),
    "quota": (workload("Deployment", "counted"), "exceeded quota: few"),
    "refused": (workload("Deployment", "refused"), "violates PodSecurity"),
}
QUOTA = "/api/v1/namespaces/{}/resourcequotas"


@pytest.mark.parametrize(
    ("major", "names"),
    [
        pytest.param(3, ("pull", "account"), marks=MAJORS[3]),
        pytest.param(4, ("quota", "crash", "refused"), marks=MAJORS[4]),
    ],
)
async def test_the_clusters_own_reason_is_in_the_verdict(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int, names: tuple[str, ...]
) -> None:
    async with launched(cluster, api, tmp_path, major, each_s=6) as real:
        stand = real.stand
        await real.helm(*installs(real))
        for name in names:
            template, reason = REASONS[name]
            if name == "quota":  # as many pods as there are
                few: JsonObject = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "5"}}}
                await api.create(QUOTA.format(real.namespace), few)
            if name == "refused":
                await api.need("PATCH", f"/api/v1/namespaces/{real.namespace}", RESTRICTED, kind=MERGE)
            add(real, {"bad": template})
            ended = await stand.run("staging.deploy")
            assert ended.state is State.FAILED, said(ended, real)
            assert reason in ended.verdict, said(ended, real)
            assert reason in told(stand), told(stand)
            if name == "quota":
                await api.need("DELETE", QUOTA.format(real.namespace) + "/few")
            # What merely started beside it isn't called failed.
            failed = [step for step, (state, _) in stand.steps().items() if state == "failed"]
            assert not any(
                f"dotmac-{part}" in step for step in failed for part in ("backend", "frontend", "worker")
            )
        (real.stand.platform.chart / "templates" / "added-bad.yaml").unlink()
        again = await stand.run("staging.deploy")
        assert again.state is State.SUCCEEDED, said(again, real)


def installs(real: RealLaunch) -> list[str]:
    """Return helm's words that install the candidate's first revision with time enough."""
    platform = real.stand.platform
    values = real.stand.world.folder.values(Env.STAGING)
    return ["install", "dotmac", str(platform.chart), "-f", str(values), "--wait", "--timeout", "60s"]


async def install_old(real: RealLaunch) -> None:
    """Install a first revision with the images before the candidate's."""
    images = real.stand.runbook.candidate.images.named()
    old = real.stand.platform.artifacts.previous
    await real.install(**{part: f"{one.partition('@')[0]}@{old[part]}" for part, one in images.items()})


POLICY: JsonObject = {
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["UPDATE"],
                    "resources": ["deployments"],
                }
            ]
        },
        "validations": [
            {
                "expression": "!(object.metadata.name.endsWith('-frontend') && object.metadata.namespace == 'NS')",
                "message": "the frontend stays as it is",
            }
        ],
    }
}


@helm_4
async def test_half_applied_is_called_so(cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int) -> None:
    async with launched(cluster, api, tmp_path, major, each_s=30) as real:
        await install_old(real)
        name = f"keep-{real.namespace}"
        policy = json.loads(json.dumps(POLICY).replace("NS", real.namespace))
        group = "/apis/admissionregistration.k8s.io/v1"
        await api.create(f"{group}/validatingadmissionpolicies", {"metadata": {"name": name}, **policy})
        binding: JsonObject = {"policyName": name, "validationActions": ["Deny"]}
        await api.create(
            f"{group}/validatingadmissionpolicybindings", {"metadata": {"name": name}, "spec": binding}
        )
        try:
            await until_denied(real)
            debug(real.stand.world.folder.values(Env.STAGING))
            ended = await real.stand.run("staging.deploy")
        finally:
            await api.need("DELETE", f"{group}/validatingadmissionpolicybindings/{name}")
            await api.need("DELETE", f"{group}/validatingadmissionpolicies/{name}")
        assert ended.state is State.FAILED, said(ended, real)
        assert "denied request" in ended.verdict
        assert "half applied: new already are ConfigMap/dotmac-config" in ended.verdict, said(ended, real)
        assert "Deployment/dotmac-backend" in ended.verdict.partition("; not ")[0]
        assert "Deployment/dotmac-frontend" in ended.verdict.partition("; not ")[2]
        back = await real.stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, said(back, real)


async def until_denied(real: RealLaunch) -> None:
    """Wait until the API server knows the policy."""
    where = f"/apis/apps/v1/namespaces/{real.namespace}/deployments/dotmac-frontend"
    marked: JsonObject = {"metadata": {"annotations": {"a": "b"}}}
    async with asyncio.timeout(30):
        while (await real.api.ask("PATCH", where, marked, query={"dryRun": "All"}, kind=MERGE))[0] < 400:  # noqa: ASYNC110  the cluster is asked
            await asyncio.sleep(0.2)


@helm_4
async def test_a_paused_deployment_is_refused_and_the_way_back_is_not(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    async with launched(cluster, api, tmp_path, major, each_s=20) as real:
        stand = real.stand
        await install_old(real)
        where = f"/apis/apps/v1/namespaces/{real.namespace}/deployments/dotmac-backend"
        await api.need("PATCH", where, {"spec": {"paused": True}}, kind=MERGE)
        answer = await stand.refused("staging.deploy")
        assert "Deployment dotmac-backend is paused" in answer
        assert f"kubectl -n {real.namespace} rollout resume deployment/dotmac-backend" in answer
        await api.need("PATCH", where, {"spec": {"paused": False}}, kind=MERGE)

        await stand.start("staging.deploy")
        await api.need("PATCH", where, {"spec": {"paused": True}}, kind=MERGE)
        ended = await stand.ended()
        assert ended.state is State.FAILED, said(ended, real)
        assert "dotmac-backend is paused" in ended.verdict, said(ended, real)
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, said(back, real)
