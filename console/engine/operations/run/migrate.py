"""Migrate: a Job with the candidate's image (SOP helm command 4).

It was made for the preview (``migration_job``), and is created as it was shown. The job lives in the cluster, so it
goes on whatever happens to the engine; its name is in the log before it is created.
"""

from __future__ import annotations

from checks.base import CouldNotLookError
from checks.clients.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RefusedConnectionError,
    RejectedError,
)
from console.engine.operations.preview.interlock import SCHEMA_BEFORE, schema_now, schema_step
from console.engine.operations.run.context import Run
from console.engine.operations.run.deploy import lease_step
from console.engine.operations.run.first_migration import keep
from console.engine.operations.run.job_watch import JobWatch
from console.engine.operations.run.output import End
from console.engine.operations.run.stop_job import STOP_JOB
from console.engine.operations.verdict.job_diagnosis import ended, ended_by_events, jobs_path, pods_of, why
from console.engine.operations.verdict.verdict import RETRY
from state.base.json import JsonObject, integer, obj, text
from state.base.text import line
from state.base.times import SECOND_US
from state.view.enums import OperationState as State
from state.view.enums import StepState

_LOOK_S = 2.0
# The end of the log, where a migration's error is.
_LOG_LINES = 40
_NOTHING_DONE = (RejectedError, ForbiddenError, NotFoundError, RefusedConnectionError)
"""What tells that a request was not carried out; after any other error nobody knows."""


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
    refused = await _created(run)
    if refused is not None:
        return refused
    await run.report.step("job", "running", name)
    return await follow_job(run)


async def _created(run: Run) -> End | None:
    """Create the job; return the end where it wasn't, for certain: then nothing was changed, and nothing to undo."""
    site, name = run.site, run.job
    try:
        await site.kube.create(jobs_path(site), run.manifest)
    except _NOTHING_DONE as error:
        told = f"a job {name} is there already, which isn't this launch's" if _there(error) else str(error)
    except CouldNotLookError as error:
        if await _is_there(run):
            return None
        told = str(error)
    else:
        return None
    # The interlock of a rollback reads this: it never ran.
    await run.report.step("job", "skipped", f"not created: {told}")
    return End(State.FAILED, f"nothing was changed: {told}", offers=(RETRY,))


def _there(error: CouldNotLookError) -> bool:
    return isinstance(error, ConflictError)


async def _is_there(run: Run) -> bool:
    """Return whether the job is there after all. Raises the client's errors where that can't be seen either."""
    try:
        await run.site.kube.get(f"{jobs_path(run.site)}/{run.job}")
    except NotFoundError:
        return False
    return True


async def follow_job(run: Run) -> End:
    """Follow a job that exists to its end, and judge it by its conditions."""
    watch = JobWatch(run.site, jobs_path(run.site), run.job)
    watch.start()
    try:
        return await _followed(run, watch)
    finally:
        await watch.aclose()


async def _followed(run: Run, watch: JobWatch) -> End:
    site, name = run.site, run.job
    until = site.clock.mono_us() + int(run.operation.timeout * SECOND_US)
    while True:
        try:
            await watch.look()
        except CouldNotLookError as error:
            await run.report.step("job", "running", f"cannot be seen: {error}")
        # Judged before an abort is looked at: a job that has ended can't be aborted.
        end = await _judged(run, watch)
        if end is not None:
            return end
        if run.abort.is_set() and await _suspended(run):
            return End(
                State.ABORTED,
                f"job {name} was suspended: its transaction is rolled back unless it had committed already; "
                "look at the schema's revision",
                offers=(RETRY,),
            )
        if site.clock.mono_us() >= until:
            reason = await why(site, name)
            words = f"job {name} has not ended within {run.operation.timeout:g} s"
            told = f"{words}: {reason}" if reason else words
            # A second one is refused while this one runs: it is stopped first.
            return End(State.UNKNOWN, told, offers=(STOP_JOB, RETRY))
        watch.news.clear()
        await run.pause(_LOOK_S)


