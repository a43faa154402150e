"""How charts take images: the forms in which public charts have them, both ways."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from state.base.json import JsonObject
from state.runbook.environment import Chart
from state.runbook.image_keys import ImageKeys, assignments, keys_at, reference_in, usual, value_at

SHA = "1" * 64
DIGEST = f"sha256:{SHA}"
WEB = f"registry.shop.example:5000/shop/web@{DIGEST}"
TAGGED = f"registry.shop.example:5000/shop/web:v1.4.0@{DIGEST}"

FORMS: dict[str, tuple[ImageKeys, dict[str, str], JsonObject]] = {
    "one string": (usual("web"), {"image.web": WEB}, {"image": {"web": WEB}}),
    "a string elsewhere": (
        ImageKeys(ref="pods[0].image"),
        {"pods[0].image": WEB},
        {"pods": [{"image": WEB}]},
    ),
    "repository and digest": (
        ImageKeys(repository="image.repository", digest="image.digest"),
        {"image.repository": "registry.shop.example:5000/shop/web", "image.digest": DIGEST},
        {"image": {"repository": "registry.shop.example:5000/shop/web", "digest": DIGEST}},
    ),
    "registry, repository, tag, digest": (
        ImageKeys(
            registry="image.registry", repository="image.repository", tag="image.tag", digest="image.digest"
        ),
        {
            "image.registry": "registry.shop.example:5000",
            "image.repository": "shop/web",
            "image.tag": "v1.4.0",
            "image.digest": DIGEST,
        },
        {
            "image": {
                "registry": "registry.shop.example:5000",
                "repository": "shop/web",
                "tag": "v1.4.0",
                "digest": DIGEST,
            }
        },
    ),
    "tag alone": (
        ImageKeys(repository="api.image.repository", tag="api.image.tag"),
        {
            "api.image.repository": "registry.shop.example:5000/shop/web",
            "api.image.tag": f"v1.4.0@{DIGEST}",
        },
        {"api": {"image": {"repository": "registry.shop.example:5000/shop/web", "tag": f"v1.4.0@{DIGEST}"}}},
    ),
    "bare digits": (
        ImageKeys(repository="image.repository", tag="image.tag", sha="image.sha"),
        {
            "image.repository": "registry.shop.example:5000/shop/web",
            "image.tag": "v1.4.0",
            "image.sha": SHA,
        },
        {"image": {"repository": "registry.shop.example:5000/shop/web", "tag": "v1.4.0", "sha": SHA}},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_given_and_read_back(form: str) -> None:
    keys, given, values = FORMS[form]
    assert dict(assignments({"web": (keys,)}, {"web": WEB}, "v1.4.0")) == given
    assert {key: value_at(values, key) for key in given} == given
    read = reference_in(values, keys)
    assert read in {WEB, TAGGED}


def test_an_image_that_a_chart_names_twice_is_given_twice() -> None:
    sets = (usual("web"), ImageKeys(tag="jobs.tag", digest="jobs.digest"))
    given = list(assignments({"web": sets}, {"web": TAGGED, "other": WEB}, "v9"))
    assert given == [
        ("image.web", TAGGED),
        ("jobs.tag", "v1.4.0"),
        ("jobs.digest", DIGEST),
        ("image.other", WEB),
    ]


def test_values_as_people_write_them() -> None:
    keys = ImageKeys(repository="i.repository", tag="i.tag")
    assert reference_in({"i": {"repository": "a/b", "tag": 1.4}}, keys) == "a/b:1.4"
    assert reference_in({"i": {"repository": "a/b", "tag": ""}}, keys) == "a/b"
    assert reference_in({"i": {"tag": "v1"}}, keys) == ":v1"
    assert reference_in({"i": {"repository": None}}, keys) is None
    assert reference_in({"i": []}, keys) is None
    assert reference_in({"a.b": {"c": "x/y:1"}}, ImageKeys(ref=r"a\.b.c")) == "x/y:1"
    whole: JsonObject = {"split": {"web": {"repository": "a/b", "digest": DIGEST}}, "image": {"web": WEB}}
    assert reference_in(whole, keys_at(whole, "split.web")) == f"a/b@{DIGEST}"
    assert reference_in(whole, keys_at(whole, "image.web")) == WEB
    assert reference_in(whole, keys_at(whole, "nowhere")) is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"ref": "a", "tag": "b"}, "one or the other"),
        ({"repository": "a"}, "can't be given a digest"),
        ({"digest": "a", "sha": "b"}, "two forms of the same"),
        ({"tag": "a=b"}, "match pattern"),
        ({"tags": "a"}, "Extra inputs"),
    ],
)
def test_keys_that_would_not_do_are_refused(keys: dict[str, str], message: str) -> None:
    for value in (keys, [keys]):
        with pytest.raises(ValidationError, match=message):
            Chart.model_validate({"path": "c", "version": "1", "image_keys": {"web": value}})


def test_an_editor_is_told_of_both_ways_to_write_them() -> None:
    chart = Chart.model_validate({"path": "c", "version": "1", "image_keys": {"web": {"tag": "t"}}})
    assert chart.keys_of("web") == (ImageKeys(tag="t"),)
    assert chart.keys_of("other") == (usual("other"),)
    shape = Chart.model_json_schema()["properties"]["image_keys"]["additionalProperties"]
    assert {"$ref", "type"} <= {key for way in shape["anyOf"] for key in way}
