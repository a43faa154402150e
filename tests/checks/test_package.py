"""``artifact.packaged``: what values files and a chart on this machine must say of the candidate."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from checks.base import CheckContext, Outcome
from checks.clients.clients import Clients
from checks.package import PackagedSettings, packaged
from console.rehearsal.sim.oci_registry import Registry, image_manifest
from state.base.clock import SystemClock
from state.base.json import Json, JsonObject
from state.runbook.endpoint import Endpoint
from state.runbook.environment import Chart
from state.runbook.image_keys import ImageKeys
from state.runbook.load import load_runbook
from state.runbook.models import Candidate, Images
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from tests.console.rehearsal.serving import served
from tests.paths import SOP_RUNBOOK

NEW, OLD = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
API, WORKER = f"reg.test/shop/api@{NEW}", f"reg.test/shop/worker@{NEW}"
GOOD: JsonObject = {"image": {"api": API, "worker": WORKER}}
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


def chart(folder: Path, told: JsonObject | None = None, *vendored: str) -> Path:
    """Write a chart's folder with charts in it: ``redis/`` is a folder, ``redis-1.2.3.tgz`` an archive."""
    (folder / "charts").mkdir(parents=True, exist_ok=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"name": "shop", "version": "0.1.0", **(told or {})}))
    for name in vendored:
        place = folder / "charts" / name
        place.mkdir() if name.endswith("/") else place.write_bytes(b"")
    return folder


async def found(
    folder: Path,
    *,
    values: dict[Tier, JsonObject] | None = None,
    path: str | None = None,
    keys: Mapping[str, tuple[ImageKeys, ...]] | None = None,
    registry: str = "http://127.0.0.1:9",
) -> Outcome:
    book = load_runbook(SOP_RUNBOOK).runbook
    environments = {}
    for tier, environment in book.environments.items():
        file = folder / f"{tier}.yaml"
        file.write_text(yaml.safe_dump((values or {}).get(tier, GOOD)))
        made = Chart(
            path=path or str(folder / "chart"), version="0.1.0", values=(file,), image_keys=keys or {}
        )
        changes = {"chart": made, "registry": Endpoint(url=registry)}
        environments[tier] = environment.model_copy(update=changes)
    candidate = Candidate(version="v2.0.0", commit="c" * 40, images=Images({"api": API, "worker": WORKER}))
    book = book.model_copy(update={"candidate": candidate, "environments": environments})
    clients = Clients(book)
    try:
        context = CheckContext(Tier.PRODUCTION, book, clients, SystemClock(), LaunchView())
        return await packaged(PackagedSettings(), context)
    finally:
        await clients.aclose()


def _image(**images: Json) -> JsonObject:
    return {"image": {"api": API, "worker": WORKER, **images}}


def _split(tag: str) -> JsonObject:
    return {"image": {"api": API}, "jobs": {"image": {"repository": "reg.test/shop/worker", "tag": tag}}}


@pytest.mark.parametrize(
    ("production", "verdict", "message"),
    [
        (GOOD, PASS, "the values of staging and production name the candidate's 2 images; the chart is complete"),
        (_image(worker=f"reg.test/shop/worker@{OLD}"), FAIL, "of production name sha256:bbbbbbbbbbbb for worker"),
        (_image(worker="reg.test/shop/worker:v2.0.0"), PASS, "2 images"),
        (_image(worker="reg.test/shop/worker:cccccccc"), PASS, "2 images"),
        (_image(worker="reg.test/shop/worker:v1.3.0"), FAIL, "by the tag v1.3.0; the candidate is v2.0.0"),
        (_image(worker="reg.test/shop/worker:latest"), FAIL, "by the tag latest"),
        (_image(worker=None), FAIL, "no worker image: v2.0.0 is expected at image.worker"),
        (_image(worker="reg.test/shop/worker"), FAIL, "name no worker image"),
        ({}, FAIL, "name no api image"),
    ],
)  # fmt: skip
async def test_what_values_name(
    tmp_path: Path, production: JsonObject, verdict: Verdict, message: str
) -> None:
    chart(tmp_path / "chart")
    seen = await found(tmp_path, values={Tier.PRODUCTION: production})
    assert (seen.verdict, message in seen.summary) == (verdict, True), seen.summary


