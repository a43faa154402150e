"""What the operations of one environment work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from checks.clients.clients import Clients
from checks.clients.helm_release import HelmClient
from checks.clients.kube import KubeClient
from console.engine.operations.access.patience import Patience, PatientKube
from console.engine.operations.helm.helm import Helm
from console.engine.operations.helm.private_copy import PrivateCopy
from console.engine.operations.run.lease import Lease
from console.engine.operations.run.output import Report
from console.engine.operations.run.program import Running
from state.base.clock import Clock, first_of
from state.base.json import JsonObject
from state.runbook.environment import Environment
from state.runbook.models import Operation, Runbook
from state.view.enums import Tier
from state.view.launch import GoodRevision


@dataclass(frozen=True, slots=True)
class Site:
    """An environment with its helm and its cluster."""

    runbook: Runbook
    environment: Environment
    helm: Helm
    clients: Clients
    clock: Clock
    folder: Path
    """Where the output files of its programs are kept."""
    patience: Patience = field(default_factory=Patience)

    @property
    def tier(self) -> Tier:
        """Staging or production."""
        return self.environment.tier

    @property
    def namespace(self) -> str:
        """The release's namespace."""
        return self.environment.kube.namespace

    @property
    def release(self) -> str:
        """The release's name."""
        return self.environment.release

    @property
    def kube(self) -> KubeClient:
        """The cluster, asked again while it is in trouble for a moment."""
        return PatientKube(self.clients.kube(self.tier), self.clock, self.patience)

    @property
    def records(self) -> HelmClient:
        """Helm's records of the release, read from the cluster."""
        return HelmClient(self.kube, self.release, self.environment.title, self.clients.redactor)


@dataclass(slots=True)
class Run:
    """A run under way: the one thing in the engine that a signal may have to reach."""

    operation: Operation
    site: Site
    report: Report
    good: GoodRevision | None
    lease: Lease
    before: int = 0
    """The number of the newest revision before it began."""
    anchor: str = ""
    """The log's head with its intent in it: what marks a revision of helm's as its own."""
    copy: PrivateCopy | None = None
    """The chart and the values that helm reads."""
    running: Running | None = None
    job: str = ""
    manifest: JsonObject = field(default_factory=dict)
    """The migration's job, as it was previewed."""
    owns: str | None = field(default=None, repr=False)
    """The manifest of what an uninstall takes away: helm keeps none afterwards. Secret-bearing."""
    container: str = ""
    """The one of the job's containers that migrates."""
    lease_lost: bool = False
    """Whether its loss was told, and not yet that it is held again."""
    told: dict[str, str] = field(default_factory=dict)
    """What was said of each pod that wasn't ready."""
    abort: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        """Wait for a while, or until somebody aborts."""
        await first_of(self.site.clock.sleep(seconds), self.abort.wait())
