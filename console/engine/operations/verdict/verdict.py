"""What an operation came to: read from history and live objects, never from an exit code (docs/operations.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from checks.base import CouldNotLookError
from checks.clients.helm_release import HelmStatus
from checks.clients.http import MAIN
from console.engine.operations.access.patience import JUDGING_S
from console.engine.operations.compare.drift import drift_of
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.output import End
from console.engine.operations.verdict.half_applied import applied
from console.engine.operations.verdict.helm_history import Revision, history
from console.engine.operations.verdict.pod_diagnosis import tell_well, tell_why
from console.engine.operations.verdict.settling import look_now, settled
from console.engine.operations.verdict.workloads import Live
from state.base.json import obj, objs, path, text
from state.base.numbers import plural
from state.runbook.helm_commands import looked_at
from state.view.enums import OperationState as State
from state.view.launch import GoodRevision

_BUSY = "another operation (install/upgrade/rollback) is in progress"
ROLLBACK, RETRY, UNINSTALL = "rollback", "retry", "uninstall"


async def judge_deploy(run: Run) -> End:
    """Say what a deploy came to, and what may be done next."""
    run.site.patience.bound_s = JUDGING_S
    recorded = run.good.number if run.good is not None else 0
    # A first install has no revision to go back to: it is tried again, or taken away.
    back = (ROLLBACK, RETRY) if recorded else (RETRY, UNINSTALL)
    try:
        revisions = await history(run.site)
        newest = _newest(revisions)
        if newest is None or newest.number <= run.before:
            return _nothing(run, newest, recorded)
        if _somebody_elses(run, newest):
            return End(
                State.FAILED,
                f"nothing was changed by this: {newest.words} is somebody else's work ({newest.description})",
                offers=(RETRY,),
            )
        if newest.pending:
            return await _stuck(run, revisions, recorded)
        expected = run.site.runbook.candidate.images.named()
        # what failed doesn't become ready by waiting for it
        deployed = newest.status == HelmStatus.DEPLOYED
        live = await (settled if deployed else _at_once)(run, newest.manifest, expected)
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(RETRY, ROLLBACK))
    await run.report.step("pods", "done" if live.settled else "failed", live.words)
    reason = "" if live.settled else await tell_why(run, live)
    if newest.status != HelmStatus.DEPLOYED:
        return await _failed(run, revisions, live, back, reason)
    return await _deployed(run, newest, live, back, reason)


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


async def _stuck(run: Run, revisions: Sequence[Revision], recorded: int) -> End:
    newest, half = revisions[-1], await _half(run, revisions)
    await run.report.step("release", "failed", newest.words)
    way = f"is rolled back to revision {recorded}" if recorded else "is finished by a rollback to itself"
    return End(
        State.UNKNOWN,
        f"{newest.words}, and its helm is gone{half}: helm refuses another operation until the release {way}",
        newest.number,
        (ROLLBACK,),
    )


async def _failed(
    run: Run, revisions: Sequence[Revision], live: Live, back: tuple[str, ...], reason: str
) -> End:
    state, newest = State.ABORTED if run.abort.is_set() else State.FAILED, revisions[-1]
    hook = newest.failed_hook()
    why = f"hook {hook} failed" if hook else run.report.quoted(newest.description)
    # Of a rollout that wasn't ready in time helm only says that the time is over.
    why += f"; {reason}" if reason and not hook else ""
    still = await _half(run, revisions) or await _still(run, revisions)
    if run.good is None:
        still = f"; a first install: there is no revision to go back to. {_standing(live)}"
    return End(state, f"{newest.words}: {why}{still}", newest.number, back)


async def _half(run: Run, revisions: Sequence[Revision]) -> str:
    """Return that only a part of the newest revision is applied, and which; nothing where all or none is."""
    before = next((r for r in reversed(revisions) if r.number <= run.before), None)
    if before is None:
        return ""
    try:
        half = (await applied(run.site, before.manifest, revisions[-1].manifest)).words
    except CouldNotLookError:
        return ""  # the verdict stands without it
    if half:
        await run.report.step("objects", "failed", half)
    return f"; {half}" if half else ""


async def _still(run: Run, revisions: Sequence[Revision]) -> str:
    """Return that the good revision runs as before, in words, or nothing where it doesn't or can't be seen."""
    good = run.good
    recorded = next((r for r in revisions if good is not None and r.number == good.number), None)
    if good is None or recorded is None:
        return ""
    try:
        live = await look_now(run, recorded.manifest, dict(good.images))
    except CouldNotLookError:
        return ""
    whole = live.settled and live.runs(good.by_container)
    return f"; what runs is still revision {good.number}" if whole else ""


def _standing(live: Live) -> str:
    """Return what a failed first install left in the cluster, in words."""
    return f"What stands there: {live.words}" if live.pods or live.wanted else "No pod of it runs"


async def _deployed(run: Run, newest: Revision, live: Live, back: tuple[str, ...], reason: str) -> End:
    expected = run.site.runbook.candidate.images.named()
    differs = live.differs(expected)
    if differs and not live.settled and reason:
        # The reason first: that the old version still runs follows from it.
        message = f"{newest.words}, but {live.words}; {reason}"
        return End(State.ABORTED if run.abort.is_set() else State.FAILED, message, newest.number, back)
    if differs:
        await run.report.step("images", "failed", differs)
        message = f"{newest.words}, but what runs is not the candidate: {differs}"
        return End(State.FAILED, message, newest.number, back)
    equal = ", ".join(f"{name} {digest[7:19]}" for name, digest in live.images if name in expected)
    await run.report.step("images", "done", f"equal to the candidate: {equal}")
    if not live.settled:
        message = f"{newest.words}, but not every pod is ready: {live.words}"
        message += f"; {reason}" if reason else ""
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
    """Record where live objects aren't what helm recorded, and return what fails: what others own is only told."""
    drift = await drift_of(run.site, manifest)
    failing, told = drift.failing, drift.told
    message = (
        f"{plural(len(failing), 'field differs', 'fields differ')}: {'; '.join(failing[:3])}"
        if failing
        else "live is what helm recorded"
    )
    if told:
        message += f"; set by others: {'; '.join(told[:3])}{_more(told)}"
    if drift.by_type:
        message += f"; compared by type, because the cluster doesn't say: {drift.by_type[0]}{_more(drift.by_type, 1)}"
    await run.report.step("objects", "failed" if failing else "done", message)
    return failing


