"""One environment's platform on loopback sockets, reached as its customers reach it: through TLS and names."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from console.rehearsal.dotmac.platform import Ingress, Platform, PlatformSettings
from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.loopback import Listener, listen
from state.base.json import Json, JsonObject, obj
from tests.clocks import ManualClock

API, ADMIN = "api.dotmac.test", "admin.dotmac.test"
ROLES = ("platform_admin", "tenant_admin", "tenant_user", "partner")
ACCOUNTS = {
    "platform_admin": ("smoke-admin", "pw-of-admin", None),
    "tenant_admin": ("smoke-tenant-admin", "pw-of-tenant-admin", "smoke"),
    "tenant_user": ("smoke-tenant-user", "pw-of-tenant-user", "smoke"),
    "partner": ("smoke-partner", "pw-of-partner", None),
}


@dataclass(slots=True)
class Site:
    """A running platform and a client that trusts its authority."""

    platform: Platform
    settings: PlatformSettings
    clock: ManualClock
    authority: Authority
    ingress: Ingress
    https: Listener
    http: Listener
    service: Listener
    watching: Listener
    client: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        path: str,
        method: str = "GET",
        *,
        role: str | None = None,
        host: str = API,
        header: Mapping[str, str] | None = None,
        server_name: str | None = None,
        json: Json = None,
        data: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"Host": host, **(header or {})}
        if role is not None:
            sent["Authorization"] = f"Bearer {await self.token(role)}"
        self.client.cookies.clear()
        return await self.client.request(
            method,
            self.https.url + path,
            headers=sent,
            json=json,
            data=data,
            extensions={"sni_hostname": server_name or host},
        )

    async def admin(self, path: str) -> httpx.Response:
        return await self.call(path, host=ADMIN)

    async def log_in(self, role: str, path: str = "/api/v1/auth/login") -> httpx.Response:
        username, password, _ = ACCOUNTS[role]
        return await self.call(path, "POST", json={"username": username, "password": password})

    async def token(self, role: str) -> str:
        if role not in self.tokens:
            answer = await self.log_in(role)
            self.tokens[role] = str(body(answer)["access_token"])
        return self.tokens[role]

    async def watch(self, path: str, **params: str | int) -> httpx.Response:
        return await self.client.get(self.watching.url + path, params=params)


def body(answer: httpx.Response) -> JsonObject:
    return obj(answer.json())


async def start(folder: Path, environment: str = "production") -> Site:
    clock = ManualClock()
    settings = PlatformSettings()
    platform = Platform(
        environment, settings, clock, 7, folder / f"{environment}.db", ACCOUNTS, None, (API, ADMIN)
    )
    authority = Authority(7, clock, folder / "tls")
    ingress = Ingress(platform, authority)
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    return Site(
        platform,
        settings,
        clock,
        authority,
        ingress,
        await listen(ingress.https_application(), ssl_context=ingress.ssl_context()),
        await listen(ingress.http_application()),
        await listen(platform.api_application()),
        await listen(platform.observers_application()),
        httpx.AsyncClient(verify=trust, timeout=5.0, trust_env=False),
    )


async def stop(site: Site) -> None:
    await site.client.aclose()
    await asyncio.gather(*(one.close() for one in (site.https, site.http, site.service, site.watching)))
    site.platform.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    running = await start(tmp_path)
    yield running
    await stop(running)
