"""Which cluster each environment is on, fixed when the launch begins: a kubeconfig may lead elsewhere later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checks.base import CouldNotLookError
from checks.clients.errors import ForbiddenError, NotFoundError
from checks.clients.kubeconfig.access import Address
from checks.clients.kubeconfig.session import Identity
from console.engine.record.journal import Journal
from state.base.text import line
from state.events.event import Draft
from state.events.world import ClusterIdentified
from state.runbook.environment import Environment
from state.view.enums import Tier
from state.view.launch import LaunchView

if TYPE_CHECKING:
    from console.engine.ports import ClientsPort
    from state.runbook.models import Runbook

_AGAIN_S = 30.0


def fixed_identity(view: LaunchView, tier: Tier) -> Identity | None:
    """Return which cluster an environment was on when the launch began; None where that isn't known yet."""
    known = view.clusters.get(tier.value)
    return Identity(Address(known.server, known.ca), known.uid) if known is not None else None


class Clusters:
    """Records ``cluster.identified`` of every environment, once, and holds the clients to it."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: ClientsPort) -> None:
        self._journal = journal
        self._environments = tuple(runbook.environments.values())
        self._clients = clients

    def hold(self) -> None:
        """Hold the clients to what the log knows, before anything is asked."""
        for environment in self._environments:
            fixed = fixed_identity(self._journal.view, environment.tier)
            if fixed is not None:
                self._clients.kube(environment.tier).fix(fixed)

    async def run(self) -> None:
        """Identify every cluster; what can't be seen yet is looked at again every half minute."""
        await asyncio.gather(*(self._identify(environment) for environment in self._environments))

    async def _identify(self, environment: Environment) -> None:
        while not await self._identified(environment):
            await self._journal.clock.sleep(_AGAIN_S)

    async def _identified(self, environment: Environment) -> bool:
        """Look once; return whether there is nothing more to learn."""
        known = self._journal.view.clusters.get(environment.tier.value)
        if known is not None and known.uid:
            return True
        kube, final, reason = self._clients.kube(environment.tier), True, ""
        try:
            found = await kube.identity()
        except CouldNotLookError as error:
            # Who may not read it never may; anything else may be over in a moment.
            final = isinstance(error, ForbiddenError | NotFoundError)
            reason = line(self._clients.redactor.clean(str(error)), 300)
            try:
                found = await kube.address()
            except CouldNotLookError:
                return False  # the watch says that there is no such kubeconfig
        kube.fix(found)
        if known is None or found.uid:
            address = found.address
            said = ClusterIdentified(environment.tier.value, address.server, address.ca, found.uid, reason)
            await self._journal.record(Draft(said))
        return final
