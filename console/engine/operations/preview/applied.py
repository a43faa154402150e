"""What helm would apply, looked at: what changes, which fields it takes from others, and whether it may."""

from __future__ import annotations

from checks.base import CouldNotLookError
from console.engine.operations.access.permissions import refused
from console.engine.operations.access.taken_fields import taken
from console.engine.operations.preview import diff as differing
from console.engine.operations.preview.approvals import register_rendered
from console.engine.operations.preview.finding import Finding, blind, fails, passes, unseen
from console.engine.operations.preview.preflight import Preflight
from console.engine.operations.run.context import Site
from state.runbook.models import Operation
from state.view.enums import OperationKind
from state.view.launch import GoodRevision
from state.view.locks import WAYS_BACK


async def applied(
    site: Site, operation: Operation, preflight: Preflight, good: GoodRevision | None
) -> list[Finding]:
    """Return what is to be said of what helm would apply; ``good`` is where a rollback goes."""
    target = preflight.rendered.manifest if preflight.rendered is not None else ""
    found: list[Finding] = []
    if operation.kind is OperationKind.ROLLBACK and good is not None:
        target = next((r.manifest for r in preflight.history if r.number == good.number), "")
        register_rendered(target, site.clients.redactor)
        found += await _back(site, operation, preflight, target)
    if target:
        found += await _taken(site, preflight, target)
    try:
        denied = await refused(site, operation, preflight, good)
    except CouldNotLookError as error:
        return [*found, blind(f"whether this account may do it: {error}", operation)]
    if not denied:
        return [*found, passes("RBAC: this account has the permissions needed")]
    # One that may not everything can still be the only one who is there: a way back is not closed by a forecast.
    soft = operation.kind in WAYS_BACK
    return [*found, fails(f"this account may not {', '.join(denied)}", soft=soft)]


async def _back(site: Site, operation: Operation, preflight: Preflight, target: str) -> list[Finding]:
    """Compare what is recorded of the newest revision with that to which a rollback goes, and with what is live."""
    now = preflight.newest.manifest if preflight.newest is not None else target
    try:
        preflight.diff = await differing.compare(site, now, target)
    except CouldNotLookError as error:
        return [blind(f"what changes: {error}", operation)]
    return [passes(preflight.diff.words)]


async def _taken(site: Site, preflight: Preflight, target: str) -> list[Finding]:
    try:
        lines = await taken(site, target)
    except CouldNotLookError as error:
        return [unseen(f"which fields others have taken could not be seen: {error}", soft=True, noted=True)]
    version, newest = preflight.version, preflight.newest
    forced = version is not None and version.major >= 4 and (newest is None or newest.by_server)
    how = " (by --force-conflicts)" if forced else ""
    return [passes(f"helm takes a field back{how}: {one}") for one in lines]
