"""An OCI distribution registry (version 2), to read from: manifests, tags, sizes of blobs."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web

from console.rehearsal.sim.hooks import Before, guarded
from state.base.json import Json, JsonObject, integer, obj, objs, opt_text, text

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(body: bytes) -> str:
    """Return the digest of some content."""
    return f"sha256:{sha256(body).hexdigest()}"


def manifest_bytes(manifest: JsonObject) -> bytes:
    """Return a manifest as the registry keeps and serves it."""
    return json.dumps(manifest, indent=2).encode()


def image_manifest(name: str, revision: str) -> JsonObject:
    """Return a manifest with a configuration and a layer that follow from name and revision."""

    def blob(what: str, media: str) -> JsonObject:
        seed = f"{name}/{revision}/{what}".encode()
        return {"mediaType": media, "digest": digest_of(seed), "size": 1000 + seed[-1] * 37}

    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob("config", "application/vnd.oci.image.config.v1+json"),
        "layers": [blob("layer", "application/vnd.oci.image.layer.v1.tar+gzip")],
    }


@dataclass(slots=True)
class _Repository:
    manifests: dict[str, tuple[str, bytes]]
    """Media type and body by digest."""
    tags: dict[str, str]
    """Digest by tag."""
    blobs: dict[str, int]
    """Size by digest."""


class Registry:
    """A registry that serves ``images`` (name, tag, manifest).

    With ``credentials`` (user, password) every request needs them, by Basic authentication.
    """

    def __init__(
        self,
        images: Mapping[str, Mapping[str, JsonObject]] | None = None,
        *,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self.hooks: list[Before] = []
        self._credentials = credentials
        self._repositories: dict[str, _Repository] = {}
        for name, tags in (images or {}).items():
            for tag, manifest in tags.items():
                self.tag(name, tag, manifest)

    def tag(self, name: str, tag: str, manifest: JsonObject) -> str:
        """Let a tag point to a manifest and return the manifest's digest.

        A manifest that the tag pointed to before stays there under its digest. Raises ValueError for a
        name that no registry takes.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a repository")
        digest = self._keep(name, manifest)
        self._repositories[name].tags[tag] = digest
        return digest

    def tag_index(self, name: str, tag: str, platforms: Mapping[str, JsonObject]) -> str:
        """Let a tag point to an index of manifests by architecture, all of Linux, and return the index's digest."""
        manifests: list[Json] = [
            {
                "mediaType": OCI_MANIFEST,
                "digest": self._keep(name, manifest),
                "size": len(manifest_bytes(manifest)),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture, manifest in platforms.items()
        ]
        return self.tag(name, tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})

    def manifest(self, name: str, digest: str) -> JsonObject:
        """Return a manifest; raises KeyError where there is none."""
        return obj(json.loads(self._repositories[name].manifests[digest][1]))

    def _keep(self, name: str, manifest: JsonObject) -> str:
        repository = self._repositories.setdefault(name, _Repository({}, {}, {}))
        body = manifest_bytes(manifest)
        digest = digest_of(body)
        repository.manifests[digest] = (opt_text(manifest, "mediaType") or OCI_MANIFEST, body)
        config = manifest.get("config")
        for blob in [*objs([config]), *objs(manifest.get("layers"))]:
            repository.blobs[text(blob, "digest")] = integer(blob, "size")
        return digest

    def digest(self, name: str, tag: str) -> str | None:
        """Return the digest that a tag points to, or None."""
        repository = self._repositories.get(name)
        return repository.tags.get(tag) if repository else None

    def has(self, name: str, digest: str) -> bool:
        """Return whether a manifest is there."""
        repository = self._repositories.get(name)
        return repository is not None and digest in repository.manifests

    def remove(self, name: str, reference: str) -> None:
        """Delete a tag, or a manifest by its digest with all tags that point to it."""
        repository = self._repositories[name]
        if reference in repository.manifests:
            del repository.manifests[reference]
            repository.tags = {tag: one for tag, one in repository.tags.items() if one != reference}
        else:
            repository.tags.pop(reference, None)

    def application(self) -> web.Application:
        """Return the server as an application of aiohttp."""
        app = guarded(self.hooks)
        app.router.add_get("/v2/", self._root)
        app.router.add_get("/v2/_catalog", self._catalog)
        app.router.add_get("/v2/{name:.+}/manifests/{reference}", self._manifest)
        app.router.add_get("/v2/{name:.+}/tags/list", self._tags)
        app.router.add_head("/v2/{name:.+}/blobs/{digest}", self._blob)
        return app

    def _refused(self, request: web.Request) -> web.Response | None:
        if self._credentials is None or _allowed(request.headers.get("Authorization", ""), self._credentials):
            return None
        answer = _error(401, "UNAUTHORIZED", "authentication required")
        answer.headers["WWW-Authenticate"] = 'Basic realm="registry"'
        return answer

    async def _root(self, request: web.Request) -> web.Response:
        return self._refused(request) or _json({})

    async def _catalog(self, request: web.Request) -> web.Response:
        return self._refused(request) or _json({"repositories": sorted(self._repositories)})

    async def _tags(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        name = request.match_info["name"]
        repository = self._repositories.get(name)
        if repository is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        return _json({"name": name, "tags": sorted(repository.tags)})

    async def _manifest(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        name, reference = request.match_info["name"], request.match_info["reference"]
        repository = self._repositories.get(name)
        if repository is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        digest = reference if ":" in reference else repository.tags.get(reference, "")
        if ":" in reference and not _DIGEST.fullmatch(reference):
            return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        found = repository.manifests.get(digest)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": reference})
        media_type, body = found
        if not _accepted(request.headers.getall("Accept", []), media_type):
            message = f"{media_type} manifest found, but accept header does not support it"
            return _error(404, "MANIFEST_UNKNOWN", message)
        headers = {
            "Content-Type": media_type,
            "Docker-Content-Digest": digest,
            "Docker-Distribution-Api-Version": "registry/2.0",
            "Etag": f'"{digest}"',
        }
        return web.Response(body=body, headers=headers)

    async def _blob(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        repository = self._repositories.get(request.match_info["name"])
        digest = request.match_info["digest"]
        size = repository.blobs.get(digest) if repository else None
        if size is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        headers = {"Content-Length": str(size), "Docker-Content-Digest": digest}
        return web.Response(headers=headers, content_type="application/octet-stream")


def _allowed(header: str, credentials: tuple[str, str]) -> bool:
    kind, _, value = header.partition(" ")
    try:
        given = base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    expected = f"{credentials[0]}:{credentials[1]}".encode()
    return kind.lower() == "basic" and hmac.compare_digest(given, expected)


def _accepted(headers: list[str], media_type: str) -> bool:
    """Return whether a client takes a manifest; one that names no type takes Docker's only, as Docker's does."""
    types = {one.partition(";")[0].strip() for header in headers for one in header.split(",")}
    if not types or types == {"*/*"}:
        return media_type in {DOCKER_MANIFEST, DOCKER_LIST}
    return media_type in types


def _json(body: Json) -> web.Response:
    headers = {"Docker-Distribution-Api-Version": "registry/2.0"}
    return web.json_response(body, headers=headers)


def _error(status: int, code: str, message: str, detail: Json = None) -> web.Response:
    body: Json = {"errors": [{"code": code, "message": message, "detail": detail}]}
    answer = web.json_response(body, status=status)
    answer.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
    return answer
