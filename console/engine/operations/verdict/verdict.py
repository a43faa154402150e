"""What an operation came to: read from history and live objects, never from an exit code (docs/operations.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from checks.base import CouldNotLookError
from checks.clients.helm_release import HelmStatus
from checks.clients.http import MAIN
from console.engine.operations.access.patience import JUDGING_S
from console.engine.operations.preview.diff import drift_of
from console.engine.operations.preview.preflight import ingresses
from console.engine.operations.run.context import Run
from console.engine.operations.run.output import End
from console.engine.operations.verdict.helm_history import Revision, history
from console.engine.operations.verdict.pod_diagnosis import tell_well, tell_why
from console.engine.operations.verdict.workloads import Live, look
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.runbook.helm_commands import looked_at
from state.view.enums import OperationState as State
from state.view.launch import GoodRevision

_SETTLE_S = 60.0
_LOOK_S = 2.0
_BUSY = "another operation (install/upgrade/rollback) is in progress"
ROLLBACK, RETRY, UNINSTALL = "rollback", "retry", "uninstall"


async def judge_deploy(run: Run) -> End:
    """Say what a deploy came to, and what may be done next."""
    run.site.patience.bound_s = JUDGING_S
    recorded = run.good.number if run.good is not None else 0
    # A first install has no revision to go back to: it is tried again, or taken away.
    back = (ROLLBACK, RETRY) if recorded else (RETRY, UNINSTALL)
    try:
        newest = _newest(await history(run.site))
        if newest is None or newest.number <= run.before:
            return _nothing(run, newest, recorded)
        if _somebody_elses(run, newest):
            return End(
                State.FAILED,
                f"nothing was changed by this: {newest.words} is somebody else's work ({newest.description})",
                offers=(RETRY,),
            )
        if newest.pending:
            return await _stuck(run, newest, recorded)
        expected = run.site.runbook.candidate.images.named()
        # what failed doesn't become ready by waiting for it
        live = await (settled(run, expected) if newest.status == HelmStatus.DEPLOYED else _now(run))
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(RETRY, ROLLBACK))
    await run.report.step("pods", "done" if live.settled else "failed", live.words)
    if not live.settled:
        await tell_why(run, live)
    if newest.status != HelmStatus.DEPLOYED:
        return await _failed(run, newest, live, back)
    return await _deployed(run, newest, live, back)


def _somebody_elses(run: Run, newest: Revision) -> bool:
    """Return whether another helm made the newest revision: a finished one carries our anchor or it isn't ours."""
    if newest.pending:
        return _BUSY in run.report.last_error
    return newest.status == HelmStatus.DEPLOYED and bool(run.anchor) and run.anchor not in newest.description


def _nothing(run: Run, newest: Revision | None, recorded: int) -> End:
    state = State.ABORTED if run.abort.is_set() else State.FAILED
    if newest is None or not recorded:
        return End(state, "failed before a revision was created: nothing was installed", offers=(RETRY,))
    if newest.number > recorded:
        message = f"failed before a revision was created: {newest.words} is still the newest"
        return End(state, message, newest.number, (ROLLBACK, RETRY))
    return End(
        state,
        f"failed before a revision was created: revision {recorded} is untouched, and a rollback would undo "
        "a good release",
        recorded,
        (RETRY,),
    )


async def _stuck(run: Run, newest: Revision, recorded: int) -> End:
    await run.report.step("release", "failed", newest.words)
    way = f"is rolled back to revision {recorded}" if recorded else "is finished by a rollback to itself"
    return End(
        State.UNKNOWN,
        f"{newest.words}, and its helm is gone: helm refuses another operation until the release {way}",
        newest.number,
        (ROLLBACK,),
    )


async def _failed(run: Run, newest: Revision, live: Live, back: tuple[str, ...]) -> End:
    state = State.ABORTED if run.abort.is_set() else State.FAILED
    hook = newest.failed_hook()
    why = f"hook {hook} failed" if hook else newest.description
    old = run.good is not None and live.settled and live.runs(dict(run.good.images))
    still = f"; what runs is still revision {run.good.number}" if old and run.good is not None else ""
    if run.good is None:
        still = f"; a first install: there is no revision to go back to. {_standing(live)}"
    return End(state, f"{newest.words}: {why}{still}", newest.number, back)


def _standing(live: Live) -> str:
    """Return what a failed first install left in the cluster, in words."""
    return f"What stands there: {live.words}" if live.pods or live.wanted else "No pod of it runs"


async def _deployed(run: Run, newest: Revision, live: Live, back: tuple[str, ...]) -> End:
    expected = run.site.runbook.candidate.images.named()
    differs = live.differs(expected)
    if differs:
        await run.report.step("images", "failed", differs)
        message = f"{newest.words}, but what runs is not the candidate: {differs}"
        return End(State.FAILED, message, newest.number, back)
    equal = ", ".join(f"{name} {digest[7:19]}" for name, digest in live.images if name in expected)
    await run.report.step("images", "done", f"equal to the candidate: {equal}")
    if not live.settled:
        message = f"{newest.words}, but not every pod is ready: {live.words}"
        return End(State.ABORTED if run.abort.is_set() else State.FAILED, message, newest.number, back)
    drift = await _drift(run, newest.manifest)
    if drift:
        message = f"{newest.words}, but live objects differ from it: {drift[0]}"
        return End(State.FAILED, message, newest.number, back)
    await tell_well(run)
    await _reachable(run)
    return End(
        State.SUCCEEDED, f"{newest.words} runs: {plural(live.ready, 'pod')}, digests equal", newest.number
    )


