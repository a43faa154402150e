"""Gate 7: backup, migration, smoke queries."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import database, platform, until_released
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, PREVIOUS_HEAD, DatabaseSettings
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.fault import Apply, Fault, fails
from console.rehearsal.world.world import World
from state.base.clock import SECOND_US


def _backups(**changes: int) -> Apply:
    """Change what production's backups are; names are those of ``Backups``."""

    def apply(dotmac: Dotmac) -> None:
        for name, value in changes.items():
            setattr(dotmac.artifacts.backups[Env.PRODUCTION], name, value)
        dotmac.artifacts.back_up()

    return platform(apply)


def _old_backup(world: World) -> None:
    _backups(until_us=world.kept.opened_us - 26 * 3600 * SECOND_US)(world)


FAULTS: tuple[Fault, ...] = (
    fails("backup-missing", "7.1", "there is no backup in the bucket", _backups(until_us=0)),
    fails("backup-old", "7.1", "the newest backup is from the day before", _old_backup),
    fails("backup-empty", "7.1", "the backups have no content", _backups(size=0)),
    fails(
        "alembic-two-heads",
        "7.2",
        "alembic_version has two rows after the migration",
        until_released("database", DatabaseSettings(heads=(HEAD, PREVIOUS_HEAD))),
    ),
    fails(
        "alembic-behind",
        "7.2",
        "the migration ends well and stops before the head",
        until_released("database", DatabaseSettings(heads=(PREVIOUS_HEAD,))),
    ),
    fails(
        "sentinel-column-missing",
        "7.3",
        "alembic is at its head, and roles.parent_id is missing",
        database(missing_columns=("roles.parent_id",)),
    ),
    fails(
        "sentinel-table-missing",
        "7.3",
        "alembic is at its head, and a table is missing",
        database(missing_tables=("contacts",)),
    ),
    fails("roles-not-seeded", "7.3", "the roles were never seeded", database(missing_roles=True)),
)
