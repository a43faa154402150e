"""Gate 7: a backup before the migration, the migration itself, and what must be true after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.base import Around, Outcome, Settings, check
from checks.clients.errors import MisconfiguredError, NotFoundError
from checks.clients.sql import first_column
from checks.judging import LASTING, STEADY, Findings, key
from state.base.json import JsonObject, obj, objs, path, text
from state.base.text import line
from state.base.times import moment
from state.runbook.units import Seconds
from state.view.enums import OperationKind, OperationState, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.clients.objectstore import StoredObject


class BackupSettings(Settings):
    """Where backups are found."""

    prefix: str | None = None
    """Of objects in the release's bucket."""
    snapshots: bool = False
    """VolumeSnapshots of the namespace count too."""
    max_age: Seconds = 86_400.0
    """Of the newest, before the migration (or now, where none has run)."""
    min_bytes: int = 1024
    """A backup that is smaller is none."""


@check("data.backup", BackupSettings, ttl=LASTING)
async def backup(settings: BackupSettings, around: Around) -> Outcome:
    """Judge that a backup of some size was made shortly before the migration, and not after it."""
    found = Findings()
    migrated = _migration_began(around)
    until = migrated or moment(around.clock.wall_us())
    found.saw("before", until.isoformat(timespec="seconds"))
    made: list[tuple[datetime, str, int]] = []
    if settings.prefix is not None:
        stored = await found.look(around.systems.objectstore(around.tier).objects(settings.prefix)) or ()
        made += _stored(stored)
    if settings.snapshots:
        made += await found.look(_snapshots(around)) or []
    earlier = sorted(one for one in made if one[0] <= until)
    if not earlier:
        what = "before the migration" if migrated else "at all"
        if made or not found.outcome("").evidence.get("not_seen"):
            found.wrong(f"there is no backup {what}")
        return found.outcome("")
    at, name, size = earlier[-1]
    age = until - at
    found.saw("backup", name)
    found.saw("made_at", at.isoformat(timespec="seconds"))
    found.saw("bytes", size)
    minutes = int(age.total_seconds() // 60)
    when = "the migration" if migrated else "now"
    limit = timedelta(seconds=settings.max_age)
    found.need(
        age <= limit,
        f"the newest backup was made {minutes} minutes before {when}; "
        f"expected at most {int(settings.max_age // 60)}",
    )
    found.need(size >= settings.min_bytes, f"backup {name} has {size} bytes")
    return found.outcome(f"backup of {at:%Y-%m-%d %H:%M} UTC, {size} bytes, {minutes} minutes before {when}")


def _migration_began(around: Around) -> datetime | None:
    """Return when the first migration of this launch in the environment was intended, if there was one."""
    begun = [
        operation.intended_us
        for operation in around.view.operations
        if operation.kind == OperationKind.MIGRATE and operation.env == around.tier
    ]
    return moment(min(begun)) if begun else None


def _stored(stored: Iterable[StoredObject]) -> list[tuple[datetime, str, int]]:
    return [(one.modified.astimezone(UTC), one.name, one.size) for one in stored]


async def _snapshots(around: Around) -> list[tuple[datetime, str, int]]:
    kube = around.systems.kube(around.tier)
    listed = await kube.list_objects(
        f"/apis/snapshot.storage.k8s.io/v1/namespaces/{kube.namespace}/volumesnapshots"
    )
    found = []
    for one in listed.items:
        status = obj(one.get("status"))
        at = text(status, "creationTime")
        if status.get("readyToUse") is True and at:
            name = text(obj(one.get("metadata")), "name")
            found.append(
                (datetime.fromisoformat(at), name, 1 << 30)
            )  # a ready snapshot has no zero size to fear
    return found


class MigrationsSettings(Settings):
    """Where the migration's result is found."""

    sql: str | None = None
    """A query for the revision that the database is at; None: the candidate's."""
    job_prefix: str = "db-migrate-"
    """Jobs of migrations; a finished one may be gone already."""
    after_operation: str | None = None
    """An operation of this launch that must have succeeded."""


@check("data.migrations", MigrationsSettings, ttl=STEADY)
async def migrations(settings: MigrationsSettings, around: Around) -> Outcome:
    """Judge that the database is at exactly the candidate's head, and that the job which did it succeeded."""
    found = Findings()
    migration = around.runbook.candidate.migration
    if migration is None:
        raise MisconfiguredError("the runbook's candidate has no migration; expected candidate.migration")
    head = migration.head
    rows = await found.look(around.systems.sql(around.tier).rows(settings.sql or migration.sql))
    if rows is not None:
        heads = first_column(rows)
        found.saw("heads", list(heads))
        found.saw("expected", head)
        if len(heads) != 1:
            shown = ", ".join(heads) or "none"
            found.wrong(f"the database has {len(heads)} revisions ({shown}); expected exactly one, {head}")
        else:
            found.need(heads[0] == head, f"the database is at {heads[0]}; expected {head}")
    jobs = await found.look(_jobs(settings, around))
    if jobs:
        newest = max(jobs, key=lambda job: text(obj(job.get("metadata")), "creationTimestamp"))
        _job(newest, found)
    if settings.after_operation is not None:
        _operation(settings.after_operation, around, found)
    return _told_early(found.outcome(f"the database is at {head}, and only there"), around)


def _told_early(outcome: Outcome, around: Around) -> Outcome:
    """Return an outcome whose summary says so where this launch has yet to migrate; its verdict stays."""
    view = around.view
    meant = [o.id for o in view.operation_specs if o.kind == OperationKind.MIGRATE and o.env == around.tier]
    if outcome.verdict is Verdict.PASS or not meant or _migration_began(around) is not None:
        return outcome
    return replace(outcome, summary=line(f"not migrated yet: run {meant[0]} ({outcome.summary})", 400))


def _migrated(around: Around) -> bool:
    """Return whether a migration succeeded in this launch in the environment."""
    return any(
        o.kind == OperationKind.MIGRATE and o.env == around.tier and o.state is OperationState.SUCCEEDED
        for o in around.view.operations
    )


async def _jobs(settings: MigrationsSettings, around: Around) -> list[JsonObject]:
    kube = around.systems.kube(around.tier)
    listed = await kube.list_objects(f"/apis/batch/v1/namespaces/{kube.namespace}/jobs")
    return [
        job for job in listed.items if text(obj(job.get("metadata")), "name").startswith(settings.job_prefix)
    ]


def _job(job: JsonObject, found: Findings) -> None:
    name = text(obj(job.get("metadata")), "name")
    states = {
        text(one, "type")
        for one in objs(path(job, ("status", "conditions")))
        if text(one, "status") == "True"
    }
    found.saw("job", name)
    found.saw("job_uid", text(obj(job.get("metadata")), "uid"))
    found.saw("job_state", sorted(states))
    if "Failed" in states:
        found.wrong(f"migration job {name} failed")
    elif "Complete" not in states:
        found.blind(f"migration job {name} has not finished")


def _operation(operation_id: str, around: Around, found: Findings) -> None:
    done = around.view.last_operation(operation_id)
    state = done.state.value if done is not None else "never run"
    found.saw("operation", f"{operation_id}: {state}")
    if done is None:
        found.blind(f"{operation_id} has not been run in this launch")
    else:
        found.need(state == "succeeded", f"{operation_id} is {state}; expected succeeded")


class Query(Settings):
    """A query for one number."""

    id: str
    """Its name in the evidence."""
    sql: str
    """It may only read."""
    at_least: int | None = None
    """The smallest number that is right."""
    equals: int | None = None
    """The only number that is right."""
    dialect: str | None = None
    """Only where the database is of this kind, for example ``postgresql``."""


class SmokeSettings(Settings):
    """What must be there after the migration."""

    tables: tuple[str, ...] = ()
    """Tables that must be there."""
    columns: tuple[str, ...] = ()
    """``table.column``: being at head does not prove that the schema fits the models."""
    queries: tuple[Query, ...] = ()
    """Queries for one number each."""


@check("data.smoke", SmokeSettings, ttl=STEADY)
async def smoke(settings: SmokeSettings, around: Around) -> Outcome:
    """Judge by read-only queries that the migrated schema has what the application needs."""
    found = Findings()
    database = around.systems.sql(around.tier)
    tables = await found.look(database.tables())
    if tables is not None:
        missing = sorted(set(settings.tables) - tables)
        found.saw("missing_tables", list(missing))
        for table in missing:
            found.wrong(f"table {table} is missing")
    although = " although the migration ran" if _migrated(around) else ""
    for dotted in settings.columns:
        table, _, column = dotted.rpartition(".")
        columns = await found.look(database.columns(table))
        if columns is not None:
            found.saw(key(dotted), "there" if column in columns else "missing")
            found.need(column in columns, f"column {dotted} is missing{although}")
    for one in settings.queries:
        await _query(one, around, found)
    count = len(settings.tables) + len(settings.columns) + len(settings.queries)
    good = f"{count} tables, columns and queries are as the application needs them"
    return _told_early(found.outcome(good), around)


async def _query(one: Query, around: Around, found: Findings) -> None:
    database = around.systems.sql(around.tier)
    if one.dialect is not None and await database.dialect() != one.dialect:
        found.saw(key(one.id), f"only for {one.dialect}")
        return
    try:
        value = await database.scalar(one.sql)
    except NotFoundError as error:
        found.wrong(f"{one.id}: {error}")
        return
    number = value if isinstance(value, int) else None
    found.saw(key(one.id), number)
    if number is None:
        found.blind(f"{one.id} gave no whole number")
    elif one.at_least is not None and number < one.at_least:
        found.wrong(f"{one.id} is {number}; expected at least {one.at_least}")
    elif one.equals is not None and number != one.equals:
        found.wrong(f"{one.id} is {number}; expected {one.equals}")
