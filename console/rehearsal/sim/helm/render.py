"""Charts: reading them, merging values, and rendering templates that only insert values."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.rehearsal.sim.helm.cluster import HelmError, mutable
from state.base import kube_yaml
from state.base.json import Json, JsonObject, obj, text

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_EXPRESSION = re.compile(r"\.(Values(?:\.\w+)+|Release\.(?:Name|Namespace|Revision))(\s*\|\s*quote)?")

# helm's InstallOrder, as far as the kinds are known here
_ORDER = (
    "Namespace", "PodDisruptionBudget", "ServiceAccount", "Secret", "ConfigMap", "Service",
    "Deployment", "HorizontalPodAutoscaler", "Job", "CronJob", "Ingress",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart folder in memory."""

    metadata: JsonObject
    values: JsonObject
    templates: tuple[tuple[str, str], ...]
    """Name (``templates/x.yaml``) and text."""

    def document(self) -> JsonObject:
        """Return the chart as helm keeps it in a release record."""
        return {
            "metadata": self.metadata,
            "lock": None,
            "templates": [
                {"name": name, "data": base64.b64encode(body.encode()).decode()}
                for name, body in self.templates
            ],
            "values": self.values,
            "schema": None,
            "files": [],
        }


@dataclass(frozen=True, slots=True)
class Names:
    """What ``.Release`` is in a template."""

    name: str
    namespace: str
    revision: int


def load_chart(folder: str) -> Chart:
    """Read a chart folder.

    Raises HelmError in helm's words where it is not one.
    """
    root = Path(folder)
    if not root.is_dir():
        raise HelmError(f'path "{folder}" not found')
    try:
        metadata = obj(kube_yaml.load((root / "Chart.yaml").read_text()))
    except OSError:
        raise HelmError("Chart.yaml file is missing") from None
    except kube_yaml.KubeYamlError as error:
        raise HelmError(f"cannot load Chart.yaml: {_short(error)}") from None
    files = sorted((root / "templates").glob("*.yaml"))
    return Chart(
        metadata=metadata,
        values=read_values(root / "values.yaml") if (root / "values.yaml").exists() else {},
        templates=tuple((f"templates/{f.name}", f.read_text()) for f in files),
    )


def read_values(file: Path) -> JsonObject:
    """Read a values file.

    Raises HelmError in helm's words.
    """
    try:
        return obj(kube_yaml.load(file.read_text()))
    except OSError as error:
        raise HelmError(f"open {file}: {(error.strerror or 'error').lower()}") from None
    except kube_yaml.KubeYamlError as error:
        raise HelmError(f"failed to parse {file}: {_short(error)}") from None


def _short(error: kube_yaml.KubeYamlError) -> str:
    return " ".join(str(error).split())[:200]


def merged(below: JsonObject, above: JsonObject) -> dict[str, Json]:
    """Return two trees of values as one: maps are merged, anything else of ``above`` wins, null removes."""
    result = mutable(below)
    for key, value in above.items():
        lower = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(obj(lower), value)
        else:
            result[key] = value
    return result


def set_value(values: dict[str, Json], assignment: str, *, as_text: bool) -> None:
    """Apply one ``a.b=c`` of ``--set`` (numbers and true/false typed, unless ``as_text``).

    Raises HelmError where it is not an assignment.
    """
    name, equals, given = assignment.partition("=")
    keys = name.split(".")
    if not equals or not all(keys):
        raise HelmError(f'failed parsing --set data: key "{name}" has no value')
    for key in keys[:-1]:
        below = values.get(key)
        values[key] = values = dict(below) if isinstance(below, Mapping) else {}
    values[keys[-1]] = given if as_text else _typed(given)


def _typed(given: str) -> Json:
    if given in {"true", "false"}:
        return given == "true"
    if given == "null":
        return None
    return int(given) if re.fullmatch(r"0|-?[1-9]\d*", given) else given


def render(chart: Chart, values: JsonObject, names: Names) -> tuple[str, tuple[JsonObject, ...]]:
    """Return a chart's manifest, in helm's order and layout, and the objects in it.

    Raises HelmError for anything in a template but inserted values.
    """
    chart_name = text(chart.metadata, "name")
    every = merged(chart.values, values)
    documents: list[tuple[int, str, str, JsonObject]] = []
    for name, body in chart.templates:
        source = f"{chart_name}/{name}"
        filled = _fill(body, every, names, source)
        try:
            item = obj(kube_yaml.load(filled))
        except kube_yaml.KubeYamlError as error:
            raise HelmError(f"YAML parse error on {source}: {_short(error)}") from None
        kind = text(item, "kind")
        if "helm.sh/hook" in obj(obj(item.get("metadata")).get("annotations")):
            raise HelmError(f"{source}: hooks are beyond this rehearsal's helm")
        rank = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
        documents.append((rank, source, filled, item))
    documents.sort(key=lambda d: (d[0], text(obj(d[3].get("metadata")), "name")))
    manifest = "".join(f"---\n# Source: {source}\n{filled.strip()}\n" for _, source, filled, _ in documents)
    return manifest, tuple(item for *_, item in documents)


def objects(manifest: str) -> tuple[JsonObject, ...]:
    """Return the objects of a manifest."""
    return tuple(obj(one) for one in kube_yaml.load_all(manifest))


def _fill(body: str, values: JsonObject, names: Names, source: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        found = _EXPRESSION.fullmatch(match[1])
        if found is None:
            raise HelmError(f"template: {source}: {match[0]} is beyond this rehearsal's helm")
        value = _look_up(found[1], values, names, source)
        if found[2] is None:
            return _printed(value)
        return "" if value is None else json.dumps(_printed(value), ensure_ascii=False)

    return _ACTION.sub(replaced, body)


def _look_up(expression: str, values: JsonObject, names: Names, source: str) -> Json:
    root, *keys = expression.split(".")
    if root == "Release":
        known: dict[str, Json] = {
            "Name": names.name,
            "Namespace": names.namespace,
            "Revision": names.revision,
        }
        return known[keys[0]]
    value: Json = values
    for key in keys:
        if not isinstance(value, Mapping):
            raise HelmError(
                f"template: {source}: executing {json.dumps(source)} at <.{expression}>: "
                f"nil pointer evaluating interface {{}}.{key}"
            )
        value = value.get(key)
    return value


def _printed(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
