"""Migrate: a Job with the candidate's image (SOP helm command 4).

It was made for the preview (``migration_job``), and is created as it was shown. The job lives in the cluster, so it
goes on whatever happens to the engine; its name is in the log before it is created.
"""

from __future__ import annotations

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.preview.interlock import schema_step
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.deploy import lease_step
from console.engine.operations.run.first_migration import keep
from console.engine.operations.run.output import End
from console.engine.operations.verdict.verdict import RETRY
from state.base.json import JsonObject, integer, obj, objs, text
from state.base.times import SECOND_US
from state.view.enums import OperationState as State

_LOOK_S = 2.0
# The end of the log, where a migration's error is.
_LOG_LINES = 40


def _jobs(site: Site) -> str:
    return f"/apis/batch/v1/namespaces/{site.namespace}/jobs"


async def migrate(run: Run) -> End:
    """Create the job and follow it to its verdict."""
    site, name = run.site, run.job
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"nothing was changed: {held}", offers=(RETRY,))
    if run.abort.is_set():
        await run.report.step("job", "skipped", "aborted before it was created")
        return End(State.ABORTED, "aborted before the job was created: nothing was changed", offers=(RETRY,))
    await schema_step(run)
    await run.report.started(0, name, None)
    keep(site, name, run.manifest)
    await site.kube.create(_jobs(site), run.manifest)
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
