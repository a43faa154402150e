"""As whom a cluster is asked, for as long as the engine lives: tokens are read again before they are over."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import Access
from checks.clients.kubeconfig.exec_plugin import Credential, run_plugin
from checks.clients.redact import Redactor
from state.base.clock import SystemClock
from state.base.times import SECOND_US

# A token that is over while a request is on its way is a 401 for nothing.
_BEFORE_ITS_END_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _ReadFile:
    stamp: tuple[int, int, int]
    token: str


class Credentials:
    """The credentials of one kubeconfig context."""

    def __init__(self, access: Access, where: Where, redactor: Redactor) -> None:
        self.access = access
        self._where = where
        self._redactor = redactor
        self._told: Credential | None = None
        self._file: _ReadFile | None = None
        self._asking = asyncio.Lock()
        for value in access.secrets():
            redactor.register(value)

    async def authorization(self) -> str:
        """Return the Authorization header's value, or nothing. Raises MisconfiguredError, TimedOutError."""
        access = self.access
        if access.token_file is not None:
            return f"Bearer {self._from_file(access.token_file)}"
        if access.token:
            return f"Bearer {access.token}"
        if access.username:
            pair = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
            self._redactor.register(pair)
            return f"Basic {pair}"
        token = (await self._from_plugin()).token if access.plugin is not None else ""
        return f"Bearer {token}" if token else ""

    async def certificate(self) -> tuple[str, str]:
        """Return the client certificate and its key as PEM, or two empty texts."""
        if self.access.key:
            return self.access.certificate, self.access.key
        if self.access.plugin is None or self.access.token or self.access.token_file is not None:
            return "", ""
        told = await self._from_plugin()
        return told.certificate, told.key

    def refused(self) -> bool:
        """Forget what a plugin told, because the server refused it; return whether other credentials may come."""
        self._told, before = None, self._file
        self._file = None
        return self.access.plugin is not None or before is not None

    def _from_file(self, file: Path) -> str:
        """Return the token of a file, which is read anew whenever it was written anew."""
        try:
            about = file.stat()
            stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
            if self._file is None or self._file.stamp != stamp:
                # A newline at its end is the file's, not the token's: client-go trims it too.
                self._file = _ReadFile(stamp, file.read_text().strip())
                self._redactor.register(self._file.token)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise MisconfiguredError(f"{self._where}: token file {file} cannot be read ({reason})") from None
        if not self._file.token or not self._file.token.isprintable():
            raise MisconfiguredError(f"{self._where}: token file {file} holds no token")
        return self._file.token

    async def _from_plugin(self) -> Credential:
        assert self.access.plugin is not None
        async with self._asking:  # many requests at once are one question to the plugin
            if self._told is None or self._over(self._told):
                told = await run_plugin(self.access.plugin, self.access, self._where, self._redactor)
                for value in (told.token, told.key):
                    self._redactor.register(value)
                self._told = told
            return self._told

    @staticmethod
    def _over(told: Credential) -> bool:
        # What a plugin says is the time of day of the machine, as TLS and tokens go by it.
        now = SystemClock().wall_us() / SECOND_US
        return told.until_s is not None and told.until_s - _BEFORE_ITS_END_S < now
