"""The release of a first launch as its chart renders it: what a check reads where nothing is installed yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import yaml

from checks.clients.errors import NotFoundError
from checks.clients.kube import name_of
from state.base.json import JsonObject, obj, text
from state.view.enums import Tier

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick one, where the machine has it."""

Render = Callable[[Tier], Awaitable[str]]
"""Gives the manifest that a deploy of the candidate to an environment would install.

Raises CouldNotLookError where helm can't render it.
"""

WORDS = "as rendered; nothing runs yet"
"""What the summary says of a verdict that stands on a manifest."""


@dataclass(slots=True)
class Rendered:
    """The manifest of the candidate, for one check. Secret-bearing: never log it."""

    render: Render
    used: bool = False
    """Whether something was read from it: the verdict says so."""

    async def objects(self, tier: Tier) -> list[JsonObject]:
        """Return every object of an environment's manifest."""
        self.used = True
        return documents(await self.render(tier))

    async def find(self, tier: Tier, kind: str, name: str) -> JsonObject:
        """Return an object of the manifest.

        Raises NotFoundError where the chart renders none of this kind and name.
        """
        for one in await self.objects(tier):
            if text(one, "kind") == kind and name_of(one) == name:
                return one
        raise NotFoundError(f"the chart renders no {kind} {name} for {tier}; expected one")


def documents(manifest: str) -> list[JsonObject]:
    """Return the objects of a manifest; none where it isn't YAML."""
    try:
        return [obj(one) for one in yaml.load_all(manifest, LOADER) if one]
    except yaml.YAMLError:
        return []
