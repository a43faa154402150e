"""A backup before the migration, the migration itself, and what must be true after it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, NothingRunsError, Outcome, Settings, check
from checks.clients.errors import MisconfiguredError, NotFoundError
from checks.clients.sql import first_column
from checks.data_places import databases_of
from checks.guides import deliveries
from checks.judging import LASTING, STEADY, Findings, key
from checks.workloads import config_values
from state.base.json import JsonObject, obj, objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.base.times import micros_of, moment
from state.runbook.units import Seconds
from state.view.enums import After, OperationKind, OperationState, Tier, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.clients.objectstore import StoredObject


_ONE_RUN: Final = timedelta(hours=6)
"""Parts of one backup are written within so long."""


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
    names: tuple[str, ...] = (
        *(
            "*.dump",
            "*.sql",
            "*.bak",
            "*.backup",
            "*.pgdump",
            "*.custom",
            "*.tar",
            "*.tgz",
            "*.rdb",
            "*.bson",
        ),
        *("*.gz", "*.zst", "*.lz4", "*.xz", "*.bz2", "*.zip", "*.gpg", "*.age", "*.enc", "*.xbstream"),
    )
    """What backups are called: patterns on an object's last part. Everything else beside them is none."""
    no_backup: tuple[str, ...] = (
        "*.log.*",
        "*/restore-test/*",
        "*/tmp/*",
        "*.partial",
        "*.incomplete",
        "*.part",
    )
    """Patterns on whole names that say: no backup, or not yet."""
    shrunk: int = 5
    """A backup so many times smaller than the one before is not whole; 0: not compared."""


@check("data.backup", BackupSettings, guide=deliveries.BACKUP, ttl=LASTING)
async def backup(settings: BackupSettings, context: CheckContext) -> Outcome:
    """Judge that a backup of some size was made shortly before the migration, and not after it."""
    findings = Findings()
    migrated = _migration_began(context)
    until = migrated or moment(context.clock.wall_us())
    findings.saw("before", until.isoformat(timespec="seconds"))
    made: list[tuple[datetime, str, int]] = []
    if settings.prefix is not None:
        stored = await findings.look(context.clients.objectstore(context.tier).objects(settings.prefix)) or ()
        made += backups_among(_stored(stored), settings.names, settings.no_backup)
        findings.saw("objects_below_prefix", len(stored))
    if settings.snapshots:
        made += await findings.look(_snapshots(context)) or []
    earlier = sorted(one for one in made if one[0] <= until)
    if not earlier and await _nothing_to_lose(context, findings):
        return findings.outcome(
            "a first launch, and the database has no table yet: there is nothing to back up"
        )
    if not earlier:
        what = "before the migration" if migrated else "at all"
        if made or not findings.outcome("").evidence.get("not_seen"):
            findings.wrong(f"there is no backup {what}")
        return findings.outcome("")
    at, name, size = earlier[-1]
    age = until - at
    findings.saw("backup", name)
    findings.saw("made_at", at.isoformat(timespec="seconds"))
    findings.saw("bytes", size)
    minutes = int(age.total_seconds() // 60)
    when = "the migration" if migrated else "now"
    limit = timedelta(seconds=settings.max_age)
    findings.need(
        age <= limit,
        f"the newest backup was made {minutes} minutes before {when}; "
        f"expected at most {int(settings.max_age // 60)}",
    )
    findings.need(size >= settings.min_bytes, f"backup {name} has {size} bytes")
    before = next((one for one in reversed(earlier[:-1]) if one[2] >= settings.min_bytes), None)
    if before is not None and settings.shrunk:
        findings.saw("bytes_of_the_one_before", before[2])
        findings.need(
            size * settings.shrunk >= before[2],
            f"backup {name} has {size} bytes, and the one before it {before[2]}: it is not whole",
        )
    return findings.outcome(
        f"backup of {at:%Y-%m-%d %H:%M} UTC, {size} bytes, {minutes} minutes before {when}"
    )


async def _nothing_to_lose(context: CheckContext, findings: Findings) -> bool:
    """Return whether this is a first launch that found, or finds, a database without any table."""
    if not context.first():
        return False
    tables = await findings.look(context.clients.sql(context.tier).tables())
    findings.saw("tables", len(tables) if tables is not None else None)
    return tables is not None and not tables


def _migration_began(context: CheckContext) -> datetime | None:
    """Return when the first migration of this launch in the environment was intended, if there was one."""
    begun = [
        operation.intended_us
        for operation in context.view.operations
        if operation.kind == OperationKind.MIGRATE and operation.env == context.tier
    ]
    return moment(min(begun)) if begun else None


def _stored(stored: Iterable[StoredObject]) -> list[tuple[datetime, str, int]]:
    return [(one.modified.astimezone(UTC), one.name, one.size) for one in stored]


def backups_among(
    stored: Iterable[tuple[datetime, str, int]], names: Iterable[str], no_backup: Iterable[str] = ()
) -> list[tuple[datetime, str, int]]:
    """Return what of some objects is a backup: by its name; several parts in one folder are one, as large as all.

    Checksums, signatures, logs and what a restore test wrote lie beside backups and are none.
    """
    patterns, others = tuple(names), tuple(no_backup)
    folders: dict[str, list[tuple[datetime, str, int]]] = {}
    for one in stored:
        name = one[1].lower()
        if any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in patterns) and not any(
            fnmatchcase(name, pattern) for pattern in others
        ):
            folders.setdefault(_family(one[1]), []).append(one)
    found: list[tuple[datetime, str, int]] = []
    for family, parts in folders.items():
        if family and len(parts) > 1:
            newest = max(parts)
            found.append(
                (newest[0], family, sum(size for at, _, size in parts if newest[0] - at <= _ONE_RUN))
            )
        else:
            found += parts
    return found


