"""helm's history of a release, as its records in the cluster tell it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from checks.clients.errors import NotFoundError
from checks.clients.helm_release import PENDING, HelmStatus, Hook
from checks.clients.kube_object import labels_of
from console.engine.operations.preview.approvals import register_rendered
from console.engine.operations.preview.manifest import UnreadableManifestError
from console.engine.operations.run.context import Site
from state.base.json import EMPTY, JsonObject, obj, objs, text
from state.base.text import line
from state.base.times import micros_of

_NEVER_WHOLE = re.compile(
    r"""(Upgrade|Rollback|Release|Install)\ ".*"\ failed:   # helm's words of an end in failure
    |(Preparing\ upgrade|Initial\ install\ underway)$      # and of one that never came""",
    re.VERBOSE,
)


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
    by_server: bool = False
    """Whether its objects were applied by the server, where every field has an owner."""

    @property
    def pending(self) -> bool:
        """Whether an operation on it never ended, as far as helm knows."""
        return self.status in PENDING

    @property
    def good(self) -> bool:
        """Whether it was installed completely once.

        helm calls a revision superseded as soon as a rollback begins, also one that failed or never ended; only its
        description still tells that.
        """
        if self.status == HelmStatus.SUPERSEDED:
            return _NEVER_WHOLE.match(self.description) is None
        return self.status == HelmStatus.DEPLOYED

    @property
    def words(self) -> str:
        """Number and status."""
        return f"revision {self.number} ({self.status})"

    @property
    def of_rollback(self) -> bool:
        """Whether a rollback made it, well or not, by helm's own words."""
        return self.description.startswith("Rollback ") or self.status == HelmStatus.PENDING_ROLLBACK

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
            line(one.description, 400),
            micros_of(one.deployed_at),
            one.manifest_sha,
            one.hooks,
            one.manifest,
            by_server=one.apply_method == "ssa",
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


def newest_good(revisions: Sequence[Revision], bad: Collection[int] = ()) -> Revision | None:
    """Return the newest revision that was ever installed completely, or None.

    Never "the previous one": the one before may have failed (helm #1796, #5237). Never one of ``bad``, which this
    launch saw fail whatever helm says of it, unless there is no other. And where no revision is deployed any more, a
    rollback failed: helm took the mark from the revision that it was to replace, which is the bad one. What it was
    going back to, whose manifest it has, is the good one.
    """
    whole = [r for r in revisions if r.good]
    known = [r for r in whole if r.number not in bad] or whole
    deployed = [r for r in known if r.status == HelmStatus.DEPLOYED]
    if not deployed and not any(r.status == HelmStatus.DEPLOYED for r in revisions):
        known = _before_failed_rollbacks(revisions, known)
    return max(deployed or known, key=lambda r: r.number, default=None)


def _before_failed_rollbacks(revisions: Sequence[Revision], whole: list[Revision]) -> list[Revision]:
    """Return those of the whole revisions that a rollback may go to, after rollbacks that failed."""
    tried: list[Revision] = []
    for one in sorted(revisions, key=lambda r: r.number, reverse=True):
        if one.good:
            break
        tried += [one] if one.of_rollback else []
    if not tried:
        return whole
    wanted = [r for r in whole if r.manifest_sha == tried[0].manifest_sha]
    # Where its target is pruned: at least not what was there when the first of them began.
    left = max((r.number for r in whole if r.number < tried[-1].number), default=0)
    return wanted or [r for r in whole if r.number < left] or whole


async def kept_elsewhere(site: Site) -> str:
    """Return that helm's records of this release are ConfigMaps, in words, or nothing.

    A helm with HELM_DRIVER=configmap wrote them. Ours reads Secrets: it would install a second release over the
    first, with no revision to return to. Raises the client's errors.
    """
    where = f"/api/v1/namespaces/{site.namespace}/configmaps"
    query = {"labelSelector": f"owner=helm,name={site.release}"}
    found = (await site.kube.list_objects(where, query)).items
    if not found:
        return ""
    numbers = [int(version) for one in found if (version := text(labels_of(one), "version")).isdecimal()]
    newest = f", the newest is revision {max(numbers)}" if numbers else ""
    return (
        f"release {site.release} is there: helm keeps its records in ConfigMaps of {site.namespace} "
        f"(HELM_DRIVER=configmap){newest}. This launch reads Secrets: move them first, or it would be installed twice"
    )


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
