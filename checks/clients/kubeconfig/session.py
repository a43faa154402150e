"""The connection to one cluster, opened anew when its credentials are over, and never to another cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import Address, read_access
from checks.clients.kubeconfig.connection import open_api
from checks.clients.kubeconfig.credentials import Credentials

if TYPE_CHECKING:
    from checks.clients.redact import Redactor
    from state.runbook.environment import Kube

KUBE_SYSTEM: Final = "/api/v1/namespaces/kube-system"
"""The namespace that every cluster has, with a uid that no other has."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which cluster a launch is on."""

    address: Address
    uid: str = ""
    """Of namespace kube-system; empty: it can't be read, and isn't compared."""

    def __str__(self) -> str:
        return f"{self.address}, kube-system {self.uid[:8] or 'not readable'}"

    def is_other(self, found: Identity) -> bool:
        """Return whether another cluster was found: the uid decides where both are known, else the address."""
        if self.uid and found.uid:
            return self.uid != found.uid
        return self.address != found.address


@dataclass(eq=False, slots=True)
class Session:
    """One connection that is open. Whoever uses one may go on with it after it was given up."""

    api: Any
    credentials: Credentials
    certificate: tuple[str, str] = field(repr=False)
    users: int = 0

    @property
    def address(self) -> Address:
        """Which cluster it leads to."""
        return self.credentials.access.address


class Sessions:
    """Gives the connection of one environment."""

    def __init__(self, kube: Kube, where: Where, redactor: Redactor) -> None:
        self._kube = kube
        self._where = where
        self._redactor = redactor
        self._open: Session | None = None
        self._given_up: set[Session] = set()
        self._opening = asyncio.Lock()
        self._fixed: Identity | None = None
        self.server = "its address"

    def fix(self, identity: Identity) -> None:
        """Say which cluster it must be: what leads to another one is not opened any more."""
        self._fixed = identity

    @asynccontextmanager
    async def using(self) -> AsyncIterator[tuple[Session, str]]:
        """Give the connection and the Authorization header. One that was given up is closed by its last user."""
        session = await self._session()
        session.users += 1
        try:
            yield session, await session.credentials.authorization()
        finally:
            session.users -= 1
            if not session.users and session in self._given_up:
                self._given_up.discard(session)
                await session.api.close()

    async def refused(self, session: Session, authorization: str) -> bool:
        """Say that the server answered 401; return whether there are other credentials now.

        The kubeconfig is read anew, its plugin asked anew: a token may just be over.
        """
        if self._open is session:
            session.credentials.refused()
            await self._give_up(session)
        async with self.using() as (new, now):
            return now != authorization or new.certificate != session.certificate

    async def aclose(self) -> None:
        """Close the connections, those in use too."""
        left = {*self._given_up, *([self._open] if self._open is not None else [])}
        self._open, self._given_up = None, set()
        for session in left:
            await session.api.close()

    async def _give_up(self, session: Session) -> None:
        self._open = None
        if session.users:
            self._given_up.add(session)
        else:
            await session.api.close()

    async def _session(self) -> Session:
        async with self._opening:
            one = self._open
            # A plugin's certificate is part of the connection, and over with it.
            if (
                one is not None
                and one.certificate[1]
                and one.certificate != await one.credentials.certificate()
            ):
                await self._give_up(one)
            if self._open is None:
                self._open = await self._made()
            return self._open

    async def _made(self) -> Session:
        access = await asyncio.to_thread(read_access, self._kube, self._where)
        credentials = Credentials(access, self._where, self._redactor)
        certificate = await credentials.certificate()
        session = Session(open_api(access, certificate, self._where), credentials, certificate)
        self.server = access.server
        if self._fixed is not None and self._fixed.address != access.address:
            try:
                await self._need_same(session, self._fixed)
            except BaseException:
                await session.api.close()
                raise
        return session

    async def _need_same(self, session: Session, fixed: Identity) -> None:
        """Raise unless another address leads to the same cluster, which the uid of kube-system tells."""
        found = Identity(session.address, await self._uid(session) if fixed.uid else "")
        if fixed.is_other(found):
            raise MisconfiguredError(elsewhere(self._where, fixed, found))

    async def _uid(self, session: Session) -> str:
        import aiohttp

        from state.base.json import obj, text

        headers = {"Accept": "application/json"}
        if authorization := await session.credentials.authorization():
            headers["Authorization"] = authorization
        url, limits = f"{session.credentials.access.server}{KUBE_SYSTEM}", aiohttp.ClientTimeout(total=8)
        try:
            answer = (await session.api.call_api("GET", url, headers, _request_timeout=limits)).response
            async with answer:
                said = await answer.json(content_type=None) if answer.status == 200 else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return ""
        return text(obj(obj(said).get("metadata")), "uid")


def elsewhere(where: Where, fixed: Identity, found: Identity) -> str:
    """Return in words that a kubeconfig leads to another cluster than the launch began on."""
    return (
        f"{where}: the kubeconfig leads to another cluster now: {found}; this launch began on {fixed}. "
        "Put the kubeconfig back, or begin a launch for the other cluster"
    )
