"""The real API over HTTP for the kubelet and the tests: JSON in, JSON out, nothing of the console's own."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from state.base.json import Json, JsonObject, obj, text

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """A refusal: its status, and the Status object's words."""

    def __init__(self, status: int, body: JsonObject) -> None:
        super().__init__(f"{status} {text(body, 'reason')}: {text(body, 'message')}")
        self.status, self.body = status, body


class KubeHttp:
    """Requests as one user. Raises ApiError for every answer from 400 on."""

    def __init__(
        self, url: str, ca: Path | None, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self._url = url
        self._tls: ssl.SSLContext | None = None
        if ca is not None:
            self._tls = ssl.create_default_context(cafile=ca)
            if certificate is not None and key is not None:
                self._tls.load_cert_chain(certificate, key)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls or False, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> tuple[int, JsonObject]:
        """Return status and object of an answer, whatever it says."""
        status, answer, _ = await self.told(method, path, body, query=query, kind=kind)
        return status, answer

    async def told(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> tuple[int, JsonObject, list[str]]:
        """Return status, object (``message`` alone where it isn't JSON) and warnings of an answer."""
        assert self._session is not None
        # A large body is sent as a stream: aiohttp warns of bytes beyond a MiB.
        data = None if body is None else io.BytesIO(json.dumps(body).encode())
        async with self._session.request(
            method, self._url + path, params=query, data=data, headers={"Content-Type": kind}
        ) as response:
            raw = await response.read()
            warnings = response.headers.getall("Warning", [])
            try:
                return response.status, obj(json.loads(raw)), warnings
            except ValueError:
                return response.status, {"message": raw.decode(errors="replace")}, warnings

    async def need(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> JsonObject:
        """Return the object of an answer that is no refusal."""
        status, answer = await self.ask(method, path, body, query=query, kind=kind)
        if status >= 400:
            raise ApiError(status, answer)
        return answer

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> JsonObject:
        """Return an object or a list."""
        return await self.need("GET", path, query=query)

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        """Create an object in a collection, and return it as it was stored."""
        return await self.need("POST", path, body)

    async def watch(self, path: str, query: Mapping[str, str]) -> AsyncIterator[tuple[str, JsonObject]]:
        """Yield type and object of each change until the server ends the watch."""
        assert self._session is not None
        limits = aiohttp.ClientTimeout(total=None, sock_read=None)
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._session.get(self._url + path, params=asked, timeout=limits) as response:
            buffer = b""
            async for chunk in response.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    event = obj(json.loads(line))
                    yield text(event, "type"), obj(event.get("object"))


async def until_gone(api: KubeHttp, path: str, within_s: float = 30) -> None:
    """Wait until an object is not found.

    Raises TimeoutError.
    """
    async with asyncio.timeout(within_s):
        while (await api.ask("GET", path))[0] != 404:  # noqa: ASYNC110  the cluster is asked
            await asyncio.sleep(0.1)
