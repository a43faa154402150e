"""Real helm programs, where there are some, and a chart with hooks for them."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from state.fields import Json
from tests import fetch_helm
from tests.engine.operations.stand import Change, Stand

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
      containers:
        - name: {name}-hook
          image: {{{{ .Values.image.backend | quote }}}}
          args: [check]
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


@cache
def find(major: int) -> str:
    """Return a real helm of a major version, or skip the test and say what was looked for."""
    named = os.environ.get(f"LC_HELM{major}")
    candidates = (named, fetch_helm.program(major), shutil.which(f"helm{major}"), shutil.which("helm"))
    for program in (str(one) for one in candidates if one and Path(one).exists()):
        told = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False)
        if told.stdout.startswith(f"v{major}."):
            return program
    missing = f"no helm {major}: run python -m tests.fetch_helm, or name one in LC_HELM{major}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def real(major: int) -> Change:
    """Let a launch use a real helm."""
    program = find(major)

    def change(body: dict[str, Json]) -> None:
        body["helm"] = program

    return change


def add_hooks(stand: Stand) -> None:
    """Give the world's chart hooks (off until ``hook`` turns one on), a disruption budget and an autoscaler."""
    templates = stand.world.folder.chart / "templates"
    before = _HOOK.format(value="before", name="before", events='"pre-install,pre-upgrade"')
    after = _HOOK.format(value="after", name="after", events='"post-rollback"')
    for name, text in {"before": before, "after": after, "budget": _BUDGET, "scaler": _SCALER}.items():
        (templates / f"{name}.yaml").write_text(text)
    values = stand.world.folder.chart / "values.yaml"
    values.write_text(values.read_text() + "\nhooks:\n  before: false\n  after: false\n")


def hook(values: Path, *, before: bool = False, after: bool = False) -> None:
    """Turn hooks on in a values file."""
    kept = values.read_text().partition("\nhooks:\n")[0]
    values.write_text(f"{kept}\nhooks:\n  before: {str(before).lower()}\n  after: {str(after).lower()}\n")
