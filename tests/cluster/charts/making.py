"""Forty and more charts, each of a main workload and four shapes; no two of the same."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_EACH = 2
"""Shapes of each file in a chart."""
_ROUNDS = 2
"""Charts that a shape is in."""
CRDS = "crds-folder"
"""The shape whose first document goes into the chart's ``crds``."""
LEVELS = ("info", "debug")

_CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: { name: web-config }
data: { level: {{ .Values.level }}, started: 08:15 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [ { name: http, port: 80, targetPort: http } ] }
---
"""
_WEB = """apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { LABELS } }
spec:
  replicas: 1
  selector: { matchLabels: { LABELS } }
  template:
    metadata: { labels: { LABELS }, annotations: { level: {{ .Values.level }} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: "IMAGE"
          ports: [ { name: http, containerPort: 8080 } ]
          env: [ { name: LEVEL, value: {{ .Values.level }} } ]
"""
_USUAL = "app: web, app.kubernetes.io/name: web, app.kubernetes.io/instance: {{ .Release.Name }}"
_OLD = "app: web, release: {{ .Release.Name }}"
_WHOLE = "{{ .Values.image.web }}"
_CREATED = "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
MAINS = {"usual": (_USUAL, _WHOLE), "old-labels": (_OLD, _WHOLE), "helm-create": (_USUAL, _CREATED)}
"""Labels and image of the main workload."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart is made of."""

    name: str
    main: str
    shapes: tuple[str, ...]

    @property
    def parts(self) -> frozenset[str]:
        """What tells it from the others."""
        return frozenset((self.main, *self.shapes))

    @property
    def image_keys(self) -> dict[str, str]:
        """The keys of the values that take the image, as a runbook names them; empty for the usual one."""
        return {"repository": "image.repository", "tag": "image.tag"} if self.main == "helm-create" else {}


def shapes(file: str) -> dict[str, str]:
    """Return the templates of a file by their names."""
    parts = re.split(r"^=== (.+)\n", (_HERE / file).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def charts() -> list[Chart]:
    """Return every chart. Which shapes meet is drawn once for all, so that a chart's name says what it has."""
    draw = random.Random(11)
    found: list[Chart] = []
    mains = list(MAINS)
    for _ in range(_ROUNDS):
        decks = [
            draw.sample(sorted(names), len(names)) for names in (shapes("reported.yaml"), shapes("more.yaml"))
        ]
        for at in range(0, max(len(deck) for deck in decks), _EACH):
            drawn = [name for deck in decks for name in (deck + deck)[at : at + _EACH]]
            number = len(found)
            found.append(Chart(f"chart-{number:02}", mains[number % len(mains)], tuple(drawn)))
    return found


def write(chart: Chart, folder: Path, namespace: str) -> Path:
    """Write a chart for one namespace, after which it names what is the cluster's; return its folder."""
    templates = folder / "templates"
    templates.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {chart.name}\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text(f"level: {LEVELS[0]}\nimage: {{}}\n")
    labels, image = MAINS[chart.main]
    (templates / "web.yaml").write_text(_CONFIG + _WEB.replace("LABELS", labels).replace("IMAGE", image))
    known = {**shapes("reported.yaml"), **shapes("more.yaml")}
    for name in chart.shapes:
        text = re.sub(r"\bNS\b", namespace, known[name])
        if name == CRDS:
            definition, _, text = text.partition("---\n")
            (folder / "crds").mkdir()
            (folder / "crds" / f"{name}.yaml").write_text(definition)
        (templates / f"{name}.yaml").write_text(text)
    return folder
