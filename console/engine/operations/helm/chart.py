"""What a chart on this machine needs and has not: the charts that it depends on, vendored in its ``charts`` folder.

helm refuses a chart that lacks one, in words that name no version; one of another version it takes without a word.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.clients.helm_release import merge
from state.base import kube_yaml
from state.base.json import JsonObject, obj, text
from state.base.text import line
from state.runbook.environment import Chart

_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_LARGEST_VALUES = 1024 * 1024
_BROKEN = (OSError, tarfile.TarError, kube_yaml.KubeYamlError)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What is wrong with one chart that is depended on."""

    words: str
    missing: bool
    """Whether it is not there at all, so that helm will refuse."""


def lacking(chart: Path, named: Path | None = None) -> list[Lacking]:
    """Return what a chart's folder lacks. An archive was checked when it was packed, and is not looked into.

    ``named`` is where its own folder is, if ``chart`` is a copy.
    """
    if not chart.is_dir():
        return []
    vendored = dict(_vendored(chart / "charts"))
    locked = dict(_named(_file(chart / "Chart.lock")))
    found: list[Lacking] = []
    do = f"run helm dependency build {named or chart}"
    for name, expected in _named(_file(chart / "Chart.yaml")):
        exact = locked.get(name, expected)
        where = "Chart.lock" if name in locked else "Chart.yaml"
        if name not in vendored:
            message = f"the chart needs {name} {exact}, which is not in its charts folder: {do}"
            found.append(Lacking(line(message, 300), missing=True))
        elif _EXACT.fullmatch(exact) and vendored[name].removeprefix("v") != exact.removeprefix("v"):
            message = f"the charts folder has {name} {vendored[name]}, {where} says {exact}: {do}"
            found.append(Lacking(line(message, 300), missing=False))
    return found


def default_values(chart: Path) -> JsonObject:
    """Return a chart's values by default, those of its vendored charts at their names; empty where unknown."""
    if chart.is_dir():
        own = obj(_file(chart / "values.yaml"))
        inner = sorted((chart / "charts").iterdir()) if (chart / "charts").is_dir() else []
        below = {_name_of(one): default_values(one) for one in inner}
        return merge({name: values for name, values in below.items() if name and values}, own)
    found = _members(chart, re.compile(r"[^/]+/(?:charts/([^/]+)/)?values\.yaml"))
    own = obj(found.pop("", None))
    return merge({name: obj(values) for name, values in found.items()}, own)


def values_of(chart: Chart) -> JsonObject:
    """Return a chart's values with those of its values files over them; a file that can't be read is left out."""
    values = default_values(Path(chart.path))
    for file in chart.values:
        values = merge(values, obj(_file(file)))
    return values


def _name_of(chart: Path) -> str:
    about = _file(chart / "Chart.yaml") if chart.is_dir() else _archived(chart)
    return text(obj(about), "name")


def _members(archive: Path, pattern: re.Pattern[str]) -> dict[str, object]:
    """Return the YAML files of an archive whose names match, by the pattern's group."""
    if archive.suffix != ".tgz":
        return {}
    found: dict[str, object] = {}
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                match = pattern.fullmatch(member.name)
                file = opened.extractfile(member) if match is not None else None
                if match is not None and file is not None:
                    found[match[1] or ""] = _read(file.read(_LARGEST_VALUES))
    except _BROKEN:
        return {}
    return found


def _named(told: object) -> Iterator[tuple[str, str]]:
    """Yield (name, version) of the dependencies in a Chart.yaml or a Chart.lock."""
    listed = told.get("dependencies") if isinstance(told, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("name"):
            yield str(one["name"]), str(one.get("version") or "")


def _vendored(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, version) of every chart in a folder, be it a folder or an archive."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        told = _file(path / "Chart.yaml") if path.is_dir() else _archived(path)
        if isinstance(told, dict) and told.get("name"):
            yield str(told["name"]), str(told.get("version") or "")


def _file(path: Path) -> object:
    try:
        return _read(path.read_bytes())
    except _BROKEN:
        return None  # helm will say what is wrong with it


def _archived(path: Path) -> object:
    if path.suffix != ".tgz":
        return None
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.count("/") == 1 else None
                if file is not None and member.name.endswith("/Chart.yaml"):
                    return _read(file.read(64 * 1024))
    except _BROKEN:
        return None
    return None


def _read(raw: bytes) -> object:
    return kube_yaml.load(raw)
