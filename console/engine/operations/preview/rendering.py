"""What a deploy of the candidate would install, for whoever asks while nothing is installed yet."""

from __future__ import annotations

import asyncio

from console.engine.operations.helm.private_copy import Parts
from console.engine.operations.preview.approvals import parts_of, register_rendered, register_secrets
from console.engine.operations.run.context import Site
from state.view.enums import Tier


class Manifests:
    """Manifests by environment: of the same chart, values and images one is rendered once."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._known: dict[Tier, tuple[Parts, str]] = {}

    async def of(self, site: Site) -> str:
        """Return an environment's manifest; the redactor knows what its Secrets hold.

        Raises HelmError where the chart doesn't render.
        """
        async with self._lock:
            parts = parts_of(site.runbook, site.tier)
            known = self._known.get(site.tier)
            if known is None or known[0] != parts:
                redactor = site.clients.redactor
                register_secrets(site.helm.chart, redactor)
                # Not by the server: its word on it needs a namespace, which may not be there yet.
                rendered = await site.helm.render(site.runbook.candidate, by_server=False)
                register_rendered(rendered.manifest, redactor)
                known = self._known[site.tier] = (parts, rendered.manifest)
            return known[1]
