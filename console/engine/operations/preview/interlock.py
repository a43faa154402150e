"""The way back after a migration: closed, unless one of four keys opens it.

Rolling back the programs doesn't roll back the schema. The old version on a new schema is how an automatic
rollback made an outage out of a failed deploy (evoila/meho #1607).
"""

from __future__ import annotations

from checks.base import CouldNotLookError
from checks.clients.sql import first_column
from console.engine.operations.run.context import Run, Site
from state.base.text import line
from state.view.enums import OperationKind, OperationState, StepState, Tier
from state.view.launch import LaunchView, OperationView

READY_BEFORE = "old version ready on the new schema"
"""The step of a deploy that proves a declared compatibility."""
SCHEMA_BEFORE = "schema before"
"""The step that names the revision to which a way down, or a backup, leads back."""


def migrated(view: LaunchView, site: Site) -> OperationView | None:
    """Return the operation that migrated this environment in this launch, or may have, or None."""
    kind = OperationKind.DEPLOY if migrates_by_hook(site) else OperationKind.MIGRATE
    ran = [
        o for o in view.operations if o.env == site.tier and o.kind == kind and o.started_us and _may_have(o)
    ]
    return ran[-1] if ran else None


def migrates_by_hook(site: Site) -> bool:
    """Return whether the chart's own hook migrates, in the deploy."""
    migration = site.runbook.candidate.migration
    return migration is not None and migration.by == "hook"


def _may_have(operation: OperationView) -> bool:
    never = {s.name for s in operation.steps if s.state is StepState.SKIPPED}
    return "job" not in never


async def interlock(view: LaunchView, site: Site) -> tuple[str, str]:
    """Return (why a rollback is closed, or nothing; which key opens it, or nothing)."""
    migration = migrated(view, site)
    if migration is None:
        return "", ""
    declared = site.runbook.candidate.migration
    compatible = declared is not None and declared.backward_compatible
    if compatible and (proof := _proof(view, site, migration)):
        return "", f"the migration is declared backward compatible, and {proof}"
    schema, why = await schema_now(site)
    before = next(
        (s.detail for s in migration.steps if s.name == SCHEMA_BEFORE and s.state is StepState.DONE), ""
    )
    if schema and schema == before:
        return "", f"the schema is at {schema} again, as it was before {migration.id}"
    now = f"the schema is at {schema}" if schema else f"the schema cannot be seen ({why})"
    message = "not declared backward compatible"
    if compatible:
        message = "declared backward compatible, but that was not proven"
    do = "restore the verified backup first"
    if declared is not None and declared.tested_way_down:
        do = f"take the tested way down to {before or 'the old revision'} first"
    return (
        f"{migration.id} ran and is {message}; {now}: the old version may not start on it, and a rollback would "
        f"turn a failed deploy into an outage. Either {do}, or override with a second person"
    ), ""


async def schema_step(run: Run) -> None:
    """Record at which revision the schema is before it is migrated; that it can't be seen stops nothing."""
    schema, why = await schema_now(run.site)
    await run.report.step(SCHEMA_BEFORE, "done" if schema else "failed", schema or why)


def _proof(view: LaunchView, site: Site, migration: OperationView) -> str:
    """Return how it was seen that the old version works on the migrated schema, or nothing.

    Seen here: a deploy found it ready after the migration. Or in staging: a rollback after the migration was
    verified live.
    """
    for operation in view.operations:
        after = (
            operation.seq > migration.seq
            and operation.env == site.tier
            and operation.kind == OperationKind.DEPLOY
        )
        if after and any(s.name == READY_BEFORE and s.state is StepState.DONE for s in operation.steps):
            return f"the old version was seen ready on the new schema before {operation.id}"
    staged = next(
        (
            o
            for o in view.operations
            if o.env == Tier.STAGING and o.kind == OperationKind.MIGRATE and o.started_us
        ),
        None,
    )
    for operation in view.operations:
        back = operation.kind == OperationKind.ROLLBACK and operation.env == Tier.STAGING
        if staged and back and operation.seq > staged.seq and operation.state is OperationState.SUCCEEDED:
            return "staging was rolled back on the migrated schema"
    return ""


async def schema_now(site: Site) -> tuple[str, str]:
    """Return (the schema's revision, or nothing; why it cannot be told)."""
    migration = site.runbook.candidate.migration
    if migration is None:
        return "", "the runbook names no migration"
    try:
        rows = await site.clients.sql(site.tier).rows(migration.sql)
    except CouldNotLookError as error:
        return "", line(str(error), 160)
    found = sorted(first_column(rows))
    return (found[0], "") if len(found) == 1 else ("", f"it has {len(found)} revisions")
