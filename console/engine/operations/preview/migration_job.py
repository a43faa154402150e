"""The Job that migrates, made before anybody is asked: its name, its containers, and the command line for it.

It is what ``kubectl create job --from=cronjob`` makes, with the candidate's image in the one container that
migrates: that of a proxy or a mesh beside it is none of the candidate's. Or it has a deployment's pod, with a command
of its own.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from checks.clients.errors import MisconfiguredError, NotFoundError
from console.engine.operations.preview.diff import Diff, created
from console.engine.operations.preview.sop_commands import kubectl, sop
from console.engine.operations.run import first_migration as from_chart
from console.engine.operations.run.context import Site
from state.base.images import ImageRef, short
from state.base.json import JsonObject, obj, objs, text
from state.runbook.helm_commands import Sop, job_base
from state.runbook.models import Migration
from state.view.enums import OperationKind
from state.view.launch import LaunchView

# Of a job: its name is a label of its pods.
_LONGEST = 63
_OF_DEPLOYMENT = "migrations"
_DROPPED = {"livenessProbe", "readinessProbe", "startupProbe", "ports", "args", "lifecycle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationJob:
    """A migration's job, whole."""

    name: str
    body: JsonObject
    container: str
    image: str
    source: str
    """What it is made from: ``cronjob/shop-migrations``."""
    beside: tuple[str, ...]
    """Containers that keep their own image."""
    rendered: bool = False
    """Whether it is made from the chart, because nothing is installed yet."""
    had: bool = False
    """Whether what it is made from has the candidate's image already."""

    @property
    def made_as(self) -> str:
        """What the container that migrates is called in the job."""
        return self.container if self.source.startswith("cronjob/") else _OF_DEPLOYMENT

    @property
    def sha(self) -> str:
        """What stands for exactly this job: 64 hexadecimal digits."""
        return sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    @property
    def words(self) -> str:
        """What it is made of."""
        if self.rendered:
            return (
                "nothing is installed yet: the job is made from the chart, with the settings that it renders "
                f"(sha256 {self.sha[:12]})"
            )
        keep = f"; {', '.join(self.beside)} keep theirs" if self.beside else ""
        image = short(ImageRef.parse(self.image).digest)
        given = f"{self.container} gets the candidate's image ({image}){keep}"
        return f"job {self.name} is made from {self.source}: {given}"

    def commands(self, site: Site) -> list[str]:
        """Return the command line that comes to the same.

        No command makes a job of a deployment's pod, or of what isn't installed yet: there it is the job's file.
        """
        if self.rendered or not self.source.startswith("cronjob/"):
            return [from_chart.command(site, self.name)]
        create = shlex.join(kubectl(site, "create", "-f", "-"))
        words = {"cronjob": self.source.partition("/")[2]}
        *start, _name = sop(site, Sop.MIGRATE, words)
        if self.had:  # and kubectl would print nothing: nothing is to be set
            return [shlex.join([*start, self.name])]
        made = shlex.join([*start, self.name, "--dry-run=client", "-o", "yaml"])
        image = f"{self.container}={self.image}"
        local = shlex.join(["kubectl", "set", "image", "--local", "-f", "-", image, "-o", "yaml"])
        return [f"{made} | {local} | {create}"]

    def differences(self, site: Site) -> Diff:
        """Return what is created, field by field."""
        return created(site, self.body)


def name_prefix(site: Site) -> str:
    """Return how the names of a release's migration jobs begin, whichever launch made them."""
    return f"{job_base(site.runbook.helm_commands, site.release)[: _LONGEST - 12].rstrip('-')}-"


def job_name(site: Site, view: LaunchView) -> str:
    """Return the name of the next migration's job, known before its intent: the launch's id, and a number in it."""
    number = sum(operation.kind == OperationKind.MIGRATE for operation in view.operations) + 1
    return f"{name_prefix(site)}{view.log_id[:6].lower()}-{number}"


def stop_command(site: Site, job: str) -> str:
    """Return the command line that comes to the same."""
    patch = '{"spec":{"suspend":true}}'
    words = ["kubectl", "--context", site.environment.kube.context, "-n", site.namespace]
    return shlex.join([*words, "patch", "job", job, "--type=merge", "-p", patch])


def _migration(site: Site) -> Migration:
    migration = site.runbook.candidate.migration
    if migration is None:
        raise MisconfiguredError("the runbook's candidate has no migration; expected candidate.migration")
    return migration


