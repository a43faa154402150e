"""Migrate: a Job with the candidate's image (SOP helm command 4).

It is made from the chart's cron job, or from a deployment's pod with a command of its own. The job lives in the
cluster, so it goes on whatever happens to the engine; its name is in the log before it is created.
"""

from __future__ import annotations

import shlex

from checks.base import CouldNotLookError
from checks.clients.errors import MisconfiguredError, NotFoundError
from console.engine.operations.preview.interlock import schema_step
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.deploy import lease_step
from console.engine.operations.run.first_migration import keep, source_of
from console.engine.operations.run.output import End
from console.engine.operations.verdict.verdict import RETRY
from state.base.json import JsonObject, integer, obj, objs, text
from state.base.times import SECOND_US
from state.runbook.models import Migration
from state.view.enums import OperationState as State

_LOOK_S = 2.0
# The end of the log, where a migration's error is.
_LOG_LINES = 40


def job_name(site: Site, seq: int) -> str:
    """Return the name of the migration job of one run."""
    return f"db-migrate-{site.environment.release}-{seq}"


def _migration(site: Site) -> Migration:
    """Return how the candidate migrates. Raises MisconfiguredError where it doesn't."""
    migration = site.runbook.candidate.migration
    if migration is None:
        raise MisconfiguredError("the runbook's candidate has no migration; expected candidate.migration")
    return migration


def command(site: Site, name: str) -> str:
    """Return the equivalent kubectl command line."""
    migration = _migration(site)
    target = f"kubectl --context {site.environment.kube.context} -n {site.namespace} create job"
    if migration.by == "deployment":
        return f"{target} {name} --image={site.runbook.candidate.migration_image} -- {shlex.join(migration.command)}"
    return f"{target} --from=cronjob/{migration.cronjob} {name}"


def _jobs(site: Site) -> str:
    return f"/apis/batch/v1/namespaces/{site.namespace}/jobs"


async def _body(site: Site, name: str) -> JsonObject:
    migration = _migration(site)
    if migration.by == "deployment":
        return await _from_deployment(site, name)
    found, owners = await _cron_job(site, migration)
    spec = obj(obj(obj(found.get("spec")).get("jobTemplate")).get("spec"))
    template = obj(spec.get("template"))
    pod = obj(template.get("spec"))
    containers = [{**c, "image": site.runbook.candidate.migration_image} for c in objs(pod.get("containers"))]
    notes = {"cronjob.kubernetes.io/instantiate": "manual"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": notes, **owners},
        "spec": {**spec, "template": {**template, "spec": {**pod, "containers": containers}}},
    }


async def _cron_job(site: Site, migration: Migration) -> tuple[JsonObject, JsonObject]:
    """Return the cron job and what names it as the owner; in a first launch the rendered one, which owns nothing."""
    path = f"/apis/batch/v1/namespaces/{site.namespace}/cronjobs/{migration.cronjob}"
    try:
        found = await site.kube.get(path)
    except NotFoundError:
        return await source_of(site), {}
    owner: JsonObject = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": migration.cronjob,
        "uid": text(obj(found.get("metadata")), "uid"),
    }
    return found, {"ownerReferences": [owner]}


async def _from_deployment(site: Site, name: str) -> JsonObject:
    """Return a job with a deployment's pod: its environment and its secrets, but no probes and no ports."""
    migration = _migration(site)
    path = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/{migration.deployment}"
    try:
        found = await site.kube.get(path)
    except NotFoundError:
        found = await source_of(site)  # a first launch
    template = obj(obj(found.get("spec")).get("template"))
    pod = {k: v for k, v in obj(template.get("spec")).items() if k not in {"initContainers", "restartPolicy"}}
    dropped = {"livenessProbe", "readinessProbe", "startupProbe", "ports", "args", "lifecycle"}
    first = next(iter(objs(pod.get("containers"))), None)
    if first is None:
        raise MisconfiguredError(f"deployment {migration.deployment} has no container to migrate with")
    container = {k: v for k, v in first.items() if k not in dropped}
    container |= {
        "name": "migrations",
        "image": site.runbook.candidate.migration_image,
        "command": list(migration.command),
    }
    labels = {"app": f"{site.release}-migrations", "app.kubernetes.io/instance": site.release}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": labels},
                "spec": {**pod, "containers": [container], "restartPolicy": "Never"},
            },
        },
    }


