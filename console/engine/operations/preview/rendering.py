"""What a deploy of the candidate would install, for whoever asks while nothing is installed yet."""

from __future__ import annotations

import asyncio

from console.engine.operations.helm.helm import HelmError, Rendered
from console.engine.operations.helm.private_copy import Parts
from console.engine.operations.preview.approvals import parts_of, register_rendered, register_secrets
from console.engine.operations.preview.diff import all_brought
from console.engine.operations.run.context import Site
from state.view.enums import Tier

_NO_KIND = "ensure CRDs are installed first"
"""What both helms say of an object whose kind the cluster doesn't know."""


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
                await asyncio.to_thread(register_secrets, site.helm.chart, redactor)
                # Not by the server: its word on it needs a namespace, which may not be there yet.
                rendered = await site.helm.render(site.runbook.candidate, by_server=False)
                register_rendered(rendered.manifest, redactor)
                known = self._known[site.tier] = (parts, rendered.manifest)
            return known[1]


async def render(site: Site, *, namespace_there: bool, first: bool) -> Rendered:
    """Render the chart by the server; where its ``crds`` are new, which a first install brings itself, without it.

    Raises HelmError, CouldNotLookError where a kind is missing that no ``crds`` of the chart bring, and
    UnreadableManifestError.
    """
    try:
        return await site.helm.render(site.runbook.candidate, by_server=namespace_there)
    except HelmError as error:
        brought = await site.helm.crds() if _NO_KIND in str(error) else ""
        if not brought.strip():
            raise
        if not first:
            words = (
                "helm brings a chart's crds in a first install alone: apply the new ones before the deploy"
            )
            raise HelmError(f"{error}. {words}") from None
        rendered = await site.helm.template(site.runbook.candidate)
        await all_brought(site, rendered.manifest, brought)
        return rendered
