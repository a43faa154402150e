"""What a preparation has to make: the namespace, its labels, secrets and their keys (SOP helm commands 1 and 2)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from checks.clients.errors import NotFoundError
from checks.clients.kube_object import labels_of
from console.engine.operations.preview.sop_commands import namespace_command, secret_commands
from console.engine.operations.run import secrets as applying
from console.engine.operations.run.context import Site
from state.base.numbers import plural


@dataclass(slots=True)
class Preparation:
    """What the runbook asks for and the cluster lacks."""

    namespace: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    """Labels that are missing, or have another value."""
    old_labels: dict[str, str] = field(default_factory=dict)
    """The other values."""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By secret, the keys that it lacks: all of them where it isn't there."""
    absent: tuple[str, ...] = ()
    """The secrets of ``keys`` that aren't there at all."""
    differ: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By secret, the keys whose values differ, which stay as they are."""
    without_source: tuple[str, ...] = ()
    """Secrets that the release mounts, that aren't there, and that the runbook has no values for."""

    @property
    def nothing(self) -> bool:
        """Whether nothing is left to be done."""
        return not (self.namespace or self.labels or self.keys)

    @property
    def words(self) -> str:
        """What is lacking, in words; nothing where that is nothing."""
        found = ["the namespace"] if self.namespace else []
        found += [f"label {key}" for key in sorted(self.labels)]
        found += [_secret_words(name, keys, self.absent) for name, keys in self.keys.items()]
        return ", ".join(found)


def _secret_words(name: str, keys: tuple[str, ...], absent: tuple[str, ...]) -> str:
    if name in absent:
        return f"secret {name} ({plural(len(keys), 'key')})"
    return f"{', '.join(keys)} in secret {name}"


async def to_prepare(site: Site) -> Preparation:
    """Return what is still to be done.

    Raises MisconfiguredError where a value isn't on this machine, and the client's errors.
    """
    found = Preparation()
    expected = site.environment.namespace_labels
    try:
        there = labels_of(await site.kube.get(f"/api/v1/namespaces/{site.namespace}"))
    except NotFoundError:
        found.namespace, there = True, {}
    found.labels = {key: value for key, value in expected.items() if there.get(key) != value}
    found.old_labels = {key: str(there[key]) for key in found.labels if key in there}
    for secret in site.environment.apply_secrets:
        values = applying.values_of(site, secret)
        now = await secret_values(site, secret.name)
        missing = tuple(sorted(values if now is None else values.keys() - now.keys()))
        if missing:
            found.keys[secret.name] = missing
        if now is None:
            found.absent = (*found.absent, secret.name)
        differ = tuple(sorted(key for key, value in values.items() if (now or {}).get(key, value) != value))
        if differ:
            found.differ[secret.name] = differ
    applied = {secret.name for secret in site.environment.apply_secrets}
    for name in site.environment.secrets:
        if name not in applied and await secret_values(site, name) is None:
            found.without_source = (*found.without_source, name)
    return found


async def secret_values(site: Site, name: str) -> dict[str, str] | None:
    """Return what a secret holds, or None where it isn't there."""
    try:
        return await site.kube.secret(name, site.namespace)
    except NotFoundError:
        return None


def commands(site: Site, found: Preparation) -> list[str]:
    """Return the kubectl command lines that come to the same; they name files and variables, never values."""
    target = f"kubectl --context {site.environment.kube.context}"
    lines = [namespace_command(site)] if found.namespace else []
    if found.labels:
        pairs = " ".join(shlex.quote(f"{key}={value}") for key, value in sorted(found.labels.items()))
        lines.append(f"{target} label namespace {site.namespace} {pairs} --overwrite")
    return [*lines, *secret_commands(site, found.keys)]
