"""Migrate: a Job made from the chart's cron job (SOP helm command 4), with the candidate's backend image.

The job lives in the cluster, so it goes on whatever happens to the engine; its name is in the log before it
is created.
"""

from __future__ import annotations

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.context import Run, Site
from console.engine.operations.deploy import RETRY
from console.engine.operations.report import End
from state.fields import JsonObject, integer, obj, objs, text
from state.verdict import OperationState as State

_LOOK_S = 2.0
_LOG_LINES = 40


def job_name(site: Site, seq: int) -> str:
    """Return the name of the migration job of one run."""
    return f"db-migrate-{site.environment.release}-{seq}"


def command(site: Site, name: str) -> str:
    """Return the equivalent kubectl command line."""
    cronjob = site.runbook.candidate.migration.cronjob
    context = site.environment.kube.context
    return f"kubectl --context {context} -n {site.namespace} create job --from=cronjob/{cronjob} {name}"


def _jobs(site: Site) -> str:
    return f"/apis/batch/v1/namespaces/{site.namespace}/jobs"


async def _body(site: Site, name: str) -> JsonObject:
    cronjob = site.runbook.candidate.migration.cronjob
    path = f"/apis/batch/v1/namespaces/{site.namespace}/cronjobs/{cronjob}"
    found = await site.kube.get(path)
    spec = obj(obj(obj(found.get("spec")).get("jobTemplate")).get("spec"))
    template = obj(spec.get("template"))
    pod = obj(template.get("spec"))
    image = site.runbook.candidate.images.backend
    containers = [{**c, "image": image} for c in objs(pod.get("containers"))]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cronjob,
        "uid": text(obj(found.get("metadata")), "uid"),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [owner],
        },
        "spec": {**spec, "template": {**template, "spec": {**pod, "containers": containers}}},
    }


async def migrate(run: Run) -> End:
    """Create the job and follow it to its verdict."""
    site, name = run.site, run.job
    body = await _body(site, name)
    await run.report.started(0, name, None)
    if run.abort.is_set():
        return End(State.ABORTED, "aborted before the job was created: nothing was changed", offers=(RETRY,))
    await site.kube.create(_jobs(site), body)
    await run.report.step("job", "running", name)
    return await follow_job(run)


async def follow_job(run: Run) -> End:
    """Follow a job that exists to its end, and judge it by its conditions."""
    site, name = run.site, run.job
    until = site.clock.mono_us() + int(run.operation.timeout * 1_000_000)
    suspended = False
    while True:
        try:
            job = await site.kube.get(f"{_jobs(site)}/{name}")
        except NotFoundError:
            return End(State.UNKNOWN, f"job {name} is gone: look at alembic_version", offers=(RETRY,))
        except CouldNotLookError as error:
            await run.report.step("job", "running", f"cannot be seen: {error}")
        else:
            end = await _judged(run, job)
            if end is not None:
                return end
            await run.report.step("job", "running", _progress(job))
        if run.abort.is_set() and not suspended:
            await site.kube.patch(f"{_jobs(site)}/{name}", {"spec": {"suspend": True}})
            suspended = True
            await run.report.step("job", "failed", "suspended on request")
            return End(
                State.ABORTED,
                f"job {name} was suspended: its transaction is rolled back unless it had committed already; "
                "look at alembic_version",
                offers=(RETRY,),
            )
        if site.clock.mono_us() >= until:
            return End(
                State.UNKNOWN, f"job {name} has not ended within {run.operation.timeout:g} s", offers=(RETRY,)
            )
        await site.clock.sleep(_LOOK_S)


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
            told = await run.site.kube.pod_logs(text(obj(pod.get("metadata")), "name"), tail=_LOG_LINES)
            lines = [one for one in told.splitlines() if one.strip()]
            await run.report.output("job", lines[-_LOG_LINES:])
    except CouldNotLookError as error:
        await run.report.step("job log", "failed", str(error))
