"""Charts that take images by keys of their own: deployed, judged by 6.7 and 8.1, refused where the keys won't do."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.base import CheckContext, Outcome
from checks.registry import kind
from console.engine.operations.helm.chart import default_values
from console.engine.operations.helm.rendered_images import halves, likely_keys, named_images, refusals
from console.rehearsal.dotmac.names import Env, repository
from console.rehearsal.sim.fast_yaml import dump, load
from state.base.images import ImageRef
from state.base.json import Json, JsonObject, obj
from state.runbook.environment import Chart
from state.runbook.image_keys import ImageKeys
from state.view.enums import OperationState as State
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from tests.console.engine.operations.helms import both_helms, launched
from tests.console.engine.operations.stand import ANN, TWO, Change, Stand, launch, revisions, section

SPLIT = "jobs.image"
PARTS = ("registry", "repository", "tag", "digest")
OWN_KEYS: Json = {part: f"{SPLIT}.{part}" for part in PARTS}
DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def _keys(keys: Json) -> Change:
    """Let the runbook name the worker's keys, in both environments."""

    def change(body: dict[str, Json]) -> None:
        for tier in Tier:
            section(body, "environments", tier.value, "chart")["image_keys"] = {"worker": keys}

    return change


def _by_parts(stand: Stand, template: str, **values: Json) -> None:
    """Let the chart take the worker's image by parts, as charts usually do; the values files say nothing of it."""
    deployment = stand.platform.chart / "templates" / "worker-deployment.yaml"
    whole = "{{ .Values.image.worker | quote }}"
    assert whole in deployment.read_text()
    deployment.write_text(deployment.read_text().replace(whole, f'"{template}"'))
    defaults = stand.platform.chart / "values.yaml"
    old: Json = {"registry": "registry.dotmac.test", "repository": repository("worker"), "tag": "v1.3.0"}
    defaults.write_text(defaults.read_text() + dump({"jobs": {"image": {**obj(old), **values}}}))


async def _judge(stand: Stand, name: str, tier: Tier, settings: JsonObject) -> Outcome:
    judged = kind(name)
    assert judged is not None
    context = CheckContext(tier, stand.runbook, stand.clients, stand.world.clock, LaunchView())
    return await judged.run(dict(settings), context)


def _settings(stand: Stand, item: str, name: str) -> dict[str, Json]:
    found = stand.runbook.item(item)
    assert found is not None
    return dict(next(one.settings for one in found.checks if one.kind == name))


WHOLE = "{{ .Values.jobs.image.registry }}/{{ .Values.jobs.image.repository }}"


async def test_a_chart_with_parts_is_deployed_and_judged(tmp_path: Path) -> None:
    async with launch(tmp_path, change=_keys(OWN_KEYS)) as stand:
        _by_parts(stand, WHOLE + "@{{ .Values.jobs.image.digest }}", digest="")
        preview = await stand.operations.preview("staging.deploy", ANN)
        worker = stand.platform.artifacts.candidate["worker"]
        assert f"--set-string jobs.image.digest={worker} " in preview.commands[0]
        assert "image.worker=" not in preview.commands[0]
        assert "pass: what is rendered names every image of the candidate by its digest" in preview.checks
        ended = await stand.run("staging.deploy")
        assert ended.state is State.SUCCEEDED, ended.verdict
        deployed = await _judge(stand, "helm.candidate_deployed", Tier.STAGING, {})
        assert deployed.verdict is Verdict.PASS, deployed.summary
        by_setting = await _judge(
            stand, "helm.candidate_deployed", Tier.STAGING, {"parts": ["worker"], "image": SPLIT}
        )
        assert by_setting.verdict is Verdict.PASS, by_setting.summary
        wrong = await _judge(
            stand, "helm.candidate_deployed", Tier.STAGING, {"parts": ["worker"], "image": "image.{part}"}
        )
        assert wrong.verdict is Verdict.PASS, "the values file names it there too"
        await _judge_values(stand)


