"""One environment's platform as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

from console.rehearsal.dotmac.platform import observers
from console.rehearsal.dotmac.platform.core import Core
from console.rehearsal.dotmac.platform.database import Database
from console.rehearsal.dotmac.platform.edge import Surface, application
from console.rehearsal.dotmac.platform.records import Records
from console.rehearsal.dotmac.platform.routes import api
from console.rehearsal.dotmac.platform.routes.admin import answer_admin
from console.rehearsal.dotmac.platform.schema import HEAD
from console.rehearsal.dotmac.platform.seeds import accounts as seeded_accounts
from console.rehearsal.dotmac.platform.settings import PlatformSettings
from state.base.clock import Clock

_ROUNDS_PER_S = 20

Accounts = Mapping[str, tuple[str, str, str | None]]


class Platform:
    """The API, the Admin UI and the data of one environment.

    ``accounts`` maps each role (platform_admin, tenant_admin, tenant_user, partner) to user name, password
    and the tenant's slug; ``domains`` are the hosts of API and Admin UI. ``metrics_text`` gives the body of
    /metrics for an environment; None: the platform's own counters. A new database starts at ``revision``.
    """

    def __init__(
        self,
        environment: str,
        settings: PlatformSettings,
        clock: Clock,
        seed: int,
        database_path: Path,
        accounts: Accounts,
        metrics_text: Callable[[str], str] | None,
        domains: tuple[str, str],
        revision: str = HEAD,
    ) -> None:
        known = seeded_accounts(seed, environment, accounts)
        self.core = Core(
            environment=environment,
            settings=settings,
            clock=clock,
            seed=seed,
            accounts=known,
            database=Database(database_path, clock, seed, environment, known.values(), revision),
            metrics_text=metrics_text or (lambda _: api.own_metrics(self.core)),
            api_host=domains[0],
            admin_host=domains[1],
        )

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.core.environment

    @property
    def settings(self) -> PlatformSettings:
        """The switches; change them at any time."""
        return self.core.settings

    @property
    def database(self) -> Database:
        """The database stand-in; ``database.url`` is for checks, ``database.migrate(head)`` for the world."""
        return self.core.database

    @property
    def records(self) -> Records:
        """Log lines, spans and counted requests."""
        return self.core.records

    def secret(self, name: str) -> str:
        """Return a secret of the environment: "jwt" signs tokens, "webhook" lets alerts in."""
        return self.core.key(name)

    @property
    def api_surface(self) -> Surface:
        """What answers for the API."""
        return Surface(
            self.core,
            api.answer_api,
            lambda: self.settings.web.api_outage,
            lambda: self.settings.flows.latency_ms,
        )

    @property
    def admin_surface(self) -> Surface:
        """What answers for the Admin UI."""
        return Surface(self.core, answer_admin, lambda: self.settings.web.admin_outage)

    def api_application(self) -> web.Application:
        """Return the API as the Service behind the ingress serves it: plain HTTP, no browser headers."""
        return application(self.api_surface)

    def admin_application(self) -> web.Application:
        """Return the Admin UI as the Service behind the ingress serves it."""
        return application(self.admin_surface)

    def observers_application(self) -> web.Application:
        """Return Grafana, Jaeger, Loki, an OTLP receiver, Vault's health and GitHub's checks on one port."""
        return observers.observers_application(self.core)

    async def run(self) -> None:
        """Settle what is due, each second of the clock or 20 times a second, for ever: jobs, late audit rows."""
        while True:
            self.core.settle()
            await self.core.clock.sleep(max(1.0, self.core.clock.rate() / _ROUNDS_PER_S))

    def close(self) -> None:
        """Close the database."""
        self.core.database.close()
