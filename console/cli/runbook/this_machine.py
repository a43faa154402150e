"""What a runbook names and this machine has, or hasn't: charts, values, kubeconfigs, helm; and what is still a blank.

All of it would come up in a preview too, at eight in the evening. ``runbook check --offline`` leaves it out, for a
pipeline that has no kubeconfig.
"""

from __future__ import annotations

import asyncio
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import kubeconfig_path, read_access
from checks.clients.redact import Redactor
from console.engine.operations.helm.chart import lacking
from console.engine.operations.helm.helm import Helm, HelmError
from state.base.images import ImageRef, digest_of
from state.base.json import obj, objs, text
from state.base.text import line
from state.log.errors import LogError
from state.log.revoked_keys import read_revoked
from state.runbook.environment import Environment
from state.runbook.load import LoadedRunbook, Problem

# RFC 2606 and 6761: nobody has them. ``.test`` is left out: rehearsals live there.
_EXAMPLE = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|invalid)$", re.IGNORECASE)
_SHORTEST_S, _LONGEST_S = 60.0, 4 * 3600.0
_ENDPOINTS = ("prometheus", "alertmanager", "grafana", "traces", "logs", "ci", "registry", "objectstore")
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: what a launch would fail by, and what somebody should look at."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


Found = Iterator[tuple[bool, Sequence[str | int], str]]
"""(whether it is an error, the keys of its place, what it is)."""


def look(loaded: LoadedRunbook) -> Looked:
    """Look at everything that a runbook names on this machine. No cluster and no server is asked."""
    found = [*_candidate(loaded), *_revoked(loaded), *_helm(loaded), *_timeouts(loaded)]
    for tier, environment in loaded.runbook.environments.items():
        place = ("environments", tier.value)
        found += [(bad, (*place, *keys), why) for bad, keys, why in _environment(environment)]
    told = [(bad, loaded.problem(keys, why)) for bad, keys, why in found]
    return Looked(tuple(one for bad, one in told if bad), tuple(one for bad, one in told if not bad))


def _candidate(loaded: LoadedRunbook) -> Found:
    candidate = loaded.runbook.candidate
    if _is_blank(candidate.commit):
        yield True, ("candidate", "commit"), "a placeholder, not a commit: put in the one that is launched"
    for name, reference in candidate.images.named().items():
        place = ("candidate", "images", name)
        digest, image = digest_of(reference), ImageRef.parse(reference)
        if not digest:
            tag = f"tag {image.tag}" if image.tag else "no tag, which means latest"
            yield (
                True,
                place,
                f"named by {tag}, which may move: expected NAME@sha256:…, as the registry tells it",
            )
        elif _is_blank(digest.partition(":")[2]):
            yield True, place, "a placeholder, not a digest: put in the one that the registry has"
        if _EXAMPLE.search(image.host.partition(":")[0]):
            yield True, place, f"{line(image.host, 80)} is a domain for examples: expected your registry"


def _revoked(loaded: LoadedRunbook) -> Found:
    if (file := loaded.runbook.revoked_keys) is not None:
        try:
            read_revoked(file)
        except LogError as error:
            yield True, ("revoked_keys",), f"{line(str(error), 200)}: nothing that is signed would be taken"


def _is_blank(digits: str) -> bool:
    """Return whether somebody typed it: three quarters of it are one digit, which no hash comes to."""
    return len(digits) >= 7 and max(Counter(digits).values()) * 4 >= len(digits) * 3


def _helm(loaded: LoadedRunbook) -> Found:
    runbook = loaded.runbook
    environment = next(iter(runbook.environments.values()))
    helm = Helm(runbook, environment, Path(os.devnull), Redactor())
    try:
        problem = asyncio.run(helm.version()).problem()
    except HelmError as error:
        problem = str(error).removeprefix("helm: ")
    if problem:
        yield True, ("helm",), problem


def _timeouts(loaded: LoadedRunbook) -> Found:
    for index, operation in enumerate(loaded.runbook.operations):
        place = ("operations", index, "timeout")
        if operation.timeout < _SHORTEST_S:
            yield False, place, f"{operation.timeout:g} s are over before pods start: expected some minutes"
        elif operation.timeout > _LONGEST_S:
            yield (
                False,
                place,
                f"{operation.timeout / 3600:g} hours: nobody would wait that long for a verdict",
            )