async def _judge_values(stand: Stand) -> None:
    """6.7 in staging, whose release is the candidate: good, then with a tag of the release before in Git."""
    settings = _settings(stand, "6.7", "helm.values")
    hosts: Json = {"hosts": {}}
    file = stand.world.folder.values(Env.STAGING)
    values = dict(load(file.read_text()))
    for tag, verdict, words in (
        ("v1.4.0", Verdict.PASS, "images are fixed"),
        ("1.4.0", Verdict.PASS, "images are fixed"),
        (stand.runbook.candidate.commit[:9], Verdict.PASS, "images are fixed"),
        ("v1.3.0", Verdict.FAIL, "name the worker image by the tag v1.3.0; the candidate is v1.4.0"),
    ):
        file.write_text(dump({**values, "jobs": {"image": {"tag": tag}}}))
        found = await _judge(stand, "helm.values", Tier.STAGING, {**settings, **obj(hosts)})
        assert found.verdict is verdict, found.summary
        assert words in found.summary
    file.write_text(dump({**values, "jobs": {"image": {"tag": "v1.4.0", "repository": "x/elsewhere"}}}))
    found = await _judge(stand, "helm.values", Tier.STAGING, {**settings, **obj(hosts)})
    assert "name x/elsewhere for worker" in found.summary


async def test_a_values_file_that_names_the_release_before_by_its_tag_fails(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        file = stand.world.folder.values(Env.PRODUCTION)
        values = dict(load(file.read_text()))
        old = f"registry.dotmac.test/{repository('worker')}:v1.3.0"
        file.write_text(dump({**values, "image": {**obj(values["image"]), "worker": old}}))
        found = await _judge(stand, "helm.values", Tier.PRODUCTION, _settings(stand, "6.7", "helm.values"))
        assert found.verdict is Verdict.FAIL
        assert found.summary == (
            "the candidate's values name the worker image by the tag v1.3.0; the candidate is v1.4.0"
        )


async def test_a_chart_that_would_not_run_the_candidate_is_refused(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        _by_parts(stand, WHOLE + ":{{ .Values.jobs.image.tag }}")
        answer = await stand.refused("staging.deploy", TWO)
        worker = stand.platform.artifacts.candidate["worker"]
        assert answer == (
            f"the chart would not run the candidate's worker ({worker[7:19]}) by image.worker; it names "
            "Deployment/dotmac-worker, container worker: "
            f"registry.dotmac.test/{repository('worker')}:v1.3.0. These keys would do, at "
            "environments.staging.chart: image_keys: { worker: { registry: jobs.image.registry, "
            "repository: jobs.image.repository, tag: jobs.image.tag } }. It has no key for a digest: "
            "the tag gets it too, as TAG@sha256:…"
        )
        assert revisions(stand, Env.STAGING) == ["1 deployed"]


@pytest.mark.wire
@both_helms
async def test_the_keys_that_a_refusal_names_do(tmp_path: Path, major: int) -> None:
    """A chart without a key for the digest, with the keys that the refusal above names, and real helm."""
    keys: Json = {part: f"{SPLIT}.{part}" for part in PARTS[:3]}
    async with launched(tmp_path, major, change=_keys(keys)) as stand:
        _by_parts(stand, WHOLE + ":{{ .Values.jobs.image.tag }}")
        assert (await stand.run("staging.deploy")).state is State.SUCCEEDED, stand.last().verdict
        worker = stand.platform.artifacts.candidate["worker"]
        assert f"worker {worker[7:19]}" in stand.steps()["images"][1]
        deployed = await _judge(stand, "helm.candidate_deployed", Tier.STAGING, {})
        assert deployed.verdict is Verdict.PASS, deployed.summary


def _pod(kind_: str, name: str, *containers: tuple[str, str], init: str = "") -> str:
    pod: JsonObject = {"containers": [{"name": n, "image": i} for n, i in containers]}
    if init:
        pod = {**pod, "initContainers": [{"name": "init", "image": init}]}
    template: JsonObject = {"metadata": {"annotations": {"image": "quoted@" + DIGEST}}, "spec": pod}
    spec: JsonObject = {"template": template}
    if kind_ == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    return "---\n" + dump({"apiVersion": "v1", "kind": kind_, "metadata": {"name": name}, "spec": spec})


CUSTOM: JsonObject = {
    "kind": "Cluster",
    "metadata": {"name": "db", "labels": {"image": "x@" + DIGEST}},
    "spec": {"image": {"repository": "shop/web", "digest": DIGEST}},
}
CONFIG: JsonObject = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"image": f"shop/web@{DIGEST}"}}
CHART = Chart(path="c", version="1")


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        (_pod("Deployment", "web", ("web", f"shop/web@{DIGEST}")), True),
        (_pod("StatefulSet", "web", ("web", f"shop/web:v1@{DIGEST}")), True),
        (_pod("CronJob", "web", ("web", f"shop/web@{DIGEST}")), True),
        (_pod("Deployment", "web", ("web", "shop/web:v1"), init=f"shop/web@{DIGEST}"), True),
        ("---\n" + dump(CUSTOM), True),
        ("---\n" + dump(CONFIG), False),
        (_pod("Deployment", "web", ("web", "shop/web:v1")), False),
        (_pod("Deployment", "web", ("web", f"shop/web@{OTHER}")), False),
        ("", False),
    ],
)
def test_what_counts_as_naming_a_digest(manifest: str, named: bool) -> None:
    told = refusals(manifest, {"web": f"shop/web@{DIGEST}"}, CHART, {}, "environments.staging.chart")
    assert (not told) is named, (told, named_images(manifest))
    if told:
        assert (
            "Name the chart's own keys of this image at environments.staging.chart.image_keys.web" in told[0]
        )


