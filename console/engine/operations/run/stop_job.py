"""Stop a migration's job that doesn't end: suspended, its pods end gently, and it stays to be looked at."""

from __future__ import annotations

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.run.context import Run
from console.engine.operations.run.output import End
from console.engine.operations.verdict.job_diagnosis import ended, jobs_path, pods_of
from console.engine.operations.verdict.verdict import RETRY
from state.base.json import integer, obj
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.view.enums import OperationKind
from state.view.enums import OperationState as State

STOP_JOB = OperationKind.STOP_JOB.value
_SETTLE_S = 120.0
_LOOK_S = 2.0


async def stop_job(run: Run) -> End:
    """Suspend the job, and return once none of its pods is left."""
    site, name = run.site, run.job
    await run.report.started(0, name, None)
    where = f"{jobs_path(site)}/{name}"
    until = site.clock.mono_us() + int(_SETTLE_S * SECOND_US)
    try:
        end = ended(await site.kube.get(where))
        if end is not None:
            return End(State.SUCCEEDED, f"job {name} had ended meanwhile: {end[1]}", offers=(RETRY,))
        await site.kube.patch(where, {"spec": {"suspend": True}})
        await run.report.step("job", "done", f"{name} is suspended")
        while integer(obj((await site.kube.get(where)).get("status")), "active") or await pods_of(site, name):
            if site.clock.mono_us() >= until:
                left = plural(len(await pods_of(site, name)), "pod")
                return End(
                    State.UNKNOWN,
                    f"job {name} is suspended, and {left} of it still there",
                    offers=(STOP_JOB,),
                )
            await run.pause(_LOOK_S)
    except NotFoundError:
        return End(State.SUCCEEDED, f"job {name} is gone: nothing of it runs")
    except CouldNotLookError as error:
        return End(
            State.UNKNOWN, f"whether job {name} was stopped cannot be seen: {error}", offers=(STOP_JOB,)
        )
    return End(
        State.SUCCEEDED,
        f"job {name} is stopped: its transaction is rolled back unless it had committed already; look at the "
        "schema's revision, then the migration may be run again",
    )