def _environment(environment: Environment) -> Found:
    for keys, why in _chart(environment):
        yield True, ("chart", *keys), why
    if Path(environment.chart.path).is_dir():
        for need in lacking(Path(environment.chart.path)):
            yield need.missing, ("chart", "path"), need.words
    yield from _kubeconfig(environment)
    for word, domain in environment.domains.named().items():
        if _EXAMPLE.search(domain.host):
            yield (
                True,
                ("domains", word, "host"),
                f"{line(domain.host, 80)} is a domain for examples: expected yours",
            )
    for name in _ENDPOINTS:
        host = urlsplit(getattr(getattr(environment, name), "url", "")).hostname or ""
        if _EXAMPLE.search(host):
            yield True, (name, "url"), f"{line(host, 80)} is a domain for examples: expected yours"


def _kubeconfig(environment: Environment) -> Found:
    kube = environment.kube
    key = "kubeconfig" if kube.kubeconfig is not None else "context"
    try:
        read_access(kube, Where("Kubernetes", environment.title))
    except MisconfiguredError as error:
        yield True, ("kube", key if "context" not in str(error) else "context"), str(error)
    if kube.kubeconfig is None and os.pathsep in (paths := kubeconfig_path(kube)):
        missing = [one for one in paths.split(os.pathsep) if one and not Path(one).expanduser().exists()]
        for one in missing:
            yield False, ("kube", "context"), f"KUBECONFIG names {line(one, 120)}, which is not there"


def _chart(environment: Environment) -> Iterator[tuple[Sequence[str | int], str]]:
    chart = environment.chart
    path = Path(chart.path)
    if path.exists():
        yield from _about(path, chart.version)
    elif why := _nowhere(chart.path):
        yield ("path",), why
    for index, file in enumerate(chart.values):
        try:
            values = yaml.load(_read(file), yaml.CSafeLoader)
        except OSError as error:
            yield (
                ("values", index),
                f"values file {file} cannot be read: {(error.strerror or 'error').lower()}",
            )
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1})" if mark is not None else ""
            yield ("values", index), f"values file {file} is no YAML{where}"
        else:
            if values is not None and not isinstance(values, dict):
                yield ("values", index), f"values file {file} holds no keys with values: expected a mapping"


def _about(path: Path, version: str) -> Iterator[tuple[Sequence[str | int], str]]:
    try:
        about = obj(yaml.load(_chart_yaml(path), yaml.CSafeLoader))
    except (OSError, KeyError, tarfile.TarError, yaml.YAMLError, ValueError) as error:
        reason = (
            (error.strerror or "error").lower() if isinstance(error, OSError) else "it is none, or broken"
        )
        yield ("path",), f"{path} is no chart: its Chart.yaml cannot be read ({reason})"
        return
    if not text(about, "name"):
        yield ("path",), f"{path} is no chart: its Chart.yaml has no name"
    # Of a chart on this machine helm heeds no --version: it would deploy what is there.
    if text(about, "version") != version:
        there = line(text(about, "version"), 40) or "none"
        yield (
            ("version",),
            f"{path} is version {there}, not {version}: correct it here, or check out that version",
        )


def _chart_yaml(path: Path) -> bytes:
    if path.is_dir():
        return _read(path / "Chart.yaml")
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml") and member.size < _LARGEST:
                content = archive.extractfile(member)
                return content.read() if content is not None else b""
    raise KeyError("Chart.yaml")


def _read(file: Path) -> bytes:
    if not file.is_file():
        # A folder, a pipe or a device would be read for ever, or not as what it is.
        raise FileNotFoundError(2, "there is no such file" if not file.exists() else "it is no file")
    if file.stat().st_size > _LARGEST:
        raise ValueError("too large")
    return file.read_bytes()


def _nowhere(path: str) -> str:
    """Return why a chart that is no file here can't be found, or nothing where helm may fetch it."""
    if path.startswith(("oci://", "http://", "https://")):
        return ""
    repository, _, name = path.partition("/")
    if path.startswith((".", "/", "~")) or path.endswith((".tgz", ".tar.gz")) or not name or "/" in name:
        return f"there is no chart {line(path, 120)} here: expected a folder, an archive or repository/chart"
    known = _repositories()
    if repository in known:
        return ""
    has = f"it knows {', '.join(known)}" if known else "it knows none"
    return (
        f"{line(path, 120)} is neither beside the runbook nor in a repository that helm knows ({line(has, 120)}): "
        "correct it, or helm repo add"
    )


def _repositories() -> list[str]:
    home = Path(os.environ.get("HELM_CONFIG_HOME") or Path("~/.config/helm").expanduser())
    if not os.environ.get("HELM_CONFIG_HOME") and (config := os.environ.get("XDG_CONFIG_HOME")):
        home = Path(config) / "helm"
    file = Path(os.environ.get("HELM_REPOSITORY_CONFIG") or home / "repositories.yaml")
    try:
        said = yaml.load(_read(file), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError, ValueError):
        return []
    return [text(one, "name") for one in objs(obj(said).get("repositories"))]
