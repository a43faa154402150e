"""The release that stands before a launch: a product's version before the candidate, released as helm would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from console.rehearsal.sim.helm.actions import Helm, ReleaseRequest
from console.rehearsal.sim.helm.cluster import ApiError, Cluster, HelmError, read_access
from console.rehearsal.sim.helm.render import load_chart
from console.rehearsal.world.folder import WorldError
from state.base.clock import SharedClock
from state.base.json import JsonObject

_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRelease:
    """A release of a chart in an environment, reached by a context of the kubeconfig."""

    kubeconfig: Path
    context: str
    namespace: str
    name: str
    chart: Path
    values: JsonObject
    description: str

    async def make(self, clock: SharedClock) -> None:
        """Release it and wait until its pods are ready.

        Raises WorldError where it fails.
        """
        await asyncio.to_thread(self._make, clock)

    def _make(self, clock: SharedClock) -> None:
        helm = Helm(
            Cluster(read_access(self.kubeconfig, self.context)),
            self.namespace,
            clock.wall_us,
            lambda: asyncio.run(clock.sleep(max(0.5, 0.02 * clock.rate()))),
            say=lambda _: None,
        )
        request = ReleaseRequest(
            name=self.name,
            chart=load_chart(str(self.chart)),
            config=self.values,
            description=self.description,
            wait=True,
            timeout=_TIMEOUT_S,
            install=True,
        )
        try:
            helm.upgrade(request)
        except (HelmError, ApiError) as error:
            raise WorldError(f"the rehearsal's first release in {self.namespace} failed: {error}") from None
        finally:
            helm.cluster.close()