def _family(name: str) -> str:
    """Return the folder of what is one part of many, by its number; empty for what stands for itself."""
    folder, _, last = name.rpartition("/")
    return (
        folder
        if folder and re.fullmatch(r"(?:part|chunk|base|wal|seg)?[-_.]?\d+(?:\.[\w.]+)?", last.lower())
        else name
    )


async def _snapshots(context: CheckContext) -> list[tuple[datetime, str, int]]:
    kube = context.clients.kube(context.tier)
    listed = await kube.list_objects(
        f"/apis/snapshot.storage.k8s.io/v1/namespaces/{kube.namespace}/volumesnapshots"
    )
    found = []
    for item in listed.items:
        status = obj(item.get("status"))
        at = text(status, "creationTime")
        if status.get("readyToUse") is True and micros_of(at):
            name = text(obj(item.get("metadata")), "name")
            found.append((moment(micros_of(at)), name, 1 << 30))  # a ready snapshot has no zero size to fear
    return found


class MigrationsSettings(Settings):
    """Where the migration's result is found."""

    sql: str | None = None
    """A query for the revision that the database is at; None: the candidate's."""
    job_prefix: str = "db-migrate-"
    """Jobs of migrations; a finished one may be gone already."""
    after_operation: str | None = None
    """An operation of this launch that must have succeeded."""


@check("data.migrations", MigrationsSettings, guide=deliveries.MIGRATIONS, ttl=STEADY, after=(After.MIGRATE,))
async def migrations(settings: MigrationsSettings, context: CheckContext) -> Outcome:
    """Judge that the database is at exactly the candidate's head, and that the job which did it succeeded."""
    findings = Findings()
    migration = context.runbook.candidate.migration
    if migration is None:
        raise MisconfiguredError("the runbook's candidate has no migration; expected candidate.migration")
    if _migrated_by_the_deploy(context):
        raise NothingRunsError("the chart's own hook migrates, in the deploy")
    head = migration.head
    rows = await findings.look(context.clients.sql(context.tier).rows(settings.sql or migration.sql))
    if rows is not None:
        heads = first_column(rows)
        findings.saw("heads", list(heads))
        findings.saw("expected", head)
        if len(heads) != 1:
            shown = ", ".join(heads) or "none"
            findings.wrong(f"the database has {len(heads)} revisions ({shown}); expected exactly one, {head}")
        else:
            findings.need(heads[0] == head, f"the database is at {heads[0]}; expected {head}")
    await platforms_own(context, findings)
    jobs = await findings.look(_jobs(settings, context))
    if jobs:
        newest = max(jobs, key=lambda job: text(obj(job.get("metadata")), "creationTimestamp"))
        _job(newest, findings)
    if settings.after_operation is not None:
        _operation(settings.after_operation, context, findings)
    return _told_early(findings.outcome(f"the database is at {head}, and only there"), context)


async def platforms_own(context: CheckContext, findings: Findings) -> None:
    """Compare the database that the platform is told to use with the other environment's: what we read is ours."""
    if context.first():
        return
    other = Tier.STAGING if context.tier is Tier.PRODUCTION else Tier.PRODUCTION
    ours = databases_of(await findings.look(config_values(context)) or {}, context.environment.kube.namespace)
    findings.saw("databases_of_the_platform", len(ours))
    if not ours or other not in context.runbook.environments or context.first(other):
        return
    namespace = context.runbook.environments[other].kube.namespace
    theirs = databases_of(await findings.look(config_values(context, other)) or {}, namespace)
    for name in sorted(name for name, place in ours.items() if place in theirs.values()):
        findings.wrong(
            f"{name} of {context.tier} leads to {other}'s database, so what was read is not what it uses"
        )


def _migrated_by_the_deploy(context: CheckContext) -> bool:
    """Return whether this is a first launch whose deploy migrates, by a hook."""
    migration = context.runbook.candidate.migration
    return migration is not None and migration.by == "hook" and context.first()


