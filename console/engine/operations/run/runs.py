"""One run of an operation: carried out, supervised, and found again after the engine was started anew."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checks.base import CouldNotLookError
from console.engine.operations.preview.approvals import register_secrets
from console.engine.operations.preview.interlock import READY_BEFORE
from console.engine.operations.run import deploy as deploying
from console.engine.operations.run import migrate as migrating
from console.engine.operations.run import prepare as preparing
from console.engine.operations.run import uninstall as uninstalling
from console.engine.operations.run.context import Run
from console.engine.operations.run.output import End
from console.engine.operations.run.program import Running, alive
from console.engine.operations.run.stop_job import STOP_JOB, stop_job
from console.engine.operations.verdict.helm_history import history
from console.engine.operations.verdict.verdict import (
    RETRY,
    ROLLBACK,
    UNINSTALL,
    judge_deploy,
    judge_rollback,
)
from console.engine.record.journal import Journal
from state.base.canonical import anchor
from state.events.bodies import body_as
from state.events.event import Event
from state.events.operations import OperationIntended, OperationStarted
from state.log.errors import LogError
from state.view.enums import OperationKind, OperationState
from state.view.launch import OperationView

Work = Callable[[], Awaitable[End]]
_HELM = {OperationKind.ROLLBACK: "helm rollback", OperationKind.UNINSTALL: uninstalling.HELM}


async def carry_out(run: Run, argv: Sequence[str], *, ready_before: bool) -> End:
    """Carry out a run from its first step to its verdict.

    ``ready_before``: the old version is ready on a schema that was migrated in this launch.
    """
    if run.operation.kind is OperationKind.MIGRATE:
        return await migrating.migrate(run)
    if run.operation.kind is OperationKind.STOP_JOB:
        return await stop_job(run)
    if run.operation.kind is OperationKind.PREPARE:
        return await preparing.prepare(run)
    if run.operation.kind is OperationKind.UNINSTALL:
        return await uninstalling.uninstall(run, argv)
    if run.operation.kind is OperationKind.ROLLBACK:
        return await deploying.rollback(run, argv)
    if ready_before:
        await run.report.step(READY_BEFORE, "done", "every pod of the old version is ready")
    return await deploying.deploy(run, argv)


async def supervised(run: Run, work: Work) -> None:
    """Do a run's work and record its end; what goes wrong in our own code is an end that nobody saw."""
    try:
        end = await work()
    except (CouldNotLookError, LogError, OSError) as error:
        end = _failed(run, str(error))
    except asyncio.CancelledError:
        await run.lease.aclose()
        raise
    except Exception as error:
        end = End(
            OperationState.UNKNOWN,
            f"the engine failed in the middle of it ({type(error).__name__}): look at helm's history",
            offers=(RETRY, ROLLBACK),
        )
    with contextlib.suppress(LogError):
        await deploying.lease_told(run)
    # Before the end is recorded: whoever sees it may start the next operation at once.
    await run.lease.give_back()
    with contextlib.suppress(
        LogError
    ):  # the store says itself that it can't write; a next engine judges again
        await run.report.finished(end)


def _failed(run: Run, why: str) -> End:
    if run.operation.kind is OperationKind.PREPARE:
        return End(OperationState.UNKNOWN, why, offers=(RETRY,))
    if run.running is None and not run.job:
        return End(OperationState.FAILED, f"helm was not started: {why}", offers=(RETRY,))
    if run.operation.kind is OperationKind.UNINSTALL:
        return End(OperationState.UNKNOWN, why, offers=(UNINSTALL,))
    if run.job:  # a rollback of the release would not touch it
        return End(OperationState.UNKNOWN, why, offers=(STOP_JOB, RETRY))
    return End(OperationState.UNKNOWN, why, offers=(RETRY, ROLLBACK))


@dataclass(frozen=True, slots=True)
class Traces:
    """What the log knows of a run beyond its view."""

    intended: Event | None
    started: Event | None

    @property
    def inputs_sha(self) -> str:
        """What its intent says of what it reads."""
        return body_as(OperationIntended, self.intended).inputs_sha if self.intended is not None else ""


def traces(journal: Journal, seq: int) -> Traces:
    """Return the events that a run left at its beginning."""
    intended = started = None
    after = seq - 1
    while chunk := journal.store.read(after):
        for event in chunk:
            if event.seq == seq:
                intended = event
            elif event.kind == OperationStarted.KIND and event.ref == seq:
                return Traces(intended, event)
        after = chunk[-1].seq
    return Traces(intended, started)


def remember(run: Run, view: OperationView, found: Traces, log_id: str) -> None:
    """Put into a run what the log knows: its process, its job, what was there before.

    A process of another boot of the machine is not ours, whatever its pid.
    """
    if found.intended is not None:
        run.before = body_as(OperationIntended, found.intended).before
        run.anchor = anchor(log_id, found.intended.seq, found.intended.hash)
    if view.abort_by:
        run.abort.set()
    if found.started is None:
        return
    began = body_as(OperationStarted, found.started).start_time
    if run.operation.kind in {OperationKind.MIGRATE, OperationKind.STOP_JOB}:
        run.job = began
    elif view.pid:
        folder = run.site.folder / str(view.seq)
        same = found.started.boot == run.site.clock.boot()
        start = began if same else "of another boot"
        run.running = Running(view.pid, start, folder / "out", folder / "err")


async def again(run: Run, view: OperationView) -> End:
    """Go on with a run that the log left without an end: attach to what runs, judge what doesn't."""
    if run.operation.kind is OperationKind.PREPARE:
        # It adds, a step at a time: what is there says how far it came.
        await run.report.step("engine", "done", "the engine ended meanwhile: judged by what is there")
        return await preparing.judge_prepared(run)
    if run.running is None and not run.job:
        return End(
            OperationState.FAILED,
            f"{view.id} was intended, but the engine ended before {_what(run)} was started",
            offers=(RETRY,),
        )
    await asyncio.to_thread(register_secrets, run.site.helm.chart, run.site.clients.redactor)
    with contextlib.suppress(CouldNotLookError):  # the judgement says it, if it lasts
        await history(run.site)  # whose secrets must be known before anything is read that helm printed
    if run.operation.kind is OperationKind.STOP_JOB:
        return await stop_job(run)  # once more comes to the same
    await deploying.lease_step(run)
    if run.job:
        await run.report.step("engine", "done", f"found job {run.job} again")
        return await migrating.follow_job(run)
    assert run.running is not None
    name = _HELM.get(run.operation.kind, "helm upgrade")
    if alive(run.running):
        await run.report.step("engine", "done", f"attached again to helm, pid {run.running.pid}")
        await deploying.follow_helm(run, name)
    else:
        await run.report.step("engine", "done", "helm had ended meanwhile: judged by what is there")
        await asyncio.to_thread(run.report.redact_files, run.running)
    if run.operation.kind is OperationKind.UNINSTALL:
        return await uninstalling.judge_uninstalled(run)
    if run.operation.kind is OperationKind.ROLLBACK:
        return await judge_rollback(run)
    return await judge_deploy(run)


def _what(run: Run) -> str:
    return "the job" if run.operation.kind is OperationKind.MIGRATE else "helm"
