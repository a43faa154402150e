"""Where a rollback goes, and what stands against it."""

from __future__ import annotations

from console.engine.operations.preview.diff import going_back
from console.engine.operations.preview.finding import Finding, fails, passes, unseen
from console.engine.operations.preview.interlock import interlock
from console.engine.operations.preview.manifest import images_of
from console.engine.operations.preview.preflight import Preflight
from console.engine.operations.run.context import Site
from console.engine.operations.verdict.helm_history import Revision
from state.base.times import SECOND_US
from state.runbook.models import Operation
from state.view.enums import OperationKind, OperationState, Tier, Verdict
from state.view.first_launch import uninstall_of, way_out
from state.view.launch import GoodRevision, LaunchView, OperationView

_MARGIN_S = 60


def good_of(view: LaunchView, operation: Operation, preflight: Preflight) -> GoodRevision | None:
    """Return the revision to go back to, which is never "the one before".

    The one that the newest deploy of this launch recorded. Without such a deploy: the newest revision in
    helm's history that was ever installed completely. And where there is only a first install that never
    ended: that one itself, so that helm finishes it; nothing is deleted.
    """
    if operation.kind is not OperationKind.ROLLBACK:
        return preflight.recorded()
    recorded = next(
        (o.good for o in reversed(_deploys(view, operation.env.value)) if o.good is not None), None
    )
    if recorded is not None:
        return recorded
    if preflight.good is not None:
        return _as_good(preflight.good)
    newest = preflight.newest
    if newest is not None and newest.number == 1 and newest.pending:
        return _as_good(newest)
    return None


async def back_findings(
    view: LaunchView, site: Site, operation: Operation, preflight: Preflight
) -> list[Finding]:
    """Return what is to be said of a rollback: its target, and whether something stands against it."""
    good = good_of(view, operation, preflight)
    newest = preflight.newest
    if newest is None and preflight.empty:
        return [fails("helm's history is empty: there is nothing to go back to")]
    if good is None and newest is None:
        words = "helm's history could not be seen, and this launch recorded no revision to go back to"
        return [unseen(words)]
    if good is None:
        away = f": {uninstall_of(operation.env)} takes it away" if way_out(view, operation.env) else ""
        return [fails(f"no revision was ever installed completely: there is nothing to go back to{away}")]
    if newest is None:
        found = [passes(_target(view, good, operation, itself=False))]
        return [*found, *await _interlocked(view, site)]
    itself = newest.number == good.number and newest.pending
    if newest.number <= good.number and not itself:
        message = (
            f"revision {newest.number} is the good one: no newer revision exists, a rollback would undo it"
        )
        if way_out(view, operation.env):
            message += f". It was this launch's first install: {uninstall_of(operation.env)} takes it away"
        return [fails(message)]
    if good.number not in {r.number for r in preflight.history}:
        return [fails(f"good revision {good.number} is no longer in helm's history")]
    target = next(r for r in preflight.history if r.number == good.number)
    preflight.diff = await going_back(site, newest.manifest, target.manifest)
    found = [passes(_target(view, good, operation, itself=itself))]
    foreign = _foreign(view, site, newest)
    if foreign:
        found.append(fails(foreign))
    return [*found, *await _interlocked(view, site)]


async def _interlocked(view: LaunchView, site: Site) -> list[Finding]:
    closed, key = await interlock(view, site)
    if closed:
        return [fails(closed, soft=True)]
    return [passes(key)] if key else []


def seen_failing(view: LaunchView, env: str) -> frozenset[int]:
    """Return the revisions that deploys of this launch made and saw fail, whatever helm calls them."""
    return frozenset(
        o.revision
        for o in _deploys(view, env)
        if o.state in {OperationState.FAILED, OperationState.ABORTED}
        and o.revision > (o.good.number if o.good is not None else 0)
    )


def away_findings(view: LaunchView, site: Site, preflight: Preflight) -> list[Finding]:
    """Return what is to be said of taking a release away: only a first install that has nothing to go back to."""
    if preflight.newest is None:
        return [fails("helm's history is empty, or cannot be seen: there is nothing to uninstall")]
    if preflight.newest.pending:
        return [fails(f"{preflight.newest.words}: recover it with a rollback to itself first")]
    mine = {o.revision for o in _deploys(view, site.tier.value) if o.good is None}
    older = [one.words for one in preflight.history if one.good and one.number not in mine]
    if older:
        return [
            fails(f"{older[-1]} was complete before this launch: roll back to it, nothing is uninstalled")
        ]
    return [passes(f"{preflight.newest.words}: a first install, there is no revision to go back to")]


def not_first(view: LaunchView, operation: Operation, preflight: Preflight, now_us: int) -> list[Finding]:
    """Return what stands against a promotion where something is deferred and a release is there after all."""
    promotes = operation.kind is OperationKind.DEPLOY and operation.env is Tier.PRODUCTION
    if not promotes or preflight.first:
        return []
    waiting = [
        item.id
        for gate in view.gates
        for item in gate.items
        if any(check.counts and check.at(now_us) is Verdict.DEFERRED for check in item.checks)
    ]
    if not waiting:
        return []
    return [
        fails(f"this is no first launch: a release is there, and {', '.join(waiting)} must be judged on it")
    ]


def _target(view: LaunchView, good: GoodRevision, operation: Operation, *, itself: bool) -> str:
    if itself:
        return f"revision {good.number} is a first install that never ended: helm is made to finish it"
    recorded = any(o.good is not None for o in _deploys(view, operation.env.value))
    where = "recorded by this launch" if recorded else "the newest in helm's history that was ever complete"
    return f"goes back to revision {good.number}: {where}"


def _foreign(view: LaunchView, site: Site, newest: Revision) -> str:
    """Return why a pending revision must be left alone for now, or nothing.

    One that an operation of this launch left behind has no helm any more. Another's may still be at work:
    its timeout counts for the hooks before, the objects and the hooks after.
    """
    if not newest.pending or _ours(view, site, newest):
        return ""
    timeout = max((o.timeout for o in site.runbook.operations if o.env is site.tier), default=600.0)
    age = (site.clock.wall_us() - newest.deployed_us) / SECOND_US
    wait = 3 * timeout + _MARGIN_S - age
    if wait <= 0:
        return ""
    return (
        f"{newest.words} is not of this launch, and began {age:.0f} s ago: somebody's helm may still work on it. "
        f"It is left alone for another {wait:.0f} s"
    )


def _ours(view: LaunchView, site: Site, newest: Revision) -> bool:
    """Return whether an operation of this launch left it: its end names the revision, or could not see it."""
    mine = [o for o in view.operations if o.env == site.tier and o.pid]
    unseen = bool(mine) and mine[-1].state is OperationState.UNKNOWN and not mine[-1].revision
    return unseen or any(o.revision == newest.number for o in mine)


def _deploys(view: LaunchView, env: str) -> list[OperationView]:
    return [o for o in view.operations if o.env == env and o.kind == OperationKind.DEPLOY]


def _as_good(revision: Revision) -> GoodRevision:
    return GoodRevision(revision.number, revision.status, revision.manifest_sha, images_of(revision.manifest))
