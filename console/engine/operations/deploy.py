"""Deploy and roll back with helm. The verdict comes from history and live objects, never from an exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.context import Run, Site
from console.engine.operations.helm import Revision
from console.engine.operations.live import Live, look
from console.engine.operations.program import NOT_STARTED, Program, wait_gone
from console.engine.operations.report import End
from state.verdict import OperationState as State
from state.view import GoodRevision

_SETTLE_S = 60.0
_LOOK_S = 2.0
ROLLBACK, RETRY, ACCEPT = "rollback", "retry", "accept"


async def run_helm(run: Run, argv: Sequence[str], name: str) -> int:
    """Run a helm command to its end and return its exit code.

    Its pid is in the log before it starts. Raises the store's error where that cannot be written: then it
    never runs.
    """
    folder = run.site.folder / str(run.report.ref)
    program = await Program.prepare(argv, folder, run.site.helm.environ())
    try:
        await run.report.started(program.running.pid, program.running.started, folder)
    except BaseException:
        program.cancel()
        raise
    run.running = program.running
    await run.report.step(name, "running")
    program.release()
    ended = asyncio.Event()
    following = asyncio.create_task(run.report.follow(program.running.out, program.running.err, ended))
    watching = asyncio.create_task(watch_pods(run))
    code = await program.wait()
    ended.set()
    errors = await following
    watching.cancel()
    detail = "" if code == 0 else (errors[-1] if errors else f"exit code {code}")
    await run.report.step(name, "done" if code == 0 else "failed", detail)
    return NOT_STARTED if code == NOT_STARTED else code


async def follow_helm(run: Run, name: str) -> None:
    """Go on with a helm that an engine before this one started: wait for its end."""
    assert run.running is not None
    watching = asyncio.create_task(watch_pods(run))
    await wait_gone(run.running)
    watching.cancel()
    await run.report.step(name, "done", "ended; its exit code was not seen")


async def watch_pods(run: Run) -> None:
    """Record how far the pods are, whenever that changes."""
    while True:
        try:
            live = await look(run.site.kube, run.site.namespace, run.site.environment.release)
        except CouldNotLookError as error:
            await run.report.step("pods", "running", f"cannot be seen: {error}")
        else:
            await run.report.step("pods", "running", _pods(live))
        await run.site.clock.sleep(_LOOK_S)


def _pods(live: Live) -> str:
    waiting = f"; {live.waiting[0]}" if live.waiting else ""
    return f"{live.ready} of {live.wanted} ready, {live.pods} there{waiting}"


async def namespace_step(run: Run) -> None:
    """Create the namespace where it is missing (SOP helm command 1)."""
    kube, name = run.site.kube, run.site.namespace
    try:
        await kube.get(f"/api/v1/namespaces/{name}")
        await run.report.step("namespace", "done", f"{name} exists")
    except NotFoundError:
        await kube.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        await run.report.step("namespace", "done", f"{name} created")


async def secrets_step(run: Run) -> str:
    """Return which of the release's secrets is missing, or nothing (SOP helm command 2)."""
    missing: list[str] = []
    for name in run.site.environment.secrets:
        try:
            await run.site.kube.get(f"/api/v1/namespaces/{run.site.namespace}/secrets/{name}")
        except NotFoundError:
            missing.append(name)
    if missing:
        await run.report.step("secrets", "failed", f"missing: {', '.join(missing)}")
        return f"secret {missing[0]} does not exist in {run.site.namespace}: create it, then deploy again"
    await run.report.step("secrets", "done", ", ".join(run.site.environment.secrets) or "none named")
    return ""


async def deploy(run: Run, argv: Sequence[str]) -> End:
    """Carry out a deploy from its first step to its verdict."""
    await namespace_step(run)
    missing = await secrets_step(run)
    if missing:
        return End(State.FAILED, f"nothing was changed: {missing}", _number(run.good), (RETRY,))
    if run.abort.is_set():
        return End(State.ABORTED, "aborted before helm was started: nothing was changed", offers=(RETRY,))
    await run_helm(run, argv, "helm upgrade")
    return await judge_deploy(run)


