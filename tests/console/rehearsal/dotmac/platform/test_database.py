from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from console.rehearsal.dotmac.platform import (
    HEAD,
    PREVIOUS_HEAD,
    DatabaseSettings,
    Platform,
    PlatformSettings,
)
from console.rehearsal.dotmac.platform.schema import SEEDED_ROLES
from tests.clocks import ManualClock
from tests.console.rehearsal.dotmac.platform.conftest import ACCOUNTS, ADMIN, API, Site, body


def made(folder: Path, environment: str = "production", revision: str = HEAD) -> Platform:
    settings = PlatformSettings()
    file = folder / f"{environment}.db"
    return Platform(environment, settings, ManualClock(), 7, file, ACCOUNTS, None, (API, ADMIN), revision)


def column(platform: Platform, sql: str) -> list[str]:
    return [str(next(iter(row.values()))) for row in platform.database.query(sql)]


def columns(platform: Platform, table: str) -> set[str]:
    return set(column(platform, f"SELECT name FROM pragma_table_info('{table}')"))


def test_checks_read_it_through_sqlalchemy_and_cannot_write(tmp_path: Path) -> None:
    platform = made(tmp_path)
    engine = create_engine(platform.database.url)
    with engine.connect() as link:
        assert link.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
        assert {"tenants", "users", "roles", "audit_activities", "jobs", "invoices"} <= set(
            inspect(link).get_table_names()
        )
        with pytest.raises(OperationalError, match="readonly"):
            link.execute(text("DELETE FROM tenants"))
    engine.dispose()
    assert sorted(column(platform, "SELECT name FROM roles")) == sorted(SEEDED_ROLES)
    platform.close()


def test_a_migration_adds_what_the_models_want(tmp_path: Path) -> None:
    platform = made(tmp_path, revision=PREVIOUS_HEAD)
    assert platform.database.revisions() == (PREVIOUS_HEAD,)
    assert "parent_id" not in columns(platform, "roles")
    assert not columns(platform, "contacts")
    platform.database.migrate(HEAD)
    platform.database.migrate(HEAD)
    assert platform.database.revisions() == (HEAD,)
    assert {"parent_id", "max_users"} <= columns(platform, "roles")
    assert columns(platform, "contacts")
    assert columns(platform, "partner_tenant_links")
    platform.close()


def test_at_head_while_something_is_missing(tmp_path: Path) -> None:
    platform = made(tmp_path)
    fault = DatabaseSettings(
        missing_columns=("roles.parent_id",), missing_tables=("contacts",), missing_roles=True
    )
    platform.database.reconcile(fault)
    assert platform.database.revisions() == (HEAD,)
    assert "parent_id" not in columns(platform, "roles")
    assert not columns(platform, "contacts")
    assert column(platform, "SELECT COUNT(*) FROM roles") == ["0"]
    platform.database.reconcile(DatabaseSettings())
    assert "parent_id" in columns(platform, "roles")
    assert columns(platform, "contacts")
    assert column(platform, "SELECT COUNT(*) FROM roles") == ["8"]
    platform.close()


def test_a_fault_that_is_on_before_the_migration_is_on_after_it(tmp_path: Path) -> None:
    platform = made(tmp_path, revision=PREVIOUS_HEAD)
    platform.settings.database = DatabaseSettings(missing_columns=("roles.parent_id",), heads=("a", "b"))
    platform.core.settle()
    assert platform.database.revisions() == (PREVIOUS_HEAD,)
    platform.database.migrate(HEAD)
    assert platform.database.revisions() == ("a", "b")
    assert "parent_id" not in columns(platform, "roles")
    platform.settings.database = DatabaseSettings()
    platform.core.settle()
    assert platform.database.revisions() == (HEAD,)
    platform.close()


def test_a_fault_ends_over_a_restart(tmp_path: Path) -> None:
    platform = made(tmp_path)
    platform.settings.database = DatabaseSettings(missing_tables=("jobs",), heads=("elsewhere",))
    platform.core.settle()
    platform.close()
    again = made(tmp_path)
    assert again.database.revisions() == ("elsewhere",)
    again.core.settle()
    assert again.database.revisions() == (HEAD,)
    assert columns(again, "jobs")
    again.close()


def shared(one: Platform, other: Platform, sql: str) -> set[str]:
    return set(column(one, sql)) & set(column(other, sql))


def test_environments_share_nothing_unless_a_switch_says_so(tmp_path: Path) -> None:
    staging, production = made(tmp_path, "staging"), made(tmp_path)
    everything = ("SELECT id FROM tenants", "SELECT email_domain FROM tenants", "SELECT email FROM users")
    identity = "SELECT system_identifier FROM instance_identity"
    assert [shared(staging, production, sql) for sql in (*everything, identity)] == [set()] * 4
    assert staging.secret("jwt") != production.secret("jwt")
    staging.settings.database = DatabaseSettings(identity_of="production")
    staging.core.settle()
    assert shared(staging, production, identity)
    assert not shared(staging, production, everything[0])
    staging.settings.database = DatabaseSettings(tenants_of="production")
    staging.core.settle()
    assert not shared(staging, production, identity)
    assert all(len(shared(staging, production, sql)) == 8 for sql in everything)
    assert column(staging, "SELECT slug FROM tenants WHERE slug = 'smoke'") == ["smoke"]
    staging.settings.database = DatabaseSettings()
    staging.core.settle()
    assert not shared(staging, production, everything[0])
    staging.close()
    production.close()


def test_the_same_seed_gives_the_same_world(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    for sql in ("SELECT id FROM tenants", "SELECT id FROM users", "SELECT invoice_id FROM invoices"):
        assert column(one, sql) == column(other, sql)
    one.close()
    other.close()


async def test_a_missing_table_is_an_error_of_its_flow_alone(site: Site) -> None:
    site.settings.database = DatabaseSettings(missing_tables=("invoices", "audit_activities"))
    assert (await site.call("/api/v1/billing/invoices", role="tenant_user")).status_code == 500
    assert (await site.call("/api/v1/jobs", role="tenant_user")).status_code == 200


async def test_the_worker_also_works_when_nobody_asks(site: Site) -> None:
    task = asyncio.create_task(site.platform.run())
    answer = await site.call("/api/v1/jobs", "POST", role="tenant_admin", json={"job_type": "smoke"})
    await site.clock.advance(6)
    rows = site.platform.database.query("SELECT status FROM jobs WHERE id = ?", str(body(answer)["id"]))
    assert rows == [{"status": "completed"}]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
