"""The database stand-in: one SQLite file per environment, written here and opened read-only by checks.

``instance_identity`` stands for PostgreSQL's pg_control_system(). A table or column that a fault leaves out
is renamed, so that it comes back with its rows when the fault ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from console.rehearsal.dotmac.platform.schema import (
    ADDED_COLUMNS,
    ADDED_TABLES,
    HEAD,
    HIDDEN,
    PREVIOUS_HEAD,
    SEEDED_ROLES,
    TABLES,
)
from console.rehearsal.dotmac.platform.seeds import Account, Tenant, moment, tenants
from console.rehearsal.dotmac.platform.settings import DatabaseSettings
from console.rehearsal.sim.seeded import digest, identifier, system_identifier
from state.base.clock import Clock
from state.base.json import flag, obj, opt_text, texts

Row = Mapping[str, str | int | None]

_PARTNER_ROLE = "partner_msp_full"


@dataclass(frozen=True, slots=True)
class Activity:
    """One audit row."""

    activity_type: str
    action: str
    description: str
    severity: str = "low"
    tenant_id: str | None = None
    user_id: str | None = None
    username: str | None = None
    source: str = ""
    user_agent: str = ""
    request_id: str = ""


def stamp(wall_us: int) -> str:
    """Return a time as PostgreSQL prints a timestamptz in UTC."""
    return moment(wall_us).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


class Database:
    """The rows of one environment's platform."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        seed: int,
        environment: str,
        accounts: Iterable[Account],
        revision: str,
    ) -> None:
        self.path = path
        self._clock, self._seed, self._environment = clock, seed, environment
        self._accounts = tuple(accounts)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._link = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._link.row_factory = sqlite3.Row
        self._link.execute("PRAGMA journal_mode=WAL")
        self._link.execute("PRAGMA synchronous=OFF")
        kept = path.with_name(f"{path.name}.state")
        if not revision or kept.exists():
            # What the stand-in remembers of itself lies beside a database that is to be empty.
            self._link.execute("ATTACH ? AS kept", (str(kept),))
        if not self._has("alembic_version") and not self._has("instance_identity"):
            self._create(revision)
            self._applied = self._recall()
            if revision == HEAD:
                self.migrate(revision)
        self._applied = self._recall()

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of a read-only connection."""
        return f"sqlite:///file:{self.path}?mode=ro&uri=true"

    def close(self) -> None:
        """Close the file."""
        self._link.close()

    def query(self, sql: str, *values: str | int | None) -> list[Row]:
        """Return the rows of a SELECT. Raises sqlite3.Error where a table or column is missing."""
        return [dict(row) for row in self._link.execute(sql, values)]

    def revisions(self) -> tuple[str, ...]:
        """Return the rows of alembic_version: one, unless something went wrong."""
        return tuple(
            str(row["version_num"])
            for row in self.query("SELECT version_num FROM alembic_version ORDER BY 1")
        )

    def migrate(self, head: str = HEAD, settings: DatabaseSettings | None = None) -> None:
        """Do what ``alembic upgrade head`` does, including what ``settings`` make it do wrong."""
        settings = settings or self._applied
        self.reconcile(DatabaseSettings())
        with self._transaction():
            if not self._has("alembic_version"):
                self._fill(PREVIOUS_HEAD, ())
            for name, columns in ADDED_TABLES.items():
                self._link.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
            present = {str(row["name"]) for row in self.query("SELECT name FROM pragma_table_info('roles')")}
            for (table, column), kind in ADDED_COLUMNS.items():
                if column not in present:
                    self._link.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            self._set_revisions((head,))
            self._remember("head", head)
        self.reconcile(settings)

    def reconcile(self, settings: DatabaseSettings) -> None:
        """Make the database what ``settings`` say, wherever it differs from what was applied before."""
        if settings == self._applied:
            return
        with self._transaction():
            self._show_and_hide(settings)
            if settings.heads != self._applied.heads and self.migrated():
                self._set_revisions(settings.heads or (self._state("head", HEAD),))
            if settings.missing_roles != self._applied.missing_roles:
                self._link.execute("DELETE FROM roles")
                if not settings.missing_roles:
                    self._seed_roles()
            self._set_identity(settings.identity_of or self._environment)
            if settings.tenants_of != self._applied.tenants_of:
                self._swap_tenants(settings.tenants_of or self._environment)
            self._remember("applied", json.dumps(asdict(settings)))
        self._applied = settings

    def migrated(self) -> bool:
        """Return whether the candidate's migration has run."""
        return self._state("head", "") != ""

    def record(self, activity: Activity, at_us: int) -> bool:
        """Write an audit row; False where the table is missing."""
        number = self._next()
        when = stamp(at_us)
        values = (
            identifier(self._seed, self._environment, "audit", str(number)),
            activity.activity_type,
            activity.severity,
            activity.action,
            activity.description,
            activity.tenant_id,
            activity.user_id,
            activity.username,
            activity.source,
            activity.user_agent,
            activity.request_id,
            when,
            when,
        )
        try:
            self._insert("audit_activities", values)
        except sqlite3.OperationalError:
            return False
        return True

    def add_job(self, tenant_id: str, job_type: str, title: str) -> str:
        """Put a job in the queue and return its id."""
        job_id = identifier(self._seed, self._environment, "job", str(self._next()))
        now = self._clock.wall_us()
        self._insert("jobs", (job_id, tenant_id, job_type, title, "pending", 0, stamp(now), None, None, now))
        return job_id

    def work(self, *, queue_s: float, run_s: float, fail: bool) -> None:
        """Start and finish the jobs that are due, as the worker does."""
        now = self._clock.wall_us()
        begin, end = now - int(queue_s * 1e6), now - int((queue_s + run_s) * 1e6)
        outcome, percent = ("failed", 50) if fail else ("completed", 100)
        try:
            self._link.execute(
                "UPDATE jobs SET status = 'running', progress_percent = 10, started_at = ?"
                " WHERE status = 'pending' AND created_us <= ?",
                (stamp(now), begin),
            )
            self._link.execute(
                "UPDATE jobs SET status = ?, progress_percent = ?, completed_at = ?"
                " WHERE status = 'running' AND created_us <= ?",
                (outcome, percent, stamp(now), end),
            )
        except sqlite3.OperationalError:
            return

    def _create(self, revision: str) -> None:
        """Make the file. Without a revision it is a database that nobody has used yet."""
        place = "main" if revision else "kept"
        with self._transaction():
            self._link.execute(f"CREATE TABLE instance_identity ({TABLES['instance_identity']})")
            self._link.execute(
                f"CREATE TABLE {place}.rehearsal_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
            )
            self._set_identity(self._environment)
            if revision:
                self._fill(revision, tenants(self._seed, self._environment))

    def _fill(self, revision: str, customers: Sequence[Tenant]) -> None:
        """Make the tables of a revision, with roles, customers and the test accounts in them."""
        for name, columns in TABLES.items():
            self._link.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        self._set_revisions((revision,))
        self._seed_roles()
        self._seed_tenants(customers)
        homes = {one.tenant.id: one.tenant for one in self._accounts if one.tenant}
        self._seed_tenants(tuple(homes.values()))
        for account in self._accounts:
            self._seed_user(account)

    def _state(self, name: str, default: str) -> str:
        rows = self.query("SELECT value FROM rehearsal_state WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else default

    def _remember(self, name: str, value: str) -> None:
        self._link.execute("INSERT OR REPLACE INTO rehearsal_state VALUES (?, ?)", (name, value))

    def _recall(self) -> DatabaseSettings:
        kept = obj(json.loads(self._state("applied", "{}")))
        return DatabaseSettings(
            heads=texts(kept.get("heads")) or None,
            missing_tables=texts(kept.get("missing_tables")),
            missing_columns=texts(kept.get("missing_columns")),
            missing_roles=flag(kept, "missing_roles"),
            identity_of=opt_text(kept, "identity_of"),
            tenants_of=opt_text(kept, "tenants_of"),
        )

    def _transaction(self) -> sqlite3.Connection:
        self._link.execute("BEGIN IMMEDIATE")
        return self._link

    def _insert(self, table: str, values: Sequence[str | int | None]) -> None:
        marks = ",".join("?" * len(values))
        self._link.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(values))  # noqa: S608  names are ours

    def _next(self) -> int:
        number = int(self._state("sequence", "0")) + 1
        self._remember("sequence", str(number))
        return number

    def _has(self, table: str) -> bool:
        return bool(self.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", table))

    def _set_revisions(self, revisions: Sequence[str]) -> None:
        self._link.execute("DELETE FROM alembic_version")
        for revision in revisions:
            self._insert("alembic_version", (revision,))

    def _set_identity(self, environment: str) -> None:
        self._link.execute("DELETE FROM instance_identity")
        self._insert("instance_identity", (system_identifier(self._seed, environment),))

    def _seed_roles(self) -> None:
        for name in SEEDED_ROLES:
            self._link.execute(
                "INSERT INTO roles (id, name, description) VALUES (?, ?, ?)",
                (identifier(self._seed, self._environment, "role", name), name, name.replace("_", " ")),
            )

    def _seed_tenants(self, copied: Sequence[Tenant]) -> None:
        now = stamp(self._clock.wall_us())
        for one in copied:
            self._insert("tenants", (one.id, one.slug, one.name, one.plan, "active", one.domain, now))
            admin = identifier(self._seed, one.id, "owner")
            self._insert("users", (admin, f"owner-{one.slug}", f"owner@{one.domain}", one.id, 0, 1, now))
            self._insert(
                "subscriptions", (identifier(self._seed, one.id, "subscription"), one.id, one.plan, "active")
            )
            for number in range(3):
                draw = digest(self._seed, one.id, "invoice", str(number))
                name = f"INV-{draw.hex()[:4].upper()}-{number + 1:04d}"
                status = ("paid", "open", "paid")[number]
                amount = 1000 + int.from_bytes(draw[:2], "big")
                invoice = identifier(self._seed, one.id, "invoice", str(number))
                self._insert("invoices", (invoice, one.id, name, status, "EUR", amount, now))

    def _seed_user(self, account: Account) -> None:
        now = stamp(self._clock.wall_us())
        home = account.tenant.id if account.tenant else None
        admin = int(account.role == "platform_admin")
        self._insert("users", (account.user_id, account.username, account.email, home, admin, 1, now))
        role = _PARTNER_ROLE if account.role == "partner" else account.role
        if role in SEEDED_ROLES:
            role_id = identifier(self._seed, self._environment, "role", role)
            self._insert("user_roles", (account.user_id, role_id, now))

    def _swap_tenants(self, environment: str) -> None:
        for source in {self._applied.tenants_of or self._environment, environment}:
            for tenant in tenants(self._seed, source):
                for table in ("users", "subscriptions", "invoices"):
                    self._link.execute(f"DELETE FROM {table} WHERE tenant_id = ?", (tenant.id,))  # noqa: S608  ours
                self._link.execute("DELETE FROM tenants WHERE id = ?", (tenant.id,))
        self._seed_tenants(tenants(self._seed, environment))

    def _show_and_hide(self, settings: DatabaseSettings) -> None:
        for table in self._applied.missing_tables:
            if self._has(HIDDEN + table):
                self._link.execute(f"ALTER TABLE {HIDDEN}{table} RENAME TO {table}")
        for column in self._applied.missing_columns:
            self._rename_column(column, HIDDEN, "")
        for column in settings.missing_columns:
            self._rename_column(column, "", HIDDEN)
        for table in settings.missing_tables:
            if self._has(table):
                self._link.execute(f"ALTER TABLE {table} RENAME TO {HIDDEN}{table}")

    def _rename_column(self, dotted: str, old: str, new: str) -> None:
        table, column = dotted.split(".")
        known = self.query("SELECT name FROM pragma_table_info(?) WHERE name = ?", table, old + column)
        if known:
            self._link.execute(f"ALTER TABLE {table} RENAME COLUMN {old}{column} TO {new}{column}")
