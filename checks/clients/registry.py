"""A registry's distribution API: which digest a tag has now, and whether a digest is there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from checks.clients.errors import Where, WrongContentError
from checks.clients.wire import Reply, Wire
from state.base.images import ImageRef
from state.base.json import obj, objs, text

if TYPE_CHECKING:
    from checks.clients.endpoint_login import Secret
    from checks.clients.redact import Redactor
    from state.runbook.environment import Endpoint

# Without all four a registry answers 404 for an image that is stored in another of these formats.
_ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_PLATFORMS: Final = 16
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')


class RegistryClient:
    """One registry."""

    def __init__(
        self,
        endpoint: Endpoint,
        environment: str,
        redactor: Redactor,
        *,
        token: Secret = "",
        password: Secret = "",
    ) -> None:
        self.where = Where("Registry", environment)
        self._wire = Wire.to(endpoint, self.where, token=token, password=password)
        self._redactor = redactor
        self._tokens: dict[str, str] = {}
        self._same: dict[tuple[str, str], frozenset[str]] = {}

    async def digest(self, image: ImageRef) -> str:
        """Return the digest that the registry has for an image's digest, or else its tag.

        Raises NotFoundError where the registry doesn't have it.
        """
        reference = image.digest or image.tag or "latest"
        expected = f"the manifest of {image.repository} at {reference[:19]}"
        url = f"/v2/{image.repository}/manifests/{reference}"
        reply = await self._asked("HEAD", url, image.repository, expected)
        reply.need_success(expected=expected, permission=f"pull {image.repository}")
        digest = (reply.header("docker-content-digest") or "").strip()
        if not _DIGEST.fullmatch(digest):
            raise WrongContentError(
                f"{self.where} answered without a Docker-Content-Digest; expected {expected}"
            )
        return digest

    async def stands_for(self, image: ImageRef) -> frozenset[str]:
        """Return every digest by which a container runtime may call the image of a digest.

        That is its own; of an index its platforms' manifests; and the configuration of each. What a digest stands
        for never changes, so it is asked once. Raises NotFoundError where the registry doesn't have it.
        """
        key = (image.repository, image.digest)
        if key not in self._same:
            self._same[key] = frozenset([image.digest, *await self._within(image, deep=True)])
        return self._same[key]

    async def _within(self, image: ImageRef, *, deep: bool) -> list[str]:
        expected = f"the manifest of {image.repository} at {image.digest[:19]}"
        url = f"/v2/{image.repository}/manifests/{image.digest}"
        reply = await self._asked("GET", url, image.repository, expected)
        reply.need_success(expected=expected, permission=f"pull {image.repository}")
        manifest = reply.object(expected)
        found = [text(obj(manifest.get("config")), "digest")]
        # An attestation stands in an index as a manifest of no platform.
        platforms = [
            text(one, "digest")
            for one in objs(manifest.get("manifests"))
            if text(obj(one.get("platform")), "os") != "unknown"
        ][:_PLATFORMS]
        for digest in platforms if deep else []:
            inner = replace(image, digest=digest, tag="")
            found += [digest, *await self._within(inner, deep=False)]
        return [digest for digest in found if digest]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def _asked(self, method: str, url: str, repository: str, expected: str) -> Reply:
        reply = await self._send(method, url, repository, expected)
        # A registry names its token service in a 401: fetch a token, then ask again.
        if reply.status == 401 and await self._authenticate(reply, repository):
            reply = await self._send(method, url, repository, expected)
        return reply

    async def _send(self, method: str, url: str, repository: str, expected: str) -> Reply:
        headers = {"Accept": _ACCEPT}
        if repository in self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens[repository]}"
        return await self._wire.send(method, url, headers=headers, expected=expected)

    async def _authenticate(self, refused: Reply, repository: str) -> bool:
        challenge = refused.header("www-authenticate") or ""
        if not challenge.lower().startswith("bearer"):
            return False
        told = dict(_CHALLENGE.findall(challenge))
        realm = told.get("realm", "")
        if urlsplit(realm).scheme not in {"http", "https"}:
            return False
        params = {"scope": told.get("scope") or f"repository:{repository}:pull"}
        if told.get("service"):
            params["service"] = told["service"]
        answer = obj(await self._wire.get_json(realm, params, expected="a registry token"))
        token = text(answer, "token") or text(answer, "access_token")
        self._redactor.register(token)
        self._tokens[repository] = token
        return bool(token)
