"""Gate 7: backup, migration, smoke queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, PREVIOUS_HEAD, DatabaseSettings
from console.rehearsal.world.fault import Fault, database, fails, until_released
from state.base.clock import SECOND_US

if TYPE_CHECKING:
    from console.rehearsal.world.world import World

_PRODUCTION = Env.PRODUCTION


def _no_backup(world: World) -> None:
    world.artifacts.backups[_PRODUCTION].until_us = 0
    world.artifacts.back_up()


def _old_backup(world: World) -> None:
    world.artifacts.backups[_PRODUCTION].until_us = world.kept.opened_us - 26 * 3600 * SECOND_US
    world.artifacts.back_up()


def _empty_backup(world: World) -> None:
    world.artifacts.backups[_PRODUCTION].size = 0
    world.artifacts.back_up()


FAULTS: tuple[Fault, ...] = (
    fails("backup-missing", "7.1", "there is no backup in the bucket", _no_backup),
    fails("backup-old", "7.1", "the newest backup is from the day before", _old_backup),
    fails("backup-empty", "7.1", "the backups have no content", _empty_backup),
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