def test_one_of_two_containers_of_a_repository_is_named_and_may_be_overridden() -> None:
    images = {"web": f"host.example/shop/web@{DIGEST}"}
    manifest = _pod("Deployment", "web", ("web", f"shop/web@{DIGEST}"), ("proxy", "proxy:1"))
    assert halves(manifest, images) == []
    both = (
        manifest
        + _pod("Deployment", "worker", ("worker", "shop/web:v1"))
        + _pod("Job", "m", ("m", "shop/web:v1"))
    )
    (told,) = halves(both, images)
    assert told == (
        "Deployment/worker, container worker would run shop/web:v1, not the candidate's web: "
        "name its keys too, as a second set in image_keys.web"
    )


VALUES: dict[str, tuple[JsonObject, list[ImageKeys]]] = {
    "as helm create makes it": (
        {"image": {"repository": "nginx", "pullPolicy": "Always", "tag": ""}, "web": {"image": {}}},
        [],
    ),
    "the same repository": (
        {
            "image": {"repository": "shop/web", "tag": ""},
            "db": {"image": {"repository": "postgres", "tag": "1"}},
        },
        [ImageKeys(repository="image.repository", tag="image.tag")],
    ),
    "twice": (
        {
            "api": {"image": {"registry": "r.example", "repository": "shop/web", "tag": "", "digest": ""}},
            "jobs": {"image": f"r.example/shop/web@{OTHER}"},
        },
        [
            ImageKeys(
                registry="api.image.registry",
                repository="api.image.repository",
                tag="api.image.tag",
                digest="api.image.digest",
            ),
            ImageKeys(ref="jobs.image"),
        ],
    ),
    "the same last name": (
        {"image": {"repository": "mirror.example/elsewhere/web", "tag": "1", "sha": ""}},
        [ImageKeys(repository="image.repository", tag="image.tag", sha="image.sha")],
    ),
    "keys beside each other": (
        {"imageRepository": "shop/web", "imageTag": "v1", "other": {"repository": "https://charts.example"}},
        [ImageKeys(repository="imageRepository", tag="imageTag")],
    ),
    "by the key's name": (
        {"web": {"image": {"repository": "x/frontend", "tag": "1"}}, "a.b": {"image": "x/y:1"}},
        [ImageKeys(repository="web.image.repository", tag="web.image.tag")],
    ),
    "a key with a dot": ({"a.b": {"image": "shop/web:1"}}, [ImageKeys(ref=r"a\.b.image")]),
}


@pytest.mark.parametrize("form", VALUES)
def test_keys_are_found_in_a_charts_values(form: str) -> None:
    values, expected = VALUES[form]
    assert likely_keys(values, "web", ImageRef.parse(f"r.example/shop/web@{DIGEST}")) == expected


def test_the_values_of_a_chart_and_its_vendored_ones(tmp_path: Path) -> None:
    inner = tmp_path / "charts" / "store-1"
    inner.mkdir(parents=True)
    (inner / "Chart.yaml").write_text("name: store\nversion: 1.0.0\n")
    (inner / "values.yaml").write_text("image: { repository: a/b, tag: '1' }\nsize: 1\n")
    (tmp_path / "values.yaml").write_text("store: { size: 2 }\nown: true\n")
    assert default_values(tmp_path) == {
        "own": True,
        "store": {"image": {"repository": "a/b", "tag": "1"}, "size": 2},
    }
    assert default_values(tmp_path / "nowhere") == {}
