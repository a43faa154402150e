"""Real helm programs, where there are some, and a chart with hooks for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from state.base.json import Json, obj, text
from state.runbook.environment import Environment
from tests import programs
from tests.console.engine.operations.stand import RATE, Change, Stand, launch, section

_HOOK = """{{{{- if .Values.hooks.{value} }}}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{{{ .Release.Name }}}}-{name}-{{{{ .Release.Revision }}}}
  namespace: {{{{ .Release.Namespace }}}}
  labels:
    app.kubernetes.io/instance: {{{{ .Release.Name }}}}
  annotations:
    helm.sh/hook: {events}
    helm.sh/hook-weight: "1"
spec:
  backoffLimit: 0
  template:
    metadata:
      labels:
        app: dotmac-hooks
    spec:
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 1001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {name}-hook
          image: {{{{ .Values.image.backend | quote }}}}
          args: [check]
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
{{{{- end }}}}
"""
_BUDGET = """apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Release.Name }}-backend
  namespace: {{ .Release.Namespace }}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app: dotmac-backend
"""
_SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Release.Name }}-frontend
  namespace: {{ .Release.Namespace }}
spec:
  minReplicas: 2
  maxReplicas: 4
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .Release.Name }}-frontend
"""


MAJORS = {major: pytest.mark.needs(f"helm{major}") for major in (3, 4)}
"""The mark of a test that drives a real helm of a major version."""
both_helms = pytest.mark.parametrize("major", [pytest.param(m, marks=mark) for m, mark in MAJORS.items()])


def find(major: int) -> str:
    """Return where a real helm of a major version is."""
    return programs.path(f"helm{major}")


def real(major: int) -> Change:
    """Let a launch use a real helm."""
    program = find(major)

    def change(body: dict[str, Json]) -> None:
        body["helm"] = program

    return change


@asynccontextmanager
async def launched(
    folder: Path, major: int, *, rate: float = RATE, change: Change | None = None, each_s: float = 60
) -> AsyncIterator[Stand]:
    """Open a launch with a real helm; at the end helm itself is asked what it left behind.

    A release that is pending then must be explained by the screen, with a way out (see ``launch``).
    """

    def both(body: dict[str, Json]) -> None:
        real(major)(body)
        if change is not None:
            change(body)

    async with launch(folder, rate=rate, change=both, each_s=each_s) as stand:
        yield stand
        places = stand.runbook.environments.values()
        answer = await asyncio.gather(*(_status(stand, find(major), place) for place in places))
        assert {
            one.tier.value: status for one, status in zip(places, answer, strict=True)
        } == stand.statuses()


async def _status(stand: Stand, program: str, environment: Environment) -> str:
    process = await asyncio.create_subprocess_exec(
        program,
        *("status", environment.release, "-o", "json", "-n", environment.kube.namespace),
        *("--kubeconfig", str(stand.world.folder.kubeconfig), "--kube-context", environment.kube.context),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return text(obj(obj(json.loads(out)).get("info")), "status")


def fresh(folder: Path) -> Change:
    """Let staging be a namespace in which nothing is."""
    file = folder / "password"
    file.write_text("of the first install")

    def change(body: dict[str, Json]) -> None:
        staging = section(body, "environments", "staging")
        section(staging, "kube")["namespace"] = "dotmac-first"
        data: Json = {"DATABASE_PASSWORD": {"file": str(file)}}
        staging["apply_secrets"] = [{"name": "dotmac-platform-secrets", "data": data}]

    return change


def debug(values: Path) -> None:
    """Change a values file, so that an upgrade with it is another one."""
    values.write_text(values.read_text().replace("INFO", "DEBUG"))


def add_hooks(stand: Stand) -> None:
    """Give the world's chart hooks (off until ``hook`` turns one on), a disruption budget and an autoscaler."""
    templates = stand.platform.chart / "templates"
    before = _HOOK.format(value="before", name="before", events='"pre-install,pre-upgrade"')
    after = _HOOK.format(value="after", name="after", events='"post-rollback"')
    for name, body in {"before": before, "after": after, "budget": _BUDGET, "scaler": _SCALER}.items():
        (templates / f"{name}.yaml").write_text(body)
    values = stand.platform.chart / "values.yaml"
    values.write_text(values.read_text() + "\nhooks:\n  before: false\n  after: false\n")


def hook(values: Path, *, before: bool = False, after: bool = False) -> None:
    """Turn hooks on in a values file."""
    kept = values.read_text().partition("\nhooks:\n")[0]
    values.write_text(f"{kept}\nhooks:\n  before: {str(before).lower()}\n  after: {str(after).lower()}\n")