async def _drift(run: Run, manifest: str) -> list[str]:
    drift = await drift_of(run.site, manifest)
    message = (
        f"{plural(len(drift), 'field differs', 'fields differ')}: {'; '.join(drift[:3])}"
        if drift
        else "live is what helm recorded"
    )
    await run.report.step("objects", "failed" if drift else "done", message)
    return drift


async def _reachable(run: Run) -> None:
    """Record ingress and health (SOP helm command 5); an item of the runbook judges them."""
    if "ingress" in looked_at(run.site.runbook.helm_commands):
        with contextlib.suppress(CouldNotLookError):
            well, told = await ingresses(run.site)
            await run.report.step("ingress", "done" if well else "failed", told)
    try:
        reply = await run.site.clients.web(run.site.tier).get(MAIN, run.site.environment.health_path)
        await run.report.step("health", "done" if reply.status == 200 else "failed", f"HTTP {reply.status}")
    except CouldNotLookError as error:
        await run.report.step("health", "failed", str(error))


async def judge_rollback(run: Run) -> End:
    """Say whether what runs is the recorded good revision again."""
    run.site.patience.bound_s = JUDGING_S
    good = run.good
    assert good is not None
    try:
        revisions = await history(run.site)
        newest = _newest(revisions)
        if newest is None or newest.number <= run.before:
            return _never_began(run, newest)
        # What failed doesn't become ready by waiting for it.
        failed = newest.status == HelmStatus.FAILED
        live = await (_now(run) if failed else settled(run, dict(good.images)))
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(ROLLBACK,))
    same = newest.manifest_sha == good.manifest_sha
    await run.report.step("manifest", "done" if same else "failed", "equal" if same else "differs")
    await run.report.step("pods", "done" if live.settled else "failed", live.words)
    if not live.settled:
        await tell_why(run, live)
    return await _judged_back(run, good, newest, live, same=same)


def _never_began(run: Run, newest: Revision | None) -> End:
    still = f", and {newest.words} is still the newest" if newest is not None else ""
    why = f": {run.report.last_error}" if run.report.last_error else ""
    return End(
        State.FAILED, f"helm created no revision: nothing was rolled back{still}{why}", offers=(ROLLBACK,)
    )


def _failed_back(run: Run, good: GoodRevision, newest: Revision, live: Live) -> End:
    """Say that a rollback failed, in helm's words, and what runs; that some of it may be back changes no word."""
    hook = newest.failed_hook()
    why = f"hook {hook} failed" if hook else newest.description or run.report.last_error
    images = dict(good.images)
    runs = live.differs(images)
    now = f"its images run, {live.words}" if images and not runs else runs or live.words
    return End(
        State.FAILED,
        f"the rollback to revision {good.number} failed ({newest.words}): {why}. What runs now: {now}",
        newest.number,
        (ROLLBACK,),
    )


async def _judged_back(run: Run, good: GoodRevision, newest: Revision, live: Live, *, same: bool) -> End:
    images = dict(good.images)
    back = same and live.settled and (live.runs(images) or not images)
    if newest.pending:
        message = f"the objects of revision {good.number} are back, but " if back else ""
        why = (
            f"hook {newest.failed_hook()} failed"
            if newest.failed_hook()
            else "a hook failed or helm was killed"
        )
        clear = " without hooks" if back else ""
        return End(
            State.UNKNOWN,
            f"{message}{newest.words}: {why}; a rollback to the same revision{clear} clears it",
            newest.number,
            (ROLLBACK,),
        )
    if newest.status == HelmStatus.FAILED:
        return _failed_back(run, good, newest, live)
    try:
        drift = await _drift(run, newest.manifest)
    except CouldNotLookError as error:
        drift = [str(error)]
    if newest.status == HelmStatus.DEPLOYED and back and not drift:
        await tell_well(run)
        message = f"revision {good.number} runs again (as revision {newest.number}), verified live"
        return End(State.SUCCEEDED, message, newest.number)
    why = "the manifest differs" if not same else live.differs(images) or (drift[0] if drift else live.words)
    return End(
        State.FAILED,
        f"{_went(newest)}, but not verified as revision {good.number}: {newest.status}, {why}",
        newest.number,
        (ROLLBACK,),
    )


def _went(newest: Revision) -> str:
    """Return what helm did, in words: only a revision that is deployed was rolled back to."""
    return "rolled back" if newest.status == HelmStatus.DEPLOYED else f"helm made {newest.words}"


async def _now(run: Run) -> Live:
    return await look(run.site.kube, run.site.namespace, run.site.release, run.site.clock.wall_us())


async def settled(run: Run, images: Mapping[str, str]) -> Live:
    """Return what runs, once it is settled with these images, a minute has passed, or somebody aborts."""
    site = run.site
    until = site.clock.mono_us() + int(_SETTLE_S * SECOND_US)
    while True:
        live = await _now(run)
        if (live.settled and (live.runs(images) or not images)) or site.clock.mono_us() >= until:
            return live
        if run.abort.is_set():
            return live
        await run.pause(_LOOK_S)


def _newest(revisions: tuple[Revision, ...]) -> Revision | None:
    return revisions[-1] if revisions else None
