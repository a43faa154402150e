"""What a runbook calls the web service that it launches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.rehearsal.world.folder import WorldError
from state.runbook.environment import Tier
from state.runbook.models import Runbook


@dataclass(frozen=True, slots=True)
class Site:
    """One environment of the service."""

    tier: Tier
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
    sites: Mapping[Tier, Site]


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
        sites[tier] = Site(
            tier,
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
