"""What the operations of one environment work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from checks.clients.kube import KubeClient
from console.engine.operations.helm import Helm
from console.engine.operations.program import Running
from console.engine.operations.report import Report
from state.clock import Clock
from state.runbook.environment import Environment
from state.runbook.models import Operation, Runbook
from state.view import GoodRevision


@dataclass(frozen=True, slots=True)
class Site:
    """An environment with its helm and its cluster."""

    runbook: Runbook
    environment: Environment
    helm: Helm
    kube: KubeClient
    clock: Clock
    folder: Path
    """Where the output files of its programs are kept."""

    @property
    def namespace(self) -> str:
        """The release's namespace."""
        return self.environment.kube.namespace


@dataclass(slots=True)
class Run:
    """A run under way: the one thing in the engine that a signal may have to reach."""

    operation: Operation
    site: Site
    report: Report
    good: GoodRevision | None
    running: Running | None = None
    job: str = ""
    abort: asyncio.Event = field(default_factory=asyncio.Event)
