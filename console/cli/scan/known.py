"""The secret values that a runbook knows, each with where it stands: what a scan looks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from checks.base import CouldNotLookError
from checks.clients.clients import Clients, public_words
from checks.clients.errors import Where
from checks.clients.kubeconfig.access import read_access
from checks.clients.redact import Redactor
from console.engine.operations.helm.brought_values import brought_values
from console.engine.operations.preview.approvals import register_mounted
from console.engine.operations.run.secrets import env_lines
from state.base import kube_yaml
from state.runbook.environment import Environment
from state.runbook.models import Runbook
from state.runbook.units import MissingSecretError, SecretRef, TokenRef, secret_refs, setting_of


@dataclass(slots=True)
class Known:
    """What is looked for, and what could not be read, which is said and never passed over."""

    public: tuple[str, ...]
    sources: list[tuple[str, Redactor]] = field(default_factory=list)
    """(where the values stand, what knows them)."""
    unread: list[str] = field(default_factory=list)
    everything: Redactor = field(default_factory=Redactor)

    def source(self, name: str) -> Redactor:
        """Return what is told the values of one more source."""
        made = Redactor(self.public)
        self.sources.append((name, made))
        return made

    def which(self, text: str) -> list[str]:
        """Return where the values stand that a text holds, whole or cut by the ends of its lines."""
        return [name for name, one in self.sources if one.holds(text) or one.finds_across(text)]

    def count(self) -> int:
        """Return how many sources have a value."""
        return sum(one.knows_any() for _, one in self.sources)


def known(runbook: Runbook) -> Known:
    """Return the values that a runbook names on this machine. Nothing outside it is asked."""
    found = Known(tuple(public_words(runbook)))
    for keys, ref in secret_refs(runbook):
        _ref(found, setting_of(keys), ref)
    for environment in runbook.environments.values():
        _settings(found, environment)
        _kubeconfig(found, environment)
        for secret in environment.apply_secrets:
            if secret.env_file is not None:
                _env_file(found, secret.env_file)
    return found


async def add_cluster(found: Known, runbook: Runbook) -> None:
    """Add what the clusters' Secrets hold that releases mount, and helm's records."""
    clients = Clients(runbook)
    try:
        await register_mounted(runbook, clients)
        for environment in runbook.environments.values():
            try:
                await clients.helm(environment.tier).history()
            except CouldNotLookError as error:
                found.unread.append(str(error))
    finally:
        await clients.aclose()
    found.sources.append(("the clusters' Secrets, or helm's records", clients.redactor))


def _ref(found: Known, name: str, ref: SecretRef) -> None:
    if isinstance(ref, TokenRef) and ref.exec:
        found.unread.append(f"{name}: a program tells it, and none is run for a scan")
        return
    where = f"the variable {ref.env}" if ref.env is not None else f"the file {ref.file}"
    try:
        value = ref.read()
    except MissingSecretError as error:
        found.unread.append(f"{name}: {error}")
    else:
        found.source(f"{where} ({name})").register_pair(name, value)


def _settings(found: Known, environment: Environment) -> None:
    chart = environment.chart
    for path in chart.values:
        try:
            _file(found, str(path), path.read_bytes())
        except OSError as error:
            found.unread.append(f"{path}: {error.strerror}")
    for raw in brought_values(Path(chart.path)):
        _file(found, f"the values that {chart.path} brings", raw)


def _file(found: Known, name: str, raw: bytes) -> None:
    try:
        settings = list(kube_yaml.settings(raw))
    except kube_yaml.KubeYamlError as error:
        found.unread.append(f"{name}: {error}")
        return
    for path, group in _by_path(settings):
        redactor = Redactor(found.public)
        for value in group:
            redactor.register_setting(path, value)
        if redactor.knows_any():
            found.sources.append((f"{name}: {'.'.join(path)}", redactor))


def _by_path(
    settings: Iterable[tuple[tuple[str, ...], str]],
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for path, value in settings:
        groups.setdefault(path, []).append(value)
    yield from groups.items()


def _kubeconfig(found: Known, environment: Environment) -> None:
    try:
        access = read_access(environment.kube, Where("Kubernetes", environment.title))
    except CouldNotLookError as error:
        found.unread.append(str(error))
        return
    redactor = found.source(f"the kubeconfig of {environment.title}")
    for value in access.secrets():
        redactor.register(value)


def _env_file(found: Known, path: Path) -> None:
    try:
        pairs = env_lines(path.read_text(errors="replace"))
    except OSError as error:
        found.unread.append(f"{path}: {error.strerror}")
        return
    for key, value in pairs.items():
        found.source(f"{path}: {key}").register_pair(key, value)
