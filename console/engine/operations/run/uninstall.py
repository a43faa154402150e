"""Uninstall: the way out of a first install that has no revision to go back to; never by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from checks.base import CouldNotLookError
from checks.clients.kube_object import name_of
from checks.workloads import INSTANCE
from console.engine.operations.access.patience import JUDGING_S
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.deploy import lease_step, run_helm
from console.engine.operations.run.output import End
from console.engine.operations.verdict.helm_history import history
from console.engine.operations.verdict.verdict import UNINSTALL
from console.engine.operations.verdict.workloads import look
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.view.enums import OperationState as State

_SETTLE_S = 120.0
_LOOK_S = 2.0
HELM = "helm uninstall"


async def uninstall(run: Run, argv: Sequence[str]) -> End:
    """Take the release away and see what is left of it."""
    with suppress(CouldNotLookError):  # the label says it then
        revisions = await history(run.site)
        run.owns = revisions[-1].manifest if revisions else None
    held = await lease_step(run)
    if held:
        return End(State.FAILED, f"nothing was changed: {held}", offers=(UNINSTALL,))
    await run_helm(run, argv, HELM)
    return await judge_uninstalled(run)


async def judge_uninstalled(run: Run) -> End:
    """Say whether helm's records and the release's pods are gone, and what stays."""
    site = run.site
    site.patience.bound_s = JUDGING_S
    until = site.clock.mono_us() + int(_SETTLE_S * SECOND_US)
    try:
        while left := await _left(run):
            if site.clock.mono_us() >= until or run.abort.is_set():
                return End(State.FAILED, f"not wholly uninstalled: {left}", offers=(UNINSTALL,))
            await run.report.step("release", "running", left)
            await run.pause(_LOOK_S)
        kept = await _volumes(site)
    except CouldNotLookError as error:
        return End(State.UNKNOWN, f"what it came to cannot be seen: {error}", offers=(UNINSTALL,))
    await run.report.step("pods", "done", "none is left")
    await run.report.step("release", "done", "no record is left")
    return End(
        State.SUCCEEDED,
        f"{site.release} is uninstalled: namespace {site.namespace} and its own secrets are there{kept}; "
        "the database is as it was left",
    )


async def _left(run: Run) -> str:
    """Return what is still there of a release, or nothing."""
    site = run.site
    revisions = await history(site)
    if revisions:
        return f"helm still has {revisions[-1].words}"
    live = await look(site.kube, site.namespace, site.release, run.owns, site.clock.wall_us())
    return f"{plural(live.pods, 'pod')} still there" if live.pods else ""


async def _volumes(site: Site) -> str:
    where = f"/api/v1/namespaces/{site.namespace}/persistentvolumeclaims"
    claims = await site.kube.list_objects(where, {"labelSelector": f"{INSTANCE}={site.release}"})
    names = [name_of(one) for one in claims.items]
    return f"; {plural(len(names), 'volume claim')} stay: {', '.join(names[:5])}" if names else ""