async def migrate(run: Run) -> End:
    """Create the job and follow it to its verdict."""
    site, name = run.site, run.job
    body = await _body(site, name)
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"nothing was changed: {held}", offers=(RETRY,))
    if run.abort.is_set():
        await run.report.step("job", "skipped", "aborted before it was created")
        return End(State.ABORTED, "aborted before the job was created: nothing was changed", offers=(RETRY,))
    await schema_step(run)
    await run.report.started(0, name, None)
    keep(site, name, body)
    await site.kube.create(_jobs(site), body)
    await run.report.step("job", "running", name)
    return await follow_job(run)


async def follow_job(run: Run) -> End:
    """Follow a job that exists to its end, and judge it by its conditions."""
    site, name = run.site, run.job
    until = site.clock.mono_us() + int(run.operation.timeout * SECOND_US)
    while True:
        try:
            job = await site.kube.get(f"{_jobs(site)}/{name}")
        except NotFoundError:
            return End(State.UNKNOWN, f"job {name} is gone: look at the schema's revision", offers=(RETRY,))
        except CouldNotLookError as error:
            await run.report.step("job", "running", f"cannot be seen: {error}")
        else:
            # Judged before an abort is looked at: a job that has ended can't be aborted.
            end = await _judged(run, job)
            if end is not None:
                return end
            await run.report.step("job", "running", _progress(job))
        if run.abort.is_set() and await _suspended(run):
            return End(
                State.ABORTED,
                f"job {name} was suspended: its transaction is rolled back unless it had committed already; "
                "look at the schema's revision",
                offers=(RETRY,),
            )
        if site.clock.mono_us() >= until:
            return End(
                State.UNKNOWN, f"job {name} has not ended within {run.operation.timeout:g} s", offers=(RETRY,)
            )
        await run.pause(_LOOK_S)


async def _suspended(run: Run) -> bool:
    """Suspend the job, which ends its pods gently; return whether that was done."""
    try:
        await run.site.kube.patch(f"{_jobs(run.site)}/{run.job}", {"spec": {"suspend": True}})
    except CouldNotLookError as error:
        await run.report.step("job", "running", f"cannot be suspended yet: {error}")
        # Not `run.pause`: the abort that is already set would end it at once, and this would spin.
        await run.site.clock.sleep(_LOOK_S)
        return False
    await run.report.step("job", "failed", "suspended on request")
    return True


async def _judged(run: Run, job: JsonObject) -> End | None:
    for condition in objs(obj(job.get("status")).get("conditions")):
        if text(condition, "status") != "True":
            continue
        if text(condition, "type") == "Complete":
            await _log(run)
            await run.report.step("job", "done", "complete")
            return End(State.SUCCEEDED, f"job {run.job} is complete")
        if text(condition, "type") == "Failed":
            await _log(run)
            why = text(condition, "message") or text(condition, "reason")
            await run.report.step("job", "failed", why)
            return End(State.FAILED, f"job {run.job} failed: {why}", offers=(RETRY,))
    return None


def _progress(job: JsonObject) -> str:
    status = obj(job.get("status"))
    return ", ".join(
        f"{integer(status, name)} {name}" for name in ("active", "succeeded", "failed") if status.get(name)
    )


async def _log(run: Run) -> None:
    """Record the end of the job's log; that it cannot be read changes no verdict."""
    try:
        query = {"labelSelector": f"job-name={run.job}"}
        pods = await run.site.kube.list_objects(f"/api/v1/namespaces/{run.site.namespace}/pods", query)
        for pod in pods.items[-1:]:
            answer = await run.site.kube.pod_logs(text(obj(pod.get("metadata")), "name"), tail=_LOG_LINES)
            lines = [one for one in answer.splitlines() if one.strip()]
            await run.report.output("job", lines[-_LOG_LINES:])
    except CouldNotLookError as error:
        await run.report.step("job log", "failed", str(error))