async def _suspended(run: Run) -> bool:
    """Suspend the job, which ends its pods gently; return whether that was done."""
    try:
        await run.site.kube.patch(f"{jobs_path(run.site)}/{run.job}", {"spec": {"suspend": True}})
    except CouldNotLookError as error:
        await run.report.step("job", "running", f"cannot be suspended yet: {error}")
        # Not `run.pause`: the abort that is already set would end it at once, and this would spin.
        await run.site.clock.sleep(_LOOK_S)
        return False
    await run.report.step("job", "failed", "suspended on request")
    return True


async def _judged(run: Run, watch: JobWatch) -> End | None:
    end = ended(watch.job) if watch.job is not None else None
    if end is None and watch.gone:
        return await _gone(run, watch.job)
    if end is None:
        await run.report.step("job", "running", await _progress(run, watch.job))
        return None
    return await _ended(run, *end)


async def _ended(run: Run, well: bool, told: str) -> End:
    last = await _log(run)
    if well:
        await run.report.step("job", "done", told)
        return End(State.SUCCEEDED, f"job {run.job} is {told}")
    reason = await why(run.site, run.job)
    parts = [told, reason, f"its log ends with: {last}" if last else ""]
    words = "; ".join(part for part in parts if part)
    await run.report.step("job", "failed", words)
    return End(State.FAILED, f"job {run.job} failed: {words}", offers=(RETRY,))


async def _gone(run: Run, job: JsonObject | None) -> End:
    """Judge a job that went away before its end was seen: by what else the cluster and the database know of it."""
    found = await ended_by_events(run.site, run.job)
    if found is not None:
        return await _ended(run, *found)
    spec = obj((job or {}).get("spec"))
    ttl = (
        f" (its ttlSecondsAfterFinished is {integer(spec, 'ttlSecondsAfterFinished')})"
        if "ttlSecondsAfterFinished" in spec
        else ""
    )
    migration = run.site.runbook.candidate.migration
    head = migration.head if migration is not None else ""
    schema, unseen = await schema_now(run.site)
    if schema and schema == head and schema != _before(run):
        await run.report.step("job", "done", f"gone{ttl}; the schema is at {schema}")
        return End(State.SUCCEEDED, f"job {run.job} is gone{ttl}, and the schema is at {schema} now")
    now = f"the schema is at {schema}" if schema else f"the schema's revision can't be seen ({unseen})"
    await run.report.step("job", "failed", f"gone{ttl}")
    return End(
        State.UNKNOWN,
        f"job {run.job} is gone{ttl} before its end was seen, and no event tells it; {now}: "
        "look at the schema's revision",
        offers=(RETRY,),
    )


def _before(run: Run) -> str:
    view = run.report.run()
    steps = view.steps if view is not None else ()
    return next((s.detail for s in steps if s.name == SCHEMA_BEFORE and s.state is StepState.DONE), "")


async def _progress(run: Run, job: JsonObject | None) -> str:
    status = obj((job or {}).get("status"))
    told = ", ".join(
        f"{integer(status, name)} {name}" for name in ("active", "succeeded", "failed") if status.get(name)
    )
    reason = await why(run.site, run.job)
    return "; ".join(part for part in (told, reason) if part)


async def _log(run: Run) -> str:
    """Record the end of the job's log and return its last line; that it cannot be read changes no verdict."""
    last = ""
    try:
        for pod in (await pods_of(run.site, run.job))[-1:]:
            name = text(obj(pod.get("metadata")), "name")
            answer = await run.site.kube.pod_logs(name, container=run.container or None, tail=_LOG_LINES)
            lines = [one for one in answer.splitlines() if one.strip()]
            await run.report.output("job", lines[-_LOG_LINES:])
            last = line(lines[-1], 200) if lines else ""
    except CouldNotLookError as error:
        await run.report.step("job log", "failed", str(error))
    return last
