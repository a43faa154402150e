"""Helm's own records of a release, read from the cluster.

What was deployed, with which values, and how its hooks went.

Each revision is a Secret ``sh.helm.release.v1.NAME.vN`` that holds gzipped JSON in base64 (in the API's
base64). Values and manifests hold secrets: whatever looks like one is registered with the redactor here,
and nothing of them is shown whole.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Final

from checks.clients.answers import BODY_LIMIT
from checks.clients.errors import NotFoundError, Where, WrongContentError
from checks.clients.kube import KubeClient
from checks.clients.kube_object import secret_values
from state.base.json import Json, JsonObject, integer, items, obj, objs, text
from state.base.kube_yaml import TITLED, TITLES

if TYPE_CHECKING:
    from checks.clients.redact import Redactor

# A Secret holds at most 1 MiB: anything that inflates beyond this is not a release.
_EXPANDED_LIMIT: Final = 4 * BODY_LIMIT
_RECORDS_A_PAGE: Final = 5  # a record may be nearly 1 MiB, and a page has a cap


class HelmStatus(StrEnum):
    """What helm calls the status of a revision, of those that something depends on (helm's release/status.go)."""

    DEPLOYED = "deployed"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    UNINSTALLED = "uninstalled"
    UNINSTALLING = "uninstalling"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"


PENDING = frozenset(
    {
        HelmStatus.UNINSTALLING,
        HelmStatus.PENDING_INSTALL,
        HelmStatus.PENDING_UPGRADE,
        HelmStatus.PENDING_ROLLBACK,
    }
)
"""An operation is under way, or was left so by a helm that was killed."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of a release and its newest run."""

    name: str
    kind: str
    events: tuple[str, ...]
    phase: str
    """``Succeeded``, ``Failed``, ``Running``, or empty where it never ran."""


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release."""

    name: str
    revision: int
    status: str
    """``deployed``, ``superseded``, ``failed``, ``pending-upgrade`` and so on."""
    chart: str
    chart_version: str
    description: str
    deployed_at: str
    values: JsonObject
    """The chart's defaults with the release's own values over them. Secret-bearing: never log it."""
    templates_sha: str
    """A hash of the chart's templates: equal for equal charts, whatever their values."""
    manifest_sha: str
    manifest: str
    """Secret-bearing: never log it."""
    hooks: tuple[Hook, ...]
    own: JsonObject = field(default_factory=dict)
    """What the release was given over the chart's defaults, by files and by ``--set``. Secret-bearing."""
    apply_method: str = ""
    """How its objects were applied: ``ssa`` by the server, ``csa`` by helm 4 itself, empty by helm 3."""

    @property
    def pending(self) -> bool:
        """Whether an operation on it is under way, or was left so by a helm that was killed."""
        return self.status in PENDING


class HelmClient:
    """The records of one release."""

    def __init__(self, kube: KubeClient, release: str, environment: str, redactor: Redactor) -> None:
        self.where = Where("Helm records", environment)
        self._kube = kube
        self._release = release
        self._redactor = redactor

    async def history(self) -> tuple[Release, ...]:
        """Return every recorded revision, oldest first; empty where the release was never installed."""
        found = await self._kube.list_objects(
            f"/api/v1/namespaces/{self._kube.namespace}/secrets",
            {"labelSelector": f"owner=helm,name={self._release}", "limit": _RECORDS_A_PAGE},
        )
        releases = [self._read(item) for item in found.items]
        return tuple(sorted(releases, key=lambda release: release.revision))

    async def latest(self) -> Release:
        """Return the newest revision, whatever its status.

        Raises NotFoundError where there is none.
        """
        history = await self.history()
        if not history:
            raise NotFoundError(
                f"{self.where}: release {self._release} has no record in {self._kube.namespace}; "
                "expected it installed"
            )
        return history[-1]

    async def deployed(self) -> Release:
        """Return the newest revision with status ``deployed``.

        Raises NotFoundError where there is none.
        """
        for release in reversed(await self.history()):
            if release.status == HelmStatus.DEPLOYED:
                return release
        raise NotFoundError(f"{self.where}: no revision of {self._release} is deployed; expected one")

    async def now(self) -> Release:
        """Return what ``deployed`` returns, without reading the revisions before it.

        helm keeps the status of a revision in a label too. Raises NotFoundError where none is deployed.
        """
        found = await self._kube.list_objects(
            f"/api/v1/namespaces/{self._kube.namespace}/secrets",
            {"labelSelector": f"owner=helm,name={self._release},status={HelmStatus.DEPLOYED}", "limit": 2},
        )
        if not found.items:
            raise NotFoundError(f"{self.where}: no revision of {self._release} is deployed; expected one")
        return max((self._read(item) for item in found.items), key=lambda release: release.revision)

    async def revision(self, number: int) -> Release | None:
        """Return one revision by its number, or None where there is none."""
        name = f"sh.helm.release.v1.{self._release}.v{number}"
        try:
            return self._read(
                await self._kube.get(f"/api/v1/namespaces/{self._kube.namespace}/secrets/{name}")
            )
        except NotFoundError:
            return None

    def _read(self, secret: JsonObject) -> Release:
        coded = secret_values(secret).get("release", "")
        try:
            packed = base64.b64decode(coded, validate=True)
            # As helm does: records older than its compression have no gzip header.
            raw = _expand(packed) if packed[:2] == b"\x1f\x8b" else packed
            answer = json.loads(raw)
        except (binascii.Error, ValueError, RecursionError, OSError, EOFError, zlib.error):
            name = text(obj(secret.get("metadata")), "name")
            raise WrongContentError(
                f"{self.where}: {name} is not a release record; expected helm 3 or newer"
            ) from None
        release = _release(obj(answer))
        for keys, value in _leaves(release.values):
            self._redactor.register_setting(keys, value)
        return release


def _expand(packed: bytes) -> bytes:
    with gzip.GzipFile(fileobj=BytesIO(packed)) as stream:
        raw = stream.read(_EXPANDED_LIMIT + 1)
    if len(raw) > _EXPANDED_LIMIT:
        raise ValueError("too large")
    return raw


def _release(answer: JsonObject) -> Release:
    chart = obj(answer.get("chart"))
    metadata = obj(chart.get("metadata"))
    info = obj(answer.get("info"))
    manifest = text(answer, "manifest")
    return Release(
        name=text(answer, "name"),
        revision=integer(answer, "version"),
        status=text(info, "status"),
        chart=text(metadata, "name"),
        chart_version=text(metadata, "version"),
        description=text(info, "description"),
        deployed_at=text(info, "last_deployed"),
        values=merge(obj(chart.get("values")), obj(answer.get("config"))),
        templates_sha=_templates_sha(chart),
        manifest_sha=sha256(manifest.encode()).hexdigest(),
        manifest=manifest,
        own=obj(answer.get("config")),
        apply_method=text(answer, "apply_method"),
        hooks=tuple(_hook(hook) for hook in objs(answer.get("hooks"))),
    )


def _templates_sha(chart: JsonObject) -> str:
    parts = sorted(
        (text(template, "name"), text(template, "data")) for template in objs(chart.get("templates"))
    )
    return sha256(json.dumps(parts).encode()).hexdigest()


def _hook(answer: JsonObject) -> Hook:
    last = obj(answer.get("last_run"))
    events = tuple(str(event) for event in items(answer.get("events")))
    return Hook(text(answer, "name"), text(answer, "kind"), events, text(last, "phase"))


def merge(defaults: JsonObject, own: JsonObject) -> JsonObject:
    """Return a chart's values with a release's own over them, as helm does: objects merge, null removes."""
    merged = dict(defaults)
    for key, value in own.items():
        before = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[key] = merge(before, value)
        else:
            merged[key] = value
    return merged


def _leaves(value: Json, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, Mapping):
        title = next((one for name in TITLES if isinstance(one := value.get(name), str) and one), "")
        for name, one in value.items():
            yield from _leaves(one, (*keys, title if title and name in TITLED else name))
    elif isinstance(value, Sequence):
        for one in value:
            yield from _leaves(one, keys)
    elif value is not None:
        yield keys, json.dumps(value)
