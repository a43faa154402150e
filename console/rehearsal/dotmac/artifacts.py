"""What is kept outside the cluster: images in the registry, buckets with their backups in the object store."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from console.rehearsal.dotmac.credentials import access_key, storage_key
from console.rehearsal.dotmac.names import (
    CANDIDATE_VERSION,
    PARTS,
    PREVIOUS_VERSION,
    Env,
    reference,
    repository,
)
from console.rehearsal.sim.oci_registry import Registry, image_manifest
from console.rehearsal.sim.s3.server import Bucket, LifecycleRule, ObjectStore, StoredObject
from console.rehearsal.world.cluster_seed import REGION
from state.base.clock import SECOND_US, Clock
from state.base.json import obj, objs, text

PREFIX = "backups/platform/"
ARCHITECTURES = ("amd64", "arm64")
"""Which nodes images are built for; those of the cluster are of the first."""
_KEPT = 120
_SIZE = 268_435_456


@dataclass(slots=True)
class Backups:
    """An environment's backups: one every ``every_s``, of ``size`` bytes, none after ``until_us``."""

    every_s: int = 60
    size: int = _SIZE
    until_us: int | None = None
    suffix: str = ".dump"
    newest_size: int | None = None
    """Of the last one; None: as large as those before it."""
    beside: str = ""
    """What lies beside each, of 64 bytes: the end of its name."""
    parts: int = 1
    """Pieces that each is written in."""

    def objects(self, env: Env, now_us: int) -> list[StoredObject]:
        """Return the backups that there are now: they follow from the time alone."""
        last = now_us if self.until_us is None else min(now_us, self.until_us)
        newest = last // SECOND_US // self.every_s
        made = [
            datetime.fromtimestamp(number * self.every_s, UTC)
            for number in range(newest - _KEPT + 1, newest + 1)
        ]
        found = []
        for at in made:
            size = self.size and self.size + at.minute
            if self.newest_size is not None and at == made[-1]:
                size = self.newest_size
            name = f"{PREFIX}{env}-{at:%Y%m%dT%H%M%SZ}"
            names = (
                [f"{name}/{number:03}.lz4" for number in range(self.parts)]
                if self.parts > 1
                else [name + self.suffix]
            )
            found += [StoredObject(one, at, size=size // self.parts) for one in names]
            found += [StoredObject(name + self.suffix + self.beside, at, size=64)] if self.beside else []
        return found


class Artifacts:
    """The platform's images and buckets. ``previous`` and ``candidate`` are digests of images by part."""

    def __init__(self, seed: int, clock: Clock, registry: Registry, objects: ObjectStore) -> None:
        self._clock = clock
        self.registry, self.objects = registry, objects
        self.previous = self._push(seed, PREVIOUS_VERSION)
        self.candidate = self._push(seed, CANDIDATE_VERSION)
        self.backups = {env: Backups() for env in Env}
        self._made: dict[Env, tuple[object, list[StoredObject]]] = {}
        for env in Env:
            objects.buckets[env.bucket] = _bucket(env)
            objects.keys[access_key(seed, env)] = storage_key(seed, env)
        self.back_up()

    def _push(self, seed: int, version: str) -> dict[str, str]:
        """Push every part's image for each platform, as a build for several pushes it: an index of manifests."""
        return {
            part: self.registry.tag_index(
                repository(part),
                version,
                {
                    each: image_manifest(repository(part), f"{seed} {version} {each}")
                    for each in ARCHITECTURES
                },
            )
            for part in PARTS
        }

    def references(self) -> dict[str, str]:
        """Return the candidate's images as the runbook names them."""
        return {part: reference(part, self.candidate[part]) for part in PARTS}

    def platform_digest(self, part: str, digest: str) -> str:
        """Return the digest of the manifest that a node takes out of an image's index."""
        return text(objs(self.registry.manifest(repository(part), digest).get("manifests"))[0], "digest")

    def config_digest(self, part: str, digest: str) -> str:
        """Return the digest of the configuration that a node runs an image of an index with."""
        manifest = self.registry.manifest(repository(part), self.platform_digest(part, digest))
        return text(obj(manifest.get("config")), "digest")

    def move_tag(self, part: str) -> str:
        """Let the candidate's tag point to another image, as a careless push does, and return its digest."""
        manifest = image_manifest(repository(part), f"moved {CANDIDATE_VERSION}")
        return self.registry.tag(repository(part), CANDIDATE_VERSION, manifest)

    def back_up(self) -> None:
        """Let the buckets hold the backups that there are by now."""
        now = self._clock.wall_us()
        for env in Env:
            bucket = self.objects.buckets.get(env.bucket)
            if bucket is not None:
                others = [stored for stored in bucket.objects if not stored.key.startswith(PREFIX)]
                bucket.objects = [*others, *self._backups(env, now)]

    def _backups(self, env: Env, now_us: int) -> list[StoredObject]:
        """Return an environment's backups, made anew where there is a new one or they were changed."""
        backups = self.backups[env]
        state = (now_us // SECOND_US // backups.every_s, *astuple(backups))
        known = self._made.get(env)
        if known is None or known[0] != state:
            known = self._made[env] = (state, backups.objects(env, now_us))
        return known[1]

    async def back_up_for_ever(self) -> None:
        """Back up as time goes on."""
        while True:
            self.back_up()
            await self._clock.sleep(max(5.0, 0.1 * self._clock.rate()))


def _bucket(env: Env) -> Bucket:
    return Bucket(
        env.bucket,
        REGION,
        lifecycle=(
            LifecycleRule("expire-exports", 30, "exports/"),
            LifecycleRule("expire-old-backups", 90, PREFIX),
        ),
    )
