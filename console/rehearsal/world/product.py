"""What a product is to a world: names, objects, servers, faults, and its side of the runbook.

A product is a folder beside this one with a class like this; ``console/rehearsal/products.py`` says which
runbook launches it. Several products can stand in one world, each in namespaces of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.world.fault import Fault
from console.rehearsal.world.runbook import Addresses
from console.rehearsal.world.traffic import Traffic
from state.base.json import Json, JsonObject
from state.runbook.environment import Tier

if TYPE_CHECKING:
    from console.rehearsal.world.world import World

Listen = Callable[[str, web.Application, SSLContext | None], Awaitable[int]]
"""Serves an application under a name that is the world's own, on the port that it had before; returns the port."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a product serves, and who signs its certificates."""

    authority: Authority
    listen: Listen


class Product(Protocol):
    """What is launched in a world, or stands beside it. The methods are called in the order in which they stand."""

    title: str
    """As in "fault x is one of …"."""
    namespaces: Mapping[Tier, str]
    may_be_first: bool = False
    """Whether its production can begin with nothing installed."""

    def faults(self) -> Sequence[Fault]:
        """Return what can be wrong where this product is launched."""

    def enter(self, world: World) -> None:
        """Take a world that is being opened; its cluster, clock, folder, registry and object store are there."""

    def prepare(self) -> None:
        """Push images and write chart and values: at each start, before the faults' own ``prepare``."""

    def seed(self, cluster: Store) -> None:
        """Create what stands in the cluster before the first release of a new world."""

    async def release(self) -> None:
        """Release the version before the candidate in a new world, where the launch isn't the first there.

        Raises WorldError.
        """

    async def serve(self, site: Site) -> None:
        """Serve the environments; what they do so far is ``traffic`` afterwards."""

    @property
    def traffic(self) -> Traffic:
        """The samples of its programs."""

    def rules(self) -> Sequence[AlertRule]:
        """Return the alert rules that watch it."""

    def runbook(self, given: str | None, addresses: Addresses) -> JsonObject:
        """Return what is launched, as data: ``given`` (None: the product's own), with the world's addresses."""

    def prepares(self) -> Mapping[Tier, JsonObject]:
        """Return what the runbook of a first launch says besides: the namespace's labels, and secrets to apply."""
        return {}

    @property
    def chart(self) -> Path:
        """The chart that is released."""

    def step(self) -> None:
        """Let servers, data and traffic follow from what the cluster holds now."""

    async def run(self) -> None:
        """Do what goes on beside that until cancelled."""
        return

    def pod_log(self, namespace: str, container: str) -> str:
        """Return a container's log; empty where it is not one of this product."""
        del namespace, container
        return ""

    def describe(self, url: Callable[[str], str]) -> Mapping[str, Json]:
        """Return where its servers are, for ``launch-console range``; ``url`` knows them by their names."""
        del url
        return {}

    def close(self) -> None:
        """Let go of what was opened."""
        return
