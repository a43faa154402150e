from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest
from aiohttp import web

from console.rehearsal.sim.oci_registry import DOCKER_MANIFEST, OCI_MANIFEST, Registry, image_manifest
from tests.console.rehearsal.serving import served

_NAME = "dotmactech/dotmac-platform-backend"
_ALL = f"{OCI_MANIFEST}, {DOCKER_MANIFEST}"


def _registry() -> Registry:
    images = {_NAME: {"v1.4.0": image_manifest(_NAME, "v1.4.0"), "v1.3.0": image_manifest(_NAME, "v1.3.0")}}
    return Registry(images, credentials=("captain", "secret"))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    registry = _registry()
    async with (
        served(registry.application()) as url,
        httpx.AsyncClient(base_url=url, auth=("captain", "secret")) as http,
    ):
        yield http


async def test_a_manifest_has_its_own_digest_by_tag_and_by_digest(client: httpx.AsyncClient) -> None:
    head = await client.head(f"/v2/{_NAME}/manifests/v1.4.0", headers={"Accept": _ALL})
    digest = head.headers["Docker-Content-Digest"]
    body = await client.get(f"/v2/{_NAME}/manifests/{digest}", headers={"Accept": _ALL})
    assert (head.status_code, body.status_code) == (200, 200)
    assert digest == f"sha256:{sha256(body.content).hexdigest()}"
    assert body.headers["Content-Type"] == OCI_MANIFEST
    assert int(head.headers["Content-Length"]) == len(body.content)


async def test_an_oci_manifest_is_not_found_without_accept(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v2/{_NAME}/manifests/v1.4.0")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


async def test_a_tag_moves_and_the_old_digest_stays() -> None:
    registry = _registry()
    old = registry.digest(_NAME, "v1.4.0")
    new = registry.tag(_NAME, "v1.4.0", image_manifest(_NAME, "rebuilt"))
    assert new != old
    async with (
        served(registry.application()) as url,
        httpx.AsyncClient(base_url=url, auth=("captain", "secret"), headers={"Accept": _ALL}) as http,
    ):
        assert (await http.head(f"/v2/{_NAME}/manifests/{old}")).status_code == 200
        moved = await http.head(f"/v2/{_NAME}/manifests/v1.4.0")
        assert moved.headers["Docker-Content-Digest"] == new
        registry.remove(_NAME, new)
        assert (await http.head(f"/v2/{_NAME}/manifests/v1.4.0")).status_code == 404


async def test_tags_blobs_and_unknown_names(client: httpx.AsyncClient) -> None:
    tags = await client.get(f"/v2/{_NAME}/tags/list")
    assert tags.json() == {"name": _NAME, "tags": ["v1.3.0", "v1.4.0"]}
    manifest = (await client.get(f"/v2/{_NAME}/manifests/v1.4.0", headers={"Accept": _ALL})).json()
    layer = manifest["layers"][0]
    blob = await client.head(f"/v2/{_NAME}/blobs/{layer['digest']}")
    assert (blob.status_code, int(blob.headers["Content-Length"])) == (200, layer["size"])
    assert (await client.head(f"/v2/{_NAME}/blobs/sha256:{'0' * 64}")).status_code == 404
    unknown = await client.get(f"/v2/{_NAME}/manifests/v9", headers={"Accept": _ALL})
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")
    nowhere = await client.get("/v2/no/where/tags/list")
    assert nowhere.json()["errors"][0]["code"] == "NAME_UNKNOWN"


async def test_without_credentials_the_registry_asks_for_them(client: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(base_url=client.base_url) as anonymous:
        answer = await anonymous.get("/v2/")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        wrong = await anonymous.get("/v2/", auth=("captain", "wrong"))
        assert wrong.status_code == 401
    assert (await client.get("/v2/")).json() == {}


async def test_a_hook_answers_first() -> None:
    registry = Registry()

    async def broken(request: web.Request) -> web.StreamResponse | None:
        return web.Response(text="<html>Bad Gateway</html>", status=502, content_type="text/html")

    async with served(registry.application()) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/v2/")).status_code == 200
        registry.hooks.append(broken)
        assert (await http.get("/v2/")).status_code == 502
        registry.hooks.remove(broken)
        assert (await http.get("/v2/")).status_code == 200