async def judge_deploy(run: Run) -> End:
    """Say what a deploy came to (delivery 5.3, rule 9)."""
    images = run.site.runbook.candidate.images.named()
    try:
        newest = _newest(await run.site.helm.history())
        live = await settled(run.site, images)
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(RETRY, ROLLBACK))
    recorded = _number(run.good)
    if newest is None or newest.number <= recorded:
        return End(
            State.ABORTED if run.abort.is_set() else State.FAILED,
            f"failed before a revision was created: revision {recorded} is untouched, a rollback would undo "
            "a good release",
            recorded,
            (RETRY,),
        )
    if newest.pending:
        return End(
            State.UNKNOWN,
            f"revision {newest.number} is {newest.status} and its helm is gone: helm refuses to go on until it is "
            f"rolled back to revision {recorded}",
            newest.number,
            (ROLLBACK,),
        )
    await run.report.step("pods", "done" if live.settled else "failed", _pods(live))
    if newest.status != "deployed":
        state = State.ABORTED if run.abort.is_set() else State.FAILED
        return End(state, f"revision {newest.number} is {newest.status}", newest.number, (ROLLBACK, RETRY))
    if not live.runs(images):
        await run.report.step("images", "failed", _differs(live, images))
        return End(
            State.FAILED,
            f"revision {newest.number} is deployed, but what runs is not the candidate: {_differs(live, images)}",
            newest.number,
            (ROLLBACK,),
        )
    await run.report.step("images", "done", "every container runs the candidate's digest")
    if not live.settled:
        return End(
            State.FAILED,
            f"revision {newest.number} is deployed, but not every pod is ready: {_pods(live)}",
            newest.number,
            (ROLLBACK,),
        )
    return End(
        State.SUCCEEDED, f"revision {newest.number} runs: {live.ready} pods, digests equal", newest.number
    )


async def rollback(run: Run, argv: Sequence[str]) -> End:
    """Go back to the recorded good revision and verify that it is what runs."""
    await run_helm(run, argv, "helm rollback")
    return await judge_rollback(run)


async def judge_rollback(run: Run) -> End:
    """Say whether what runs is the recorded good revision again."""
    good = run.good
    assert good is not None
    try:
        newest = _newest(await run.site.helm.history())
        images = dict(good.images)
        live = await settled(run.site, images)
        sha = await run.site.helm.manifest_sha(newest.number) if newest is not None else ""
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(ROLLBACK,))
    if newest is None or newest.number <= good.number:
        return End(State.FAILED, "helm created no revision: nothing was rolled back", offers=(ROLLBACK,))
    if newest.pending:
        back = live.runs(images) and live.settled
        told = "the pods are back, but " if back else ""
        return End(
            State.UNKNOWN,
            f"{told}revision {newest.number} is {newest.status}: a hook failed or helm was killed; "
            "a rollback to the same revision clears it",
            newest.number,
            (ROLLBACK,),
        )
    same = sha == good.manifest_sha
    await run.report.step("manifest", "done" if same else "failed", "equal" if same else "differs")
    await run.report.step("pods", "done" if live.settled else "failed", _pods(live))
    if newest.status == "deployed" and same and live.runs(images) and live.settled:
        return End(
            State.SUCCEEDED,
            f"revision {good.number} runs again (as revision {newest.number}), verified live",
            newest.number,
        )
    why = "the manifest differs" if not same else _differs(live, images) or _pods(live)
    return End(
        State.FAILED,
        f"rolled back, but not verified as revision {good.number}: {newest.status}, {why}",
        newest.number,
        (ROLLBACK,),
    )


async def settled(site: Site, images: Mapping[str, str]) -> Live:
    """Return what runs, once it is settled with these images or a minute has passed."""
    until = site.clock.mono_us() + int(_SETTLE_S * 1_000_000)
    while True:
        live = await look(site.kube, site.namespace, site.environment.release)
        if (live.settled and live.runs(images)) or site.clock.mono_us() >= until:
            return live
        await site.clock.sleep(_LOOK_S)


def _newest(history: Sequence[Revision]) -> Revision | None:
    return history[-1] if history else None


def _number(good: GoodRevision | None) -> int:
    return good.number if good is not None else 0


def _differs(live: Live, images: Mapping[str, str]) -> str:
    running: dict[str, list[str]] = {}
    for name, digest in live.images:
        running.setdefault(name, []).append(digest[7:19])
    for name, reference in images.items():
        wanted = reference.rpartition("sha256:")[2][:12]
        if running.get(name) != [wanted]:
            return f"{name} runs {' and '.join(running.get(name, ['nothing']))} instead of {wanted}"
    return ""
