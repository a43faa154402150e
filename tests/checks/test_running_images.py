"""Which image runs, by every digest that a container runtime reports of one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from checks.base import CouldNotLookError
from checks.clients.redact import Redactor
from checks.clients.registry import RegistryClient
from checks.judging import Findings
from checks.running_images import as_released, others_than
from console.rehearsal.sim.oci_registry import Registry, image_manifest
from state.base.images import ImageRef
from state.base.json import Json, JsonObject, obj, text
from state.runbook.environment import Endpoint
from state.view.enums import Verdict
from state.view.pods import running_digests, unnamed_digests
from tests.console.rehearsal.serving import served

NAME = "team/shop"
INDEX = "application/vnd.oci.image.index.v1+json"
AMD, ARM = image_manifest(NAME, "amd64"), image_manifest(NAME, "arm64")
OTHER = "sha256:" + "f" * 64


def config_of(manifest: JsonObject) -> str:
    return text(obj(manifest.get("config")), "digest")


class Stored:
    """A registry that has an image for two platforms, with an attestation beside them."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.amd = self.registry.tag(NAME, "amd64", AMD)
        self.arm = self.registry.tag(NAME, "arm64", ARM)
        attested = image_manifest(NAME, "attestation")
        self.attested = self.registry.tag(NAME, "attestation", attested)
        places = {self.amd: "linux", self.arm: "linux", self.attested: "unknown"}
        manifests: list[Json] = [{"digest": d, "platform": {"os": system}} for d, system in places.items()]
        self.index = self.registry.tag(NAME, "1", {"mediaType": INDEX, "manifests": manifests})
        self.plain = self.registry.tag(NAME, "2", image_manifest(NAME, "2"))


@pytest.fixture
async def there() -> AsyncIterator[tuple[Stored, RegistryClient]]:
    stored = Stored()
    asked: list[str] = []

    async def counted(request: web.Request) -> None:
        asked.append(request.path)

    stored.registry.hooks.append(counted)
    async with served(stored.registry.application()) as url:
        client = RegistryClient(Endpoint.model_validate({"url": url}), "production", Redactor())
        yield stored, client
        assert len(asked) == len(set(asked)), "what a digest stands for is asked once"
        await client.aclose()


async def test_a_registry_says_which_digests_stand_for_an_image(there: tuple[Stored, RegistryClient]) -> None:
    stored, client = there
    for _ in range(2):
        found = await client.stands_for(ImageRef("", NAME, "", stored.index))
        assert found == {stored.index, stored.amd, stored.arm, config_of(AMD), config_of(ARM)}
    plain = await client.stands_for(ImageRef("", NAME, "", stored.plain))
    assert plain == {stored.plain, config_of(image_manifest(NAME, "2"))}


@pytest.mark.parametrize(
    ("called", "same"),
    [
        ("reg.test/team/shop@{index}", True),
        ("docker-pullable://reg.test/team/shop@{index}", True),
        ("reg.test/team/shop@{amd}", True),
        ("docker-pullable://reg.test/team/shop@{arm}", True),
        ("{config}", True),
        ("docker://{config}", True),
        ("reg.test/team/shop@{plain}", False),
        ("{other}", False),
        ("reg.test/team/shop@{attested}", False),
        ("", False),
    ],
)
async def test_what_runs_by_the_name_of_the_release(
    there: tuple[Stored, RegistryClient], called: str, same: bool
) -> None:
    stored, client = there
    digests = {"index": stored.index, "amd": stored.amd, "arm": stored.arm, "plain": stored.plain}
    image = called.format(**digests, attested=stored.attested, config=config_of(AMD), other=OTHER)
    status: JsonObject = {"containerStatuses": [{"name": "web", "imageID": image}]}
    pod: JsonObject = {"status": status}
    running = running_digests(pod).items()
    reference = f"reg.test/{NAME}:1@{stored.index}"
    named = await as_released(running, {"web": reference}, {"web": reference}, unnamed_digests(pod), client)
    assert (named == (("web", stored.index),)) == same


@pytest.mark.parametrize(
    ("called", "verdict"),
    [
        ("reg.test/team/shop@{index}", Verdict.PASS),
        ("reg.test/team/shop@{amd}", Verdict.PASS),
        ("mirror.test/team/shop@{arm}", Verdict.PASS),
        ("{config}", Verdict.PASS),
        ("docker://{config}", Verdict.PASS),
        ("docker.io/library/import-2026-11-30@{amd}", Verdict.PASS),
        ("reg.test/team/shop@{plain}", Verdict.FAIL),
        ("reg.test/team/shop@{attested}", Verdict.FAIL),
        ("docker-pullable://reg.test/team/shop@{other}", Verdict.FAIL),
        ("{other}", Verdict.UNKNOWN),
        ("docker://{other}", Verdict.UNKNOWN),
        ("docker.io/library/import-2026-11-30@{other}", Verdict.UNKNOWN),
        ("", Verdict.UNKNOWN),
    ],
)
async def test_what_another_image_than_the_release_is_called(
    there: tuple[Stored, RegistryClient], called: str, verdict: Verdict
) -> None:
    stored, client = there
    digests = {"index": stored.index, "amd": stored.amd, "arm": stored.arm, "plain": stored.plain}
    image = called.format(**digests, attested=stored.attested, config=config_of(AMD), other=OTHER)
    pod: JsonObject = {"status": {"containerStatuses": [{"name": "web", "imageID": image}]}}
    told = {f"web-{box}": digest for box, digest in running_digests(pod).items()}
    loaded = {digest for _, digest in unnamed_digests(pod)}
    findings = Findings()
    findings.saw("pods", len(told))
    reference = f"reg.test/{NAME}:1@{stored.index}"
    for one, digest in (await others_than(reference, told, client, findings, loaded=loaded)).items():
        findings.wrong(f"{one} runs {digest}")
    assert findings.outcome("all run the release").verdict is verdict


async def test_without_a_registry_a_configuration_cannot_be_told_and_another_digest_differs() -> None:
    client = RegistryClient(Endpoint.model_validate({"url": "http://127.0.0.1:9"}), "production", Redactor())
    release = {"web": f"reg.test/{NAME}@sha256:{'a' * 64}"}
    try:
        found = await as_released([("web", OTHER), ("mesh", OTHER)], release, {}, set(), client)
        assert found == (("mesh", OTHER), ("web", OTHER))
        with pytest.raises(CouldNotLookError, match="which image ffffffffffff is can't be told"):
            await as_released([("web", OTHER)], release, {}, {("web", OTHER)}, client)
    finally:
        await client.aclose()
