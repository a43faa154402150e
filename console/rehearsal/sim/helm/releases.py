"""Release records, kept as helm keeps them: one Secret per revision, the record gzipped inside."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from console.rehearsal.sim.helm.cluster import ApiError, Cluster, HelmError
from state.base.json import EMPTY, Json, JsonObject, integer, obj, path, text

_SECRETS = "/api/v1/namespaces/{}/secrets"
_BUSY = "another operation (install/upgrade/rollback) is in progress"


class Status(StrEnum):
    """What became of a revision."""

    DEPLOYED = "deployed"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    UNINSTALLED = "uninstalled"
    UNINSTALLING = "uninstalling"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release. Times are microseconds since 1970."""

    name: str
    namespace: str
    version: int
    status: Status
    description: str
    chart: JsonObject = field(repr=False)
    config: JsonObject = field(repr=False)
    manifest: str = field(repr=False)
    first_deployed_us: int
    last_deployed_us: int

    @property
    def chart_metadata(self) -> JsonObject:
        """The chart's ``Chart.yaml``."""
        return obj(self.chart.get("metadata"))

    @property
    def chart_name(self) -> str:
        """Name and version, as ``helm list`` shows them."""
        return f"{text(self.chart_metadata, 'name')}-{text(self.chart_metadata, 'version')}"

    def marked(self, status: Status, description: str | None = None) -> Release:
        """Return the same revision with another status."""
        return replace(
            self, status=status, description=self.description if description is None else description
        )

    def document(self, *, chart: bool = True) -> dict[str, Json]:
        """Return helm's JSON of a release, with or without the whole chart."""
        whole: dict[str, Json] = {
            "name": self.name,
            "info": {
                "first_deployed": rfc3339(self.first_deployed_us),
                "last_deployed": rfc3339(self.last_deployed_us),
                "deleted": "",
                "description": self.description,
                "status": self.status.value,
            },
        }
        if chart:
            whole["chart"] = self.chart
        if self.config:
            whole["config"] = self.config
        return whole | {"manifest": self.manifest, "version": self.version, "namespace": self.namespace}


def rfc3339(wall_us: int) -> str:
    """Return a time as Go prints it into JSON."""
    at = datetime.fromtimestamp(wall_us // 1_000_000, UTC)
    fraction = f"{wall_us % 1_000_000:06d}".rstrip("0")
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def _wall_us(stamp: str) -> int:
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    try:
        at = datetime.fromisoformat(whole + ("+00:00" if stamp.endswith("Z") else ""))
    except ValueError:
        return 0
    return int(at.timestamp()) * 1_000_000 + int((fraction + "000000")[:6] if fraction.isdigit() else 0)


def encode(release: Release) -> str:
    """Return a release as the text in the Secret's ``data.release`` (base64 twice, gzip below)."""
    packed = gzip.compress(json.dumps(release.document()).encode(), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()


def decode(data: str) -> Release:
    """Return the release in a Secret's ``data.release``.

    Raises HelmError where it is not one.
    """
    try:
        packed = base64.b64decode(base64.b64decode(data))
        record = obj(json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed))
        info = obj(record.get("info"))
        return Release(
            name=text(record, "name"),
            namespace=text(record, "namespace"),
            version=integer(record, "version"),
            status=Status(text(info, "status")),
            description=text(info, "description"),
            chart=obj(record.get("chart")),
            config=obj(record.get("config")),
            manifest=text(record, "manifest"),
            first_deployed_us=_wall_us(text(info, "first_deployed")),
            last_deployed_us=_wall_us(text(info, "last_deployed")),
        )
    except (ValueError, OSError, EOFError) as error:
        raise HelmError(f"release record cannot be read: {type(error).__name__}") from None


class Store:
    """The release records of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._path = _SECRETS.format(namespace)

    def _secret(self, release: Release, clock_us: int, *, created: bool) -> JsonObject:
        stamp = "createdAt" if created else "modifiedAt"
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "helm.sh/release.v1",
            "metadata": {
                "name": secret_name(release.name, release.version),
                "namespace": self._namespace,
                "labels": {
                    "owner": "helm",
                    "name": release.name,
                    "status": release.status.value,
                    "version": str(release.version),
                    stamp: str(clock_us // 1_000_000),
                },
            },
            "data": {"release": encode(release)},
        }

    def history(self, name: str) -> list[Release]:
        """Return the revisions of a release, oldest first; empty where there is no such release."""
        secrets = self._cluster.list(self._path, f"owner=helm,name={name}")
        return sorted(map(_released, secrets), key=lambda r: r.version)

    def every(self) -> list[Release]:
        """Return the last revision of every release of the namespace, by name."""
        last: dict[str, Release] = {}
        for release in sorted(
            map(_released, self._cluster.list(self._path, "owner=helm")), key=lambda r: r.version
        ):
            last[release.name] = release
        return [last[name] for name in sorted(last)]

    def last(self, name: str) -> Release:
        """Return a release's last revision.

        Raises HelmError where there is none.
        """
        revisions = self.history(name)
        if not revisions:
            raise HelmError("release: not found")
        return revisions[-1]

    def revision(self, name: str, version: int) -> Release:
        """Return one revision; 0 is the last.

        Raises HelmError where it is not there.
        """
        if version == 0:
            return self.last(name)
        found = self._cluster.get(f"{self._path}/{secret_name(name, version)}")
        if found is None:
            raise HelmError("release: not found")
        return _released(found)

    def create(self, release: Release) -> None:
        """Write a new revision.

        Raises HelmError where another helm wrote that revision meanwhile.
        """
        try:
            self._cluster.call(
                "POST", self._path, self._secret(release, release.last_deployed_us, created=True)
            )
        except ApiError as error:
            if error.status == 409:
                raise HelmError(_BUSY) from None
            raise

    def update(self, release: Release, clock_us: int) -> None:
        """Write a revision that exists again."""
        target = f"{self._path}/{secret_name(release.name, release.version)}"
        self._cluster.call("PUT", target, self._secret(release, clock_us, created=False))

    def delete(self, release: Release) -> None:
        """Take a revision away."""
        self._cluster.call("DELETE", f"{self._path}/{secret_name(release.name, release.version)}")

    def prune(self, name: str, keep: int) -> None:
        """Delete the oldest revisions beyond ``keep`` (0: none), sparing the last deployed one."""
        revisions = self.history(name)
        deployed = max((r.version for r in revisions if r.status is Status.DEPLOYED), default=0)
        surplus = len(revisions) - keep
        for release in [r for r in revisions if r.version != deployed][: max(0, surplus) if keep else 0]:
            self.delete(release)


def refuse_pending(last: Release) -> None:
    """Raise HelmError where another operation is, or seems to be, under way."""
    if last.status.value.startswith("pending-"):
        raise HelmError(_BUSY)


def secret_name(name: str, version: int) -> str:
    """Return the name of a revision's Secret."""
    return f"sh.helm.release.v1.{name}.v{version}"


def _released(secret: JsonObject) -> Release:
    return decode(str(path(secret, ("data", "release")) or EMPTY))
