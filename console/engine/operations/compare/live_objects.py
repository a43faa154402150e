"""The objects of a manifest as they are live, and as the server would store them if they were applied now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError, TimedOutError, UnauthorizedError, UnreachableError
from console.engine.operations.compare.by_type import clear_secret
from console.engine.operations.compare.places import OURS
from console.engine.operations.preview.manifest import documents
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, obj, objs, text, texts

Key = tuple[str, str, str, str]
"""apiVersion, kind, namespace, name."""
# The API server shares its time between clients by flows: more at once would only wait there.
_AT_ONCE = 12
_NOT_APPLIED = frozenset({"status", "apiVersion", "kind", "metadata"})
_META_KEPT = frozenset({"name", "labels", "annotations", "finalizers", "ownerReferences", "generateName"})


def by_key(manifest: str, namespace: str) -> dict[Key, JsonObject]:
    """Return the objects of a manifest; one that names no namespace is in the release's.

    Raises UnreadableManifestError.
    """
    return {
        (
            text(document, "apiVersion"),
            text(document, "kind"),
            # Empty or null is none: helm gives it the release's.
            text(obj(document.get("metadata")), "namespace") or namespace,
            text(obj(document.get("metadata")), "name"),
        ): document
        for document in documents(manifest)
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """How the server calls a kind."""

    plural: str
    namespaced: bool


@dataclass(slots=True)
class LiveObjects:
    """Asks one cluster about the objects of one manifest or two."""

    site: Site
    _kinds: dict[str, dict[str, Kind]] = field(default_factory=dict)
    _limit: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def learn(self, keys: Sequence[Key]) -> None:
        """Ask which kinds the cluster knows. Raises the client's errors."""
        versions = sorted({version for version, *_ in keys} - set(self._kinds))
        found = await asyncio.gather(*(self._of_version(version) for version in versions))
        self._kinds.update(zip(versions, found, strict=True))

    def unknown(self, key: Key) -> bool:
        """Return whether the cluster doesn't know an object's kind (yet)."""
        return key[1] not in self._kinds[key[0]]

    def namespaced(self, key: Key) -> bool:
        """Return whether objects of a kind that is known are in namespaces."""
        return self._kinds[key[0]][key[1]].namespaced

    def path(self, key: Key) -> str:
        """Return where an object of a kind that is known is."""
        version, kind, namespace, name = key
        known = self._kinds[version][kind]
        where = f"namespaces/{namespace}/" if known.namespaced else ""
        return f"{_root(version)}/{where}{known.plural}/{name}"

    async def get(self, keys: Sequence[Key]) -> dict[Key, JsonObject]:
        """Return the objects that are there. Raises the client's errors."""

        async def one(key: Key) -> JsonObject | None:
            if self.unknown(key):
                return None
            async with self._limit:
                try:
                    return await self.site.kube.get(self.path(key))
                except NotFoundError:
                    return None

        await self.learn(keys)
        found = await asyncio.gather(*(one(key) for key in keys))
        return {key: live for key, live in zip(keys, found, strict=True) if live is not None}

    async def stored(self, key: Key, expected: JsonObject) -> JsonObject | str:
        """Return what the server would store if an object that is there were applied again, or why it doesn't say.

        Raises the client's errors where it isn't reached.
        """
        namespaced = self._kinds[key[0]][key[1]].namespaced
        async with self._limit:
            try:
                return await self.site.kube.apply_dry_run(
                    self.path(key), _applied(key, expected, namespaced), OURS
                )
            except (UnreachableError, TimedOutError, UnauthorizedError):
                raise
            except CouldNotLookError as error:
                return str(error)

    async def _of_version(self, version: str) -> dict[str, Kind]:
        try:
            answer = await self.site.kube.get(_root(version))
        except NotFoundError:
            return {}
        return {
            text(resource, "kind"): Kind(text(resource, "name"), resource.get("namespaced") is True)
            for resource in objs(answer.get("resources"))
            if "/" not in text(resource, "name") and "get" in texts(resource.get("verbs"))
        }


def _applied(key: Key, expected: JsonObject, namespaced: bool) -> JsonObject:
    """Return what is sent: without what the server alone sets, and without nulls, which say nothing."""
    meta = {name: one for name, one in obj(expected.get("metadata")).items() if name in _META_KEPT}
    meta["name"] = key[3]
    if namespaced:
        meta["namespace"] = key[2]
    rest = {name: one for name, one in clear_secret(expected).items() if name not in _NOT_APPLIED}
    body = without_nulls({"apiVersion": key[0], "kind": key[1], "metadata": meta, **rest})
    assert isinstance(body, Mapping)
    return body


def without_nulls(value: Json) -> Json:
    """Return a value without the fields that are null; a null in a list stays, which is a member."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_nulls(one) for one in value]
    return value


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