def _told_early(outcome: Outcome, context: CheckContext) -> Outcome:
    """Return an outcome whose summary says so where this launch has yet to migrate; its verdict stays."""
    view = context.view
    meant = [o.id for o in view.operation_specs if o.kind == OperationKind.MIGRATE and o.env == context.tier]
    if outcome.verdict is Verdict.PASS or not meant or _migration_began(context) is not None:
        return outcome
    return replace(outcome, summary=line(f"not migrated yet: run {meant[0]} ({outcome.summary})", 400))


def _migrated(context: CheckContext) -> bool:
    """Return whether a migration succeeded in this launch in the environment."""
    return any(
        o.kind == OperationKind.MIGRATE and o.env == context.tier and o.state is OperationState.SUCCEEDED
        for o in context.view.operations
    )


async def _jobs(settings: MigrationsSettings, context: CheckContext) -> list[JsonObject]:
    kube = context.clients.kube(context.tier)
    listed = await kube.list_objects(f"/apis/batch/v1/namespaces/{kube.namespace}/jobs")
    return [
        job for job in listed.items if text(obj(job.get("metadata")), "name").startswith(settings.job_prefix)
    ]


def _job(job: JsonObject, findings: Findings) -> None:
    name = text(obj(job.get("metadata")), "name")
    states = {
        text(one, "type")
        for one in objs(path(job, ("status", "conditions")))
        if text(one, "status") == "True"
    }
    findings.saw("job", name)
    findings.saw("job_uid", text(obj(job.get("metadata")), "uid"))
    findings.saw("job_state", sorted(states))
    if "Failed" in states:
        findings.wrong(f"migration job {name} failed")
    elif "Complete" not in states:
        findings.blind(f"migration job {name} has not finished")


def _operation(operation_id: str, context: CheckContext, findings: Findings) -> None:
    done = context.view.last_operation(operation_id)
    findings.saw("operation", f"{operation_id}: {done.state if done is not None else 'never run'}")
    if done is None:
        findings.blind(f"{operation_id} has not been run in this launch")
    else:
        findings.need(
            done.state is OperationState.SUCCEEDED, f"{operation_id} is {done.state}; expected succeeded"
        )


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


@check("data.smoke", SmokeSettings, guide=deliveries.DATA_SMOKE, ttl=STEADY, after=(After.MIGRATE,))
async def smoke(settings: SmokeSettings, context: CheckContext) -> Outcome:
    """Judge by read-only queries that the migrated schema has what the application needs."""
    findings = Findings()
    if _migrated_by_the_deploy(context):
        raise NothingRunsError("the chart's own hook migrates, in the deploy")
    database = context.clients.sql(context.tier)
    tables = await findings.look(database.tables())
    if tables is not None:
        missing = sorted(set(settings.tables) - tables)
        findings.saw("missing_tables", list(missing))
        for table in missing:
            findings.wrong(f"table {table} is missing")
    although = " although the migration ran" if _migrated(context) else ""
    for dotted in settings.columns:
        table, _, column = dotted.rpartition(".")
        columns = await findings.look(database.columns(table))
        if columns is not None:
            findings.saw(key(dotted), "there" if column in columns else "missing")
            findings.need(column in columns, f"column {dotted} is missing{although}")
    asked = [await _query(query, context, findings) for query in settings.queries]
    found = _found(settings, sum(asked))
    if not found:
        findings.blind("nothing was looked at: no table, no column, and no query for this database")
    return _told_early(findings.outcome(", ".join(found)), context)


def _found(settings: SmokeSettings, queries: int) -> list[str]:
    named = ((len(settings.tables), "table"), (len(settings.columns), "column"))
    there = [plural(count, word) for count, word in named if count]
    found = [f"{' and '.join(there)} found"] if there else []
    return found + ([f"{plural(queries, 'query gave', 'queries gave')} what is expected"] if queries else [])


async def _query(one: Query, context: CheckContext, findings: Findings) -> bool:
    """Judge one query; return whether it is one for this database."""
    database = context.clients.sql(context.tier)
    if one.dialect is not None and await database.dialect() != one.dialect:
        findings.saw(key(one.id), f"only for {one.dialect}")
        return False
    try:
        value = await database.scalar(one.sql)
    except NotFoundError as error:
        findings.wrong(f"{one.id}: {error}")
        return True
    number = value if isinstance(value, int) else None
    findings.saw(key(one.id), number)
    if number is None:
        findings.blind(f"{one.id} gave no whole number")
    elif one.at_least is not None and number < one.at_least:
        findings.wrong(f"{one.id} is {number}; expected at least {one.at_least}")
    elif one.equals is not None and number != one.equals:
        findings.wrong(f"{one.id} is {number}; expected {one.equals}")
    return True
