"""What a runbook calls the web service that it launches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.rehearsal.dotmac.names import PARTS, Env
from console.rehearsal.world.folder import WorldError
from state.runbook.load import load_runbook
from state.runbook.models import Runbook


@dataclass(frozen=True, slots=True)
class Site:
    """One environment of the service."""

    env: Env
    namespace: str
    release: str
    deployment: str
    word: str
    """By which the runbook names its domain."""
    host: str
    health_path: str
    secret: str
    """The Kubernetes secret with its settings."""
    more_secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The service: its image, chart and version, and its environments."""

    part: str
    """The image's name in the runbook, and the container's."""
    image_host: str
    repository: str
    version: str
    chart: str
    chart_version: str
    sites: Mapping[Env, Site]


def read_names(runbook: Runbook) -> Names:
    """Return the service that a runbook launches.

    Raises WorldError where the rehearsal has nothing that is like it.
    """
    images = runbook.candidate.images.named()
    if len(images) != 1:
        raise WorldError(
            f"the rehearsal's web service has one image, and the runbook's candidate names {len(images)}"
        )
    part, reference = next(iter(images.items()))
    host, _, rest = reference.partition("/")
    chart = runbook.environments[next(iter(runbook.environments))].chart
    sites = {}
    for tier, environment in runbook.environments.items():
        domains = environment.domains.named()
        if len(domains) != 1:
            raise WorldError(f"the rehearsal's web service has one domain; {tier} names {len(domains)}")
        word, domain = next(iter(domains.items()))
        first, *more = environment.secrets or (f"{environment.release}-secrets",)
        name = environment.deployment.replace("{release}", environment.release).replace("{part}", part)
        sites[Env(tier.value)] = Site(
            Env(tier.value),
            environment.kube.namespace,
            environment.release,
            name,
            word,
            domain.host,
            environment.health_path,
            first,
            tuple(more),
        )
    return Names(
        part,
        host,
        rest.partition("@")[0].partition(":")[0],
        runbook.candidate.version,
        Path(chart.path).name,
        chart.version,
        sites,
    )


OF_ANY_CANDIDATE = frozenset({"bad-candidate", "slow-candidate"})
"""Faults that any candidate can have; the others are of the SOP's platform."""


def is_platform(runbook: Runbook) -> bool:
    """Return whether a runbook launches the SOP's platform: the world has that beside the service."""
    return set(runbook.candidate.images.named()) == set(PARTS)


def read_service(given: Path) -> Names | None:
    """Return the service that a world was made for, or None where it is the SOP's platform."""
    if not given.exists():
        return None
    runbook = load_runbook(given).runbook
    return None if is_platform(runbook) else read_names(runbook)


def read_given(runbook: Path, faults: Sequence[str]) -> str:
    """Return the text of a runbook to rehearse.

    Raises RunbookError where it can't be used, and WorldError where the world has nothing that is like it.
    """
    loaded = load_runbook(runbook).runbook
    if not is_platform(loaded):
        read_names(loaded)
        odd = sorted(set(faults) - OF_ANY_CANDIDATE)
        if odd:
            known = ", ".join(sorted(OF_ANY_CANDIDATE))
            raise WorldError(
                f"fault {odd[0]} is one of the SOP's platform: with this runbook there are {known}"
            )
    return runbook.read_text()