async def migration_job(site: Site, name: str, *, first: bool = False) -> MigrationJob:
    """Return the job that would migrate; in a ``first`` launch that of what the chart renders.

    Raises MisconfiguredError where it can't be told which container migrates, and the client's errors.
    """
    migration = _migration(site)
    if migration.by in {"deployment", "job"}:
        return await _from_deployment(site, migration, name, first=first)
    path = f"/apis/batch/v1/namespaces/{site.namespace}/cronjobs/{migration.cronjob}"
    source = f"cronjob/{migration.cronjob}"
    found, rendered = await _found(site, path, source, first=first)
    template = obj(obj(found.get("spec")).get("jobTemplate"))
    spec, about = obj(template.get("spec")), obj(template.get("metadata"))
    pod = obj(obj(spec.get("template")).get("spec"))
    containers = objs(pod.get("containers"))
    image = site.runbook.candidate.migration_image
    mine = _migrates(source, containers, migration, image)
    changed = [{**one, "image": image} if text(one, "name") == mine else one for one in containers]
    owner: JsonObject = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": migration.cronjob,
        "uid": text(obj(found.get("metadata")), "uid"),
    }
    owners: JsonObject = {} if rendered else {"ownerReferences": [owner]}
    labels = {"labels": obj(about.get("labels"))} if obj(about.get("labels")) else {}
    notes = {**obj(about.get("annotations")), "cronjob.kubernetes.io/instantiate": "manual"}
    body: JsonObject = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, **labels, "annotations": notes, **owners},
        "spec": {**spec, "template": {**obj(spec.get("template")), "spec": {**pod, "containers": changed}}},
    }
    return MigrationJob(
        name=name,
        body=body,
        container=mine,
        image=image,
        source=source,
        beside=tuple(text(one, "name") for one in containers if text(one, "name") != mine),
        rendered=rendered,
        had=changed == containers,
    )


async def _found(site: Site, path: str, source: str, *, first: bool) -> tuple[JsonObject, bool]:
    """Return what a job is made from, and whether it is only what the chart renders."""
    try:
        return await site.kube.get(path), False
    except NotFoundError:
        if first:
            return await from_chart.source_of(site), True
        raise MisconfiguredError(
            f"{source} is not in {site.namespace}: the migration's job is made from it"
        ) from None


def _migrates(source: str, containers: Sequence[JsonObject], migration: Migration, image: str) -> str:
    """Return the container that migrates: the one that is named, the only one, or the one with the image's name."""
    names = [text(one, "name") for one in containers]
    if migration.container is not None:
        if migration.container not in names:
            raise MisconfiguredError(
                f"{source} has no container {migration.container}; it has {', '.join(names) or 'none'}"
            )
        return migration.container
    repository = ImageRef.parse(image).repository
    alike = [
        text(one, "name") for one in containers if ImageRef.parse(text(one, "image")).repository == repository
    ]
    likely = alike if len(names) != 1 else names
    if len(likely) != 1:
        told = f"{', '.join(likely)} have the image" if likely else "none has the image"
        raise MisconfiguredError(
            f"{source} has the containers {', '.join(names) or '(none)'}, and {told} {repository}: "
            "say which one migrates, at candidate.migration.container"
        )
    return likely[0]


async def _from_deployment(site: Site, migration: Migration, name: str, *, first: bool) -> MigrationJob:
    """Return a job with a deployment's pod: its environment and its secrets, but no probes and no ports."""
    path = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/{migration.deployment}"
    source = f"deployment/{migration.deployment}"
    found, rendered = await _found(site, path, source, first=first)
    template = obj(obj(found.get("spec")).get("template"))
    pod = {k: v for k, v in obj(template.get("spec")).items() if k not in {"initContainers", "restartPolicy"}}
    containers = objs(pod.get("containers"))
    image = site.runbook.candidate.migration_image
    mine = _migrates(source, containers, migration, image)
    kept = next(one for one in containers if text(one, "name") == mine)
    container = {k: v for k, v in kept.items() if k not in _DROPPED}
    container |= {"name": _OF_DEPLOYMENT, "image": image, "command": list(migration.command)}
    labels = {"app": f"{site.release}-migrations", "app.kubernetes.io/instance": site.release}
    spec: JsonObject = {**pod, "containers": [container], "restartPolicy": "Never"}
    body: JsonObject = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }
    return MigrationJob(
        name=name, body=body, container=mine, image=image, source=source, beside=(), rendered=rendered
    )
