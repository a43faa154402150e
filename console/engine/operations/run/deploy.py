"""The steps of a deploy and of a rollback, and helm run as a program beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import TypeVar

from checks.base import CouldNotLookError
from checks.clients.errors import ConflictError, NotFoundError
from console.engine.operations.preview.approvals import register_secrets
from console.engine.operations.preview.interlock import migrates_by_hook, schema_step
from console.engine.operations.run.context import Run
from console.engine.operations.run.lease import HeldError
from console.engine.operations.run.output import End
from console.engine.operations.run.program import Program, Running, wait_gone
from console.engine.operations.run.secrets import secrets_step
from console.engine.operations.verdict.helm_history import manifest_of
from console.engine.operations.verdict.pod_diagnosis import tell_trouble
from console.engine.operations.verdict.verdict import RETRY, judge_deploy, judge_rollback
from console.engine.operations.verdict.workloads import look
from state.base.json import JsonObject
from state.base.times import SECOND_US
from state.view.enums import OperationState as State

T = TypeVar("T")
# As often as helm's own --wait polls.
_LOOK_S = 2.0
# helm's --timeout applies to each phase (hooks, the wait), not to the whole upgrade.
_OVERDUE = 2.0
_UNTOUCHED = "nothing was changed"
_NOT_PREVIEWED = "its private copy of chart and values isn't what was previewed any more"


async def run_helm(run: Run, argv: Sequence[str], name: str) -> None:
    """Run a helm command to its end.

    Its pid is in the log before it starts. Raises the store's error where that cannot be written: then it
    never runs.
    """
    folder = run.site.folder / str(run.report.ref)
    program = await Program.prepare(argv, folder, run.site.helm.environ())
    try:
        await run.report.started(program.running.pid, program.running.started, folder)
        await run.report.step(name, "running")
    except BaseException:
        program.cancel()
        raise
    run.running = program.running
    if run.abort.is_set():
        program.cancel()
    else:
        program.release()
    code = await _followed(run, program.running, program.wait())
    tail = run.report.last_error and run.report.quoted(run.report.last_error)
    detail = "" if code == 0 else tail or f"exit code {code}"
    await run.report.step(name, "done" if code == 0 else "failed", detail)


async def _followed(run: Run, running: Running, end: Awaitable[T]) -> T:
    """Tell what helm prints and how the pods are until its end has come; return what that is."""
    ended = asyncio.Event()
    following = asyncio.create_task(run.report.follow(running, ended))
    watching = asyncio.create_task(watch_pods(run))
    try:
        result = await end
    finally:
        ended.set()
        watching.cancel()
        await asyncio.gather(following, watching, return_exceptions=True)
    await asyncio.to_thread(run.report.redact_files, running)
    return result


async def follow_helm(run: Run, name: str) -> None:
    """Go on with a helm that an engine before this one started: wait for its end."""
    assert run.running is not None
    await _followed(run, run.running, wait_gone(run.running))
    await run.report.step(name, "done", "ended; its exit code was not seen")


async def watch_pods(run: Run) -> None:
    """Record how far the pods are, and how helm's time runs, whenever that changes."""
    clock = run.site.clock
    began = clock.mono_us()
    overdue = run.operation.timeout * _OVERDUE
    manifest = new = None
    while True:
        try:
            if new is None:
                new = await manifest_of(run.site, run.before + 1)
                # Until helm has written what it will do, what was there before is what runs.
                manifest = new or manifest or await manifest_of(run.site, run.before)
            live = await look(run.site.kube, run.site.namespace, run.site.release, manifest, clock.wall_us())
        except CouldNotLookError as error:
            await run.report.step("pods", "running", f"cannot be seen: {error}")
        else:
            await run.report.step("pods", "running", live.words)
            await tell_trouble(run, live)
        if (clock.mono_us() - began) / SECOND_US > overdue:
            message = (
                f"helm takes longer than twice its timeout of {run.operation.timeout:g} s: it may be aborted"
            )
            await run.report.step("time", "running", message)
        if run.abort.is_set():
            await run.report.step(
                "abort", "running", "helm was asked to end; it gets its time and is never killed"
            )
        await lease_told(run)
        await clock.sleep(_LOOK_S)


async def lease_told(run: Run) -> None:
    """Record that the lease is lost, and that it is held again: what recovered is no failure of this run."""
    if run.lease.lost:
        run.lease_lost = True
        await run.report.step("lease", "failed", run.lease.lost)
    elif run.lease_lost:
        run.lease_lost = False
        await run.report.step("lease", "done", "this launch works on the release; it is renewed again")


async def namespace_step(run: Run) -> None:
    """Create the namespace where it is missing (SOP helm command 1)."""
    kube, name = run.site.kube, run.site.namespace
    try:
        await kube.get(f"/api/v1/namespaces/{name}")
        await run.report.step("namespace", "done", f"{name} exists")
    except NotFoundError:
        meta: JsonObject = {"name": name}
        body: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        with suppress(ConflictError):  # somebody else was quicker
            await kube.create("/api/v1/namespaces", body)
        await run.report.step("namespace", "done", f"{name} created")


async def lease_step(run: Run) -> str:
    """Take the release's lease; return who else has it, or nothing.

    A cluster that doesn't let us write leases closes no way back: that is said, and a rollback goes on.
    """
    try:
        await run.lease.take()
    except HeldError as error:
        await run.report.step("lease", "failed", str(error))
        return str(error)
    except CouldNotLookError as error:
        await run.report.step("lease", "failed", f"cannot be taken: {error}")
        return ""
    await run.report.step("lease", "done", "this launch works on the release")
    return ""


async def deploy(run: Run, argv: Sequence[str]) -> End:
    """Carry out a deploy from its first step to its verdict."""
    number = run.good.number if run.good is not None else 0
    # Before the lease, which lives in this namespace.
    await namespace_step(run)
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"{_UNTOUCHED}: {held}", number, (RETRY,))
    # Before helm, which may print any of them.
    await asyncio.to_thread(register_secrets, run.site.helm.chart, run.site.clients.redactor)
    missing = await secrets_step(run)
    if missing:
        return End(State.FAILED, f"helm was not started: {missing}", number, (RETRY,))
    if run.abort.is_set():
        return End(State.ABORTED, f"aborted before helm was started: {_UNTOUCHED}", number, (RETRY,))
    if run.copy is None or run.copy.changed():
        return End(State.FAILED, f"helm was not started: {_NOT_PREVIEWED}", number, (RETRY,))
    if migrates_by_hook(run.site):
        await schema_step(run)
    # In the command that was shown, the head with the intent in it could not stand yet.
    await run.report.step("anchor", "done", run.anchor)
    await run_helm(run, argv, "helm upgrade")
    return await judge_deploy(run)


async def rollback(run: Run, argv: Sequence[str]) -> End:
    """Go back to the recorded good revision and verify that it is what runs."""
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"{_UNTOUCHED}: {held}", offers=(RETRY,))
    await run_helm(run, argv, "helm rollback")
    return await judge_rollback(run)
