"""The migration of a first launch, before anything is installed: a Job from the chart as it is rendered.

The cron job, or the deployment, that a migration is made from comes with the release (SOP helm command 4), and so do
the ConfigMaps that its pod reads. Here the job is made from the rendered one, with those settings written into it;
secrets stay references. What would need more of the release than that can't run before it, and is refused in words.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from checks.clients.errors import MisconfiguredError
from checks.clients.kube_object import name_of
from checks.rendered import documents
from console.engine.operations.preview.approvals import register_rendered
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, obj, objs, path, text
from state.runbook.models import Migration


def command(site: Site, name: str) -> str:
    """Return the equivalent kubectl command line; its file holds the job that is created."""
    target = f"kubectl --context {site.environment.kube.context} -n {site.namespace}"
    return f"{target} create -f {_file(site, name)}"


def keep(site: Site, name: str, job: JsonObject) -> None:
    """Write the job beside the output of the launch's programs, for its owner alone."""
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_file(site, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(job, file, indent=1)


def _file(site: Site, name: str) -> str:
    return str(site.folder / f"{name}.json")


async def source_of(site: Site) -> JsonObject:
    """Return the cron job or deployment that a migration is made from, as the chart renders it, able to run alone.

    Raises MisconfiguredError where it would need more of the release, and HelmError.
    """
    migration = _migration(site)
    kind = "CronJob" if migration.by == "cronjob" else "Deployment"
    name = migration.cronjob if migration.by == "cronjob" else migration.deployment
    rendered = await site.helm.render(site.runbook.candidate)
    register_rendered(rendered.manifest, site.clients.redactor)
    brought = {(text(one, "kind"), name_of(one)): one for one in documents(rendered.manifest)}
    source = brought.get((kind, name or ""))
    if source is None:
        raise MisconfiguredError(
            f"nothing is installed yet, and the chart renders no {kind} {name}: a migration can't be made from it"
        )
    keys = ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")
    pod = obj(path(source, (*keys, "spec")))
    lacks = next(_lacks(pod, brought), "")
    if lacks:
        raise MisconfiguredError(
            f"the migration can't run before the deploy: its pod needs {lacks}, which comes with it"
        )
    containers: list[Json] = [await _alone(site, one, brought) for one in objs(pod.get("containers"))]
    return _with(source, (*keys, "spec"), {**pod, "containers": containers})


_Brought = dict[tuple[str, str], JsonObject]


def _lacks(pod: JsonObject, brought: _Brought) -> Iterator[str]:
    """Yield what a pod needs of the release that can't be written into it."""
    account = text(pod, "serviceAccountName")
    if ("ServiceAccount", account) in brought:
        yield f"service account {account}"
    for volume in objs(pod.get("volumes")):
        for kind, key, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            named = text(obj(volume.get(key)), name)
            if (kind, named) in brought:
                yield f"{kind} {named} as a volume"
        claim = text(obj(volume.get("persistentVolumeClaim")), "claimName")
        if ("PersistentVolumeClaim", claim) in brought:
            yield f"volume claim {claim}"
    for container in (*objs(pod.get("initContainers")), *objs(pod.get("containers"))):
        for name in _secrets(container):
            if ("Secret", name) in brought:
                yield f"secret {name}"
    for container in objs(pod.get("initContainers")):
        if any(
            ("ConfigMap", text(obj(s.get("configMapRef")), "name")) in brought
            for s in objs(container.get("envFrom"))
        ):
            yield f"an init container with settings of its own ({text(container, 'name')})"


def _secrets(container: JsonObject) -> Iterator[str]:
    for source in objs(container.get("envFrom")):
        yield text(obj(source.get("secretRef")), "name")
    for one in objs(container.get("env")):
        yield text(obj(path(one, ("valueFrom", "secretKeyRef"))), "name")


async def _alone(site: Site, container: JsonObject, brought: _Brought) -> JsonObject:
    """Return a container with the release's settings written into it, in the order in which Kubernetes reads them."""
    settings: dict[str, str] = {}
    kept: list[Json] = []
    for source in objs(container.get("envFrom")):
        config = brought.get(("ConfigMap", text(obj(source.get("configMapRef")), "name")))
        if config is not None:
            prefix = text(source, "prefix")
            settings |= {f"{prefix}{k}": v for k, v in obj(config.get("data")).items() if isinstance(v, str)}
            continue
        kept.append(source)
        secret = text(obj(source.get("secretRef")), "name")
        if secret:  # of the same name the later source wins
            for key in await site.kube.secret(secret, site.namespace):
                settings.pop(f"{text(source, 'prefix')}{key}", None)
    own: list[Json] = [_literal(one, brought) for one in objs(container.get("env"))]
    written: list[Json] = [{"name": key, "value": value} for key, value in sorted(settings.items())]
    return {**container, "envFrom": kept, "env": [*written, *own]}


def _literal(one: JsonObject, brought: _Brought) -> JsonObject:
    ref = obj(path(one, ("valueFrom", "configMapKeyRef")))
    config = brought.get(("ConfigMap", text(ref, "name")))
    if config is None:
        return one
    return {"name": text(one, "name"), "value": text(obj(config.get("data")), text(ref, "key"))}


def _with(source: JsonObject, keys: tuple[str, ...], value: JsonObject) -> JsonObject:
    """Return an object with another value at a path."""
    first, *rest = keys
    below = _with(obj(source.get(first)), tuple(rest), value) if rest else value
    return {**source, first: below}


def _migration(site: Site) -> Migration:
    migration = site.runbook.candidate.migration
    if migration is None:
        raise MisconfiguredError("the runbook's candidate has no migration; expected candidate.migration")
    return migration