def _more(told: Sequence[str], shown: int = 3) -> str:
    return f" and {len(told) - shown} more" if len(told) > shown else ""


async def _reachable(run: Run) -> None:
    """Record ingress and health (SOP helm command 5); an item of the runbook judges them."""
    if "ingress" in looked_at(run.site.runbook.helm_commands):
        with contextlib.suppress(CouldNotLookError):
            well, told = await _ingresses(run.site)
            await run.report.step("ingress", "done" if well else "failed", told)
    try:
        reply = await run.site.clients.web(run.site.tier).get(MAIN, run.site.environment.health_path)
        await run.report.step("health", "done" if reply.status == 200 else "failed", f"HTTP {reply.status}")
    except CouldNotLookError as error:
        await run.report.step("health", "failed", str(error))


async def _ingresses(site: Site) -> tuple[bool, str]:
    """Return whether every ingress of the release has an address, and what there is in words."""
    query = {"labelSelector": f"app.kubernetes.io/instance={site.release}"}
    where = f"/apis/networking.k8s.io/v1/namespaces/{site.namespace}/ingresses"
    found = (await site.kube.list_objects(where, query)).items
    bare = [
        text(obj(one.get("metadata")), "name")
        for one in found
        if not objs(path(one, ("status", "loadBalancer", "ingress")))
    ]
    if bare:
        return False, f"{bare[0]} has no address yet"
    hosts = [text(rule, "host") for one in found for rule in objs(path(one, ("spec", "rules")))]
    return True, ", ".join(hosts) or "none"


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
        waits = newest.status != HelmStatus.FAILED
        live = await (settled if waits else _at_once)(run, newest.manifest, good.by_container)
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(ROLLBACK,))
    same = newest.manifest_sha == good.manifest_sha
    await run.report.step("manifest", "done" if same else "failed", "equal" if same else "differs")
    await run.report.step("pods", "done" if live.settled else "failed", live.words)
    reason = "" if live.settled else await tell_why(run, live)
    return await _judged_back(run, newest, live, reason, same=same)


async def _at_once(run: Run, manifest: str, images: Mapping[str, str]) -> Live:
    return await look_now(run, manifest, images)


def _never_began(run: Run, newest: Revision | None) -> End:
    still = f", and {newest.words} is still the newest" if newest is not None else ""
    why = f": {run.report.last_error}" if run.report.last_error else ""
    return End(
        State.FAILED, f"helm created no revision: nothing was rolled back{still}{why}", offers=(ROLLBACK,)
    )


def _failed_back(run: Run, good: GoodRevision, newest: Revision, live: Live, reason: str) -> End:
    """Say that a rollback failed, in helm's words, and what runs; that some of it may be back changes no word."""
    hook = newest.failed_hook()
    why = f"hook {hook} failed" if hook else newest.description or run.report.last_error
    images = good.by_container
    runs = live.differs(images)
    now = f"its images run, {live.words}" if images and not runs else runs or live.words
    now += f"; {reason}" if reason else ""
    return End(
        State.FAILED,
        f"the rollback to revision {good.number} failed ({newest.words}): {why}. What runs now: {now}",
        newest.number,
        (ROLLBACK,),
    )


async def _judged_back(run: Run, newest: Revision, live: Live, reason: str, *, same: bool) -> End:
    good = run.good
    assert good is not None
    images = good.by_container
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
        return _failed_back(run, good, newest, live, reason)
    try:
        drift = await _drift(run, newest.manifest)
    except CouldNotLookError as error:
        drift = [str(error)]
    if newest.status == HelmStatus.DEPLOYED and back and not drift:
        await tell_well(run)
        message = f"revision {good.number} runs again (as revision {newest.number}), verified live"
        return End(State.SUCCEEDED, message, newest.number)
    why = "the manifest differs" if not same else reason or live.differs(images)
    why = why or (drift[0] if drift else live.words)
    return End(
        State.FAILED,
        f"{_went(newest)}, but not verified as revision {good.number}: {newest.status}, {why}",
        newest.number,
        (ROLLBACK,),
    )


def _went(newest: Revision) -> str:
    """Return what helm did, in words: only a revision that is deployed was rolled back to."""
    return "rolled back" if newest.status == HelmStatus.DEPLOYED else f"helm made {newest.words}"


def _newest(revisions: tuple[Revision, ...]) -> Revision | None:
    return revisions[-1] if revisions else None
