"""helm's history of a release, as its records in the cluster tell it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.clients.errors import NotFoundError
from checks.clients.helm_release import PENDING, HelmStatus, Hook
from console.engine.operations.preview.approvals import register_rendered
from console.engine.operations.preview.manifest import UnreadableManifestError
from console.engine.operations.run.context import Site
from state.base.json import EMPTY, JsonObject, obj, objs, text
from state.base.text import line
from state.base.times import micros_of


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a release."""

    number: int
    status: str
    description: str
    deployed_us: int
    manifest_sha: str
    hooks: tuple[Hook, ...] = ()
    manifest: str = field(default="", repr=False)
    """Secret-bearing: never log it."""

    @property
    def pending(self) -> bool:
        """Whether an operation on it never ended, as far as helm knows."""
        return self.status in PENDING

    @property
    def good(self) -> bool:
        """Whether it was installed completely once."""
        return self.status in {HelmStatus.DEPLOYED, HelmStatus.SUPERSEDED}

    @property
    def words(self) -> str:
        """Number and status."""
        return f"revision {self.number} ({self.status})"

    def failed_hook(self) -> str:
        """Return the name of the hook that failed, or nothing."""
        return next((hook.name for hook in self.hooks if hook.phase == "Failed"), "")


async def history(site: Site) -> tuple[Revision, ...]:
    """Return the release's revisions, oldest first; none where there is no release.

    The redactor knows the secrets of the newest and of the newest good one from here on. Raises the client's
    errors where they cannot be read.
    """
    found = tuple(
        Revision(
            one.revision,
            one.status,
            line(one.description, 200),
            micros_of(one.deployed_at),
            one.manifest_sha,
            one.hooks,
            one.manifest,
        )
        for one in await site.records.history()
    )
    if found:
        # Both may stand in what helm prints: what it comes from, and what it goes back to.
        good = newest_good(found)
        _register(site, "newest", found[-1].manifest)
        _register(site, "good", good.manifest if good is not None else "")
    return found


def _register(site: Site, name: str, manifest: str) -> None:
    """Let the redactor know a revision's secrets; one that can't be read closes no way back, but it is known."""
    redactor, source = site.clients.redactor, f"{name} revision of {site.tier}"
    try:
        register_rendered(manifest, redactor)
        redactor.sees(source)
    except UnreadableManifestError:
        redactor.blind(source)


async def manifest_of(site: Site, number: int) -> str | None:
    """Return the manifest of a revision, or None where there is none of this number.

    The redactor knows its secrets from here on. Secret-bearing: never log it.
    """
    found = await site.records.revision(number)
    if found is None:
        return None
    _register(site, f"number {number}", found.manifest)
    return found.manifest


def newest_good(revisions: Sequence[Revision]) -> Revision | None:
    """Return the newest revision that was ever installed completely, or None.

    Never "the previous one": the one before may have failed (helm #1796, #5237).
    """
    deployed = [r for r in revisions if r.status == HelmStatus.DEPLOYED]
    good = deployed or [r for r in revisions if r.good]
    return max(good, key=lambda r: r.number, default=None)


async def record_bytes(site: Site, number: int) -> int:
    """Return how large a revision's record is, in bytes; 0 where there is none."""
    try:
        return len(base64.b64decode(text(obj((await _record(site, number)).get("data")), "release")))
    except binascii.Error:
        return 0


async def last_writer(site: Site, number: int) -> str:
    """Return which program wrote a revision's record last, as the cluster knows it, or nothing."""
    managers = objs(obj((await _record(site, number)).get("metadata")).get("managedFields"))
    newest = max(managers, key=lambda manager: text(manager, "time"), default=None)
    return line(text(newest, "manager"), 60) if newest is not None else ""


async def _record(site: Site, number: int) -> JsonObject:
    """Return the secret that holds a revision's record, or an empty object where there is none."""
    name = f"sh.helm.release.v1.{site.release}.v{number}"
    try:
        return await site.kube.get(f"/api/v1/namespaces/{site.namespace}/secrets/{name}")
    except NotFoundError:
        return EMPTY
