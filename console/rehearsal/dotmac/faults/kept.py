"""What is kept: buckets, backups, images and values files, certificates, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from console.rehearsal.dotmac.faults.changes import (
    chart_values,
    edit,
    gone,
    platform,
    set_secret,
    switch,
    when_live,
)
from console.rehearsal.dotmac.names import CANDIDATE_VERSION, TLS_SECRET, Env, reference, repository
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.s3.server import Bucket, LifecycleRule
from console.rehearsal.world.fault import Apply, Fault, below, fails, together
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, objs

_PRODUCTION = Env.PRODUCTION


def bucket(change: Callable[[Bucket], None]) -> Apply:
    """Change production's bucket."""
    return lambda world: change(world.objects.buckets[_PRODUCTION.bucket])


def lifecycle(*rules: LifecycleRule) -> Apply:
    """Let production's bucket have these rules."""
    return bucket(lambda one: setattr(one, "lifecycle", rules))


def backups(**changes: object) -> Apply:
    """Change what production's backups are; names are those of ``Backups``."""

    def apply(dotmac: Dotmac) -> None:
        for name, value in changes.items():
            setattr(dotmac.artifacts.backups[_PRODUCTION], name, value)
        dotmac.artifacts.back_up()

    return platform(apply)


def statement(condition: JsonObject) -> JsonObject:
    """Return a statement of a bucket's policy that lets everybody read, under a condition."""
    resource = f"arn:aws:s3:::{_PRODUCTION.bucket}/*"
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [resource],
        "Condition": condition,
    }


_OVER_TLS = statement({"Bool": {"aws:SecureTransport": "true"}})


def image(part: str, tag: str) -> Callable[[dict[str, Json]], None]:
    """Return a change of values: a part's image is named by a tag."""
    name = reference(part, "").removesuffix("@")
    return lambda values: below(values, "image").update({part: f"{name}:{tag}"})


def _other_digest(values: dict[str, Json]) -> None:
    below(values, "image")["frontend"] = reference("frontend", f"sha256:{'5' * 64}")


def _too_small(values: dict[str, Json]) -> None:
    below(values, "resources", "worker")["limits"] = {"cpu": "100m", "memory": "128Mi"}


def _no_request(values: dict[str, Json]) -> None:
    below(values, "resources", "backend")["requests"] = {"cpu": "0", "memory": "512Mi"}


def _other_host(values: dict[str, Json]) -> None:
    below(values, "ingress", "hosts")["admin"] = "console.dotmac.test"


def _shrunk(world: World) -> None:
    backups(until_us=world.clock.wall_us(), newest_size=2_500_000)(world)


def _old_migrations(world: World) -> None:
    old = world.product(Dotmac).artifacts.previous["backend"]

    def change(cronjob: dict[str, Json]) -> None:
        pod = below(cronjob, "spec", "jobTemplate", "spec", "template", "spec")
        for box in objs(pod["containers"]):
            cast("dict[str, Json]", box)["image"] = reference("backend", old)

    edit("cronjobs", "dotmac-migrations", change)(world)


def _tag_gone(dotmac: Dotmac) -> None:
    dotmac.artifacts.registry.remove(repository("worker"), CANDIDATE_VERSION)


def _digest_gone(world: World) -> None:
    artifacts = world.product(Dotmac).artifacts
    digest = artifacts.candidate["worker"]
    if artifacts.registry.has(repository("worker"), digest):
        artifacts.registry.remove(repository("worker"), digest)


FAULTS: tuple[Fault, ...] = (
    fails(
        "lifecycle-elsewhere",
        "6.4",
        "the only lifecycle rule is for another folder than the backups'",
        lifecycle(LifecycleRule("expire-tmp", 7, "tmp/")),
    ),
    fails(
        "lifecycle-tagged",
        "6.4",
        "the lifecycle rule of the backups is for those with a tag, which none has",
        lifecycle(LifecycleRule("expire-tagged", 90, "backups/", tag="expire")),
    ),
    fails(
        "lifecycle-aborts",
        "6.4",
        "the lifecycle rule only ends uploads that were never finished",
        lifecycle(LifecycleRule("abort", 7, "", expires=False)),
    ),
    fails(
        "bucket-public-tls",
        "6.4",
        "everybody may read the bucket who comes over TLS",
        bucket(lambda one: setattr(one, "policy", (_OVER_TLS,))),
    ),
    fails(
        "bucket-public-list",
        "6.4",
        "the bucket's access list lets everybody read",
        bucket(lambda one: setattr(one, "acl_public", True)),
    ),
    fails(
        "bucket-not-encrypted",
        "6.4",
        "the bucket is not encrypted by default",
        bucket(lambda one: setattr(one, "encryption", None)),
    ),
    fails(
        "bucket-elsewhere",
        "6.4",
        "the platform keeps its files in another bucket than the runbook names",
        set_secret("STORAGE__BUCKET", "dotmac-old"),
    ),
    fails("backup-logs", "7.1", "below the backups' prefix there are only logs", backups(suffix=".log")),
    fails("backup-unfinished", "7.1", "every backup is still being written", backups(suffix=".dump.partial")),
    fails(
        "backup-shrunk",
        "7.1",
        "the newest backup is a hundredth of the one before",
        _shrunk,
    ),
    fails("backup-small", "7.1", "the backups have a hundred bytes", backups(size=40)),
    fails(
        "values-other-version",
        "6.7",
        "the values name the worker of another version",
        *(chart_values(image("worker", "v1.3.9"), env) for env in Env),
    ),
    fails(
        "values-moving-tag",
        "6.7",
        "production's values name the API by the tag main",
        chart_values(image("backend", "main")),
    ),
    fails(
        "values-other-digest",
        "6.7",
        "the values name another image of the frontend than the runbook",
        *(chart_values(_other_digest, env) for env in Env),
    ),
    fails(
        "values-above-limits",
        "6.7",
        "production's values request more for the worker than they allow it",
        chart_values(_too_small),
    ),
    fails(
        "values-no-request",
        "6.7",
        "the values request no CPU for the API",
        prepare=together(*(chart_values(_no_request, env) for env in Env)),
    ),
    fails(
        "values-other-host",
        "6.7",
        "production's values name another host for the Admin UI",
        chart_values(_other_host),
    ),
    fails("image-gone", "6.7", "the registry has no image of the candidate's worker any more", _digest_gone),
    fails(
        "migrations-old",
        "9.1",
        "once it is live, the migrations' cron job names the version before",
        when_live(_PRODUCTION, _old_migrations),
    ),
    fails(
        "tag-gone",
        "9.1",
        "the worker's tag was deleted from the registry",
        when_live(Env.STAGING, platform(_tag_gone)),
    ),
    fails(
        "redirect-elsewhere",
        "6.1",
        "plain HTTP leads to another host",
        switch("web.redirect_host", "parked.test"),
    ),
    fails(
        "tls-secret-gone", "6.1", "the Secret of the certificate does not exist", gone("secrets", TLS_SECRET)
    ),
)
