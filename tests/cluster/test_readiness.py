"""Releases of every shape on a real control plane: what runs well succeeds, what doesn't fails for its own reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from state.view.enums import OperationState as State
from state.view.launch import OperationView
from tests.cluster.kube_api import KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import MAJORS, both_helms, debug

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
        kinds = "(5 of deployments, 7 of stateful sets, 3 of daemon sets, 1 of bare pods)"
        assert stand.steps()["pods"][1] == f"16 of 16 ready {kinds}"
        hanging = asyncio.create_task(real.helm("test", "dotmac", "--timeout", "2s", code=1))
        debug(stand.world.folder.values(Env.STAGING))
        await hanging
        second = await stand.run("staging.deploy")
        assert second.state is State.SUCCEEDED, said(second, real)
        assert "3 of an older revision stay" in stand.steps()["pods"][1], stand.steps()["pods"]
        back = await stand.run("staging.rollback")
        assert back.state is State.SUCCEEDED, said(back, real)
        assert "revision 1 runs again (as revision 3), verified live" in back.verdict