async def test_staging_counts_as_production_does(tmp_path: Path) -> None:
    chart(tmp_path / "chart")
    seen = await found(tmp_path, values={Tier.STAGING: _image(api="reg.test/shop/api:v1.9.9")})
    assert (seen.verdict, seen.summary[:47]) == (FAIL, "the values of staging name the api image by the")


async def test_an_image_in_parts_is_read_where_the_chart_has_it(tmp_path: Path) -> None:
    chart(tmp_path / "chart")
    keys = {"worker": (ImageKeys(repository="jobs.image.repository", tag="jobs.image.tag"),)}
    split: JsonObject = {
        "image": {"api": API},
        "jobs": {"image": {"repository": "reg.test/shop/worker", "tag": "v2.0.0"}},
    }
    both = {Tier.STAGING: split, Tier.PRODUCTION: split}
    assert (await found(tmp_path, values=both, keys=keys)).verdict is PASS
    old: JsonObject = {
        "image": {"api": API},
        "jobs": {"image": {"repository": "reg.test/shop/worker", "tag": "v1.0.0"}},
    }
    seen = await found(tmp_path, values={**both, Tier.PRODUCTION: old}, keys=keys)
    assert (seen.verdict, "by the tag v1.0.0" in seen.summary) == (FAIL, True)


@pytest.mark.parametrize(
    ("told", "vendored", "verdict", "message"),
    [
        ({"dependencies": [{"name": "redis", "version": "1.2.3"}]}, ["redis-1.2.3.tgz"], PASS, ""),
        ({"dependencies": [{"name": "redis", "version": "1.2.3"}]}, ["redis/"], PASS, ""),
        ({"dependencies": [{"name": "redis"}]}, [], FAIL, "needs redis, which is not in its charts folder"),
        ({"dependencies": [{"name": "redis"}]}, ["redis-cluster-9.0.0.tgz"], FAIL, "needs redis"),
        ({"version": "0.2.0"}, [], FAIL, "the chart of staging is 0.2.0; expected 0.1.0"),
    ],
)
async def test_what_the_chart_lacks(
    tmp_path: Path, told: JsonObject, vendored: list[str], verdict: Verdict, message: str
) -> None:
    chart(tmp_path / "chart", told, *vendored)
    seen = await found(tmp_path)
    assert (seen.verdict, message in seen.summary) == (verdict, True), seen.summary


async def test_an_archive_says_its_version_and_what_is_no_chart_is_unknown(tmp_path: Path) -> None:
    file = tmp_path / "shop-0.1.0.tgz"
    with tarfile.open(file, "w:gz") as archive:
        raw = b"name: shop\nversion: 0.1.0\n"
        member = tarfile.TarInfo("shop/Chart.yaml")
        member.size = len(raw)
        archive.addfile(member, io.BytesIO(raw))
    assert (await found(tmp_path, path=str(file))).verdict is PASS
    file.write_bytes(b"no archive")
    seen = await found(tmp_path, path=str(file))
    assert seen.verdict is UNKNOWN
    assert "expected a folder or an archive on this machine, or oci://" in seen.summary
    assert (await found(tmp_path, path="stable/shop")).verdict is UNKNOWN


async def test_a_chart_in_a_registry_is_looked_for_there(tmp_path: Path) -> None:
    registry = Registry({"team/shop": {"0.1.0": image_manifest("team/shop", "0.1.0")}})
    async with served(registry.application()) as url:
        assert (await found(tmp_path, path="oci://reg.test/team/shop", registry=url)).verdict is PASS
        registry.remove("team/shop", "0.1.0")
        seen = await found(tmp_path, path="oci://reg.test/team/shop", registry=url)
        assert (seen.verdict, "answered 404" in seen.summary) == (UNKNOWN, True)


async def test_values_that_can_not_be_read_are_unknown(tmp_path: Path) -> None:
    chart(tmp_path / "chart")
    seen = await found(tmp_path, values={Tier.PRODUCTION: GOOD})
    assert seen.verdict is PASS
    (tmp_path / "chart" / "values.yaml").write_text("image: [")
    seen = await found(tmp_path)
    assert seen.verdict is UNKNOWN
