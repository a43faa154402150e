"""The release of a first launch as its chart renders it: what a check reads where nothing is installed yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from checks.clients.kube_object import name_of
from state.base import kube_yaml
from state.base.json import Json, JsonObject, items, obj, text
from state.view.enums import Tier

_NESTED = 10
"""Lists in lists: deeper than anybody writes them."""

_REMEMBERED = 8
"""Manifests whose objects are kept: every look at a release reads the same one, before and after."""

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


class UnreadableManifestError(CouldNotLookError):
    """A manifest that isn't YAML: nothing can be said of what it holds, and least of all that it holds nothing."""


def documents(manifest: str) -> list[JsonObject]:
    """Return the objects of a manifest, as helm and kubectl read them: a list's members stand for themselves.

    Raises UnreadableManifestError.
    """
    return list(_documents(manifest))


@lru_cache(maxsize=_REMEMBERED)
def _documents(manifest: str) -> tuple[JsonObject, ...]:
    try:
        return tuple(one for document in kube_yaml.load_all(manifest) for one in unfolded(document))
    except kube_yaml.KubeYamlError as error:
        raise UnreadableManifestError(f"the manifest cannot be read: {error}") from None


def parted(manifest: str) -> list[str]:
    """Return the texts of a manifest's documents.

    Raises UnreadableManifestError.
    """
    try:
        return list(kube_yaml.parts(manifest))
    except kube_yaml.KubeYamlError as error:
        raise UnreadableManifestError(f"the manifest cannot be read: {error}") from None


def unfolded(document: Json, depth: int = 0) -> list[JsonObject]:
    """Return the objects that a document stands for: itself, or the ``items`` of a List (a RoleList, …).

    Members without kind and version have those of the list, as Kubernetes reads them.
    """
    found = obj(document)
    if not isinstance(found.get("items"), list) or depth > _NESTED:
        return [found] if found else []
    kind = text(found, "kind").removesuffix("List")
    named: list[JsonObject] = []
    for member in items(found.get("items")):
        one = obj(member)
        if one and not text(one, "kind") and not text(one, "apiVersion"):
            one = {**one, "apiVersion": text(found, "apiVersion"), "kind": kind}
        named += unfolded(one, depth + 1)
    return named
