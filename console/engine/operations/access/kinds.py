"""Which resource of the API a kind of a manifest is: its path, and whether it lives in a namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.clients.errors import NotFoundError
from checks.clients.kube import KubeClient
from state.base.json import JsonObject, obj, objs, text, texts


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the API serves it."""

    version: str
    """``apps/v1``, or ``v1`` of the core group."""
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.version.partition("/")[0] if "/" in self.version else ""

    def collection(self, namespace: str) -> str:
        """Return the path of all objects, in a namespace where they live in one."""
        where = f"namespaces/{namespace}/" if self.namespaced else ""
        return f"{root(self.version)}/{where}{self.plural}"


Kinds = dict[tuple[str, str], Kind]
"""By apiVersion and kind."""


def root(version: str) -> str:
    """Return the path of a group and version."""
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


async def kinds_of(kube: KubeClient, things: Sequence[JsonObject]) -> Kinds:
    """Return what the cluster serves of the kinds of some objects, and of those that they define themselves.

    A kind that nobody serves is left out. Raises the client's errors.
    """
    versions = sorted({text(one, "apiVersion") for one in things} - {""})
    found: Kinds = {}
    for served in await asyncio.gather(*(_served(kube, version) for version in versions)):
        found.update(served)
    for kind, one in _defined(things):
        found.setdefault((one.version, kind), one)
    return found


async def _served(kube: KubeClient, version: str) -> Kinds:
    try:
        answer = await kube.get(root(version))
    except NotFoundError:
        return {}
    return {
        (version, text(one, "kind")): Kind(version, text(one, "name"), one.get("namespaced") is True)
        for one in objs(answer.get("resources"))
        if "/" not in text(one, "name") and "get" in texts(one.get("verbs"))
    }


def _defined(things: Iterable[JsonObject]) -> Iterable[tuple[str, Kind]]:
    for one in things:
        if text(one, "kind") != "CustomResourceDefinition":
            continue
        spec = obj(one.get("spec"))
        names = obj(spec.get("names"))
        for version in objs(spec.get("versions")):
            full = f"{text(spec, 'group')}/{text(version, 'name')}"
            yield (
                text(names, "kind"),
                Kind(full, text(names, "plural"), text(spec, "scope") == "Namespaced"),
            )
