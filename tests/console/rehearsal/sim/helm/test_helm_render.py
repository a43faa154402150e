from __future__ import annotations

import subprocess

import pytest

from console.rehearsal.sim.helm.apply import merge_patch
from console.rehearsal.sim.helm.arguments import UsageError, go_duration, parse
from console.rehearsal.sim.helm.cluster import HelmError
from console.rehearsal.sim.helm.releases import Release, Status, decode, encode, rfc3339
from console.rehearsal.sim.helm.render import Chart, Names, load_chart, merged, render, set_value
from state.base.json import Json
from tests.console.engine.operations.helms import both_helms, find
from tests.paths import ROOT

CHART = ROOT / "console" / "rehearsal" / "dotmac" / "chart" / "dotmac-platform"
NAMES = Names("dotmac", "dotmac-production", 3)


def _chart(body: str) -> Chart:
    return Chart(
        {"name": "c", "version": "1"}, {"a": {"b": "x"}, "n": 3, "on": True}, (("templates/t.yaml", body),)
    )


def test_manifest_has_every_object_in_helms_order() -> None:
    _, objects = render(load_chart(str(CHART)), {}, NAMES)
    assert [o["kind"] for o in objects] == [
        "ConfigMap", "Service", "Service", "Deployment", "Deployment", "Deployment", "CronJob", "Ingress",
    ]  # fmt: skip


@pytest.mark.wire
@both_helms
def test_real_helm_renders_the_same(major: int) -> None:
    command = [
        find(major),
        "template",
        "dotmac",
        str(CHART),
        "-n",
        "dotmac-production",
        "--set",
        "replicaCount.backend=5",
    ]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    values: dict[str, Json] = {}
    set_value(values, "replicaCount.backend=5", as_text=False)
    assert render(load_chart(str(CHART)), values, NAMES)[0] == theirs


def test_quote_and_plain_values() -> None:
    manifest, _ = render(
        _chart(
            "kind: A\nm: {{ .Values.a.missing | quote }}\nx: {{ .Values.a.b | quote }}\ny: {{ .Values.n }}\n"
            "z: {{ .Values.on }}\nr: {{ .Release.Revision }}\n"
        ),
        {},
        NAMES,
    )
    assert manifest == '---\n# Source: c/templates/t.yaml\nkind: A\nm: \nx: "x"\ny: 3\nz: true\nr: 3\n'


@pytest.mark.parametrize("body", ["{{ if .Values.on }}", '{{ include "x" . }}', "{{ .Values.a.b | upper }}"])
def test_anything_else_in_a_template_is_an_error_and_not_a_guess(body: str) -> None:
    with pytest.raises(HelmError, match="beyond this rehearsal's helm"):
        render(_chart(body), {}, NAMES)


def test_a_value_below_nothing_is_helms_nil_pointer() -> None:
    with pytest.raises(HelmError, match=r"nil pointer evaluating interface \{\}\.c"):
        render(_chart("x: {{ .Values.gone.c }}"), {}, NAMES)


def test_values_merge_maps_and_replace_the_rest() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "l": [1]}, {"a": {"c": None, "d": 3}, "l": []}) == {
        "a": {"b": 1, "d": 3},
        "l": [],
    }


def test_set_types_numbers_and_set_string_does_not() -> None:
    values: dict[str, Json] = {"image": {"tag": "1"}}
    set_value(values, "image.tag=9", as_text=False)
    set_value(values, "image.name=9", as_text=True)
    assert values == {"image": {"tag": 9, "name": "9"}}


def test_record_survives_its_secret() -> None:
    release = Release(
        "dotmac", "ns", 4, Status.PENDING_UPGRADE, "words", {"metadata": {"name": "c", "version": "1"}},
        {"a": 1}, "---\n", 1_795_000_000_123_456, 1_795_000_000_500_000,
    )  # fmt: skip
    assert decode(encode(release)) == release
    assert rfc3339(1_795_000_000_500_000) == "2026-11-18T11:06:40.5Z"


def test_patch_says_only_what_changes() -> None:
    old: dict[str, Json] = {"data": {"a": "1", "gone": "2"}, "list": [{"name": "x"}]}
    new: dict[str, Json] = {"data": {"a": "1", "b": "3"}, "list": [{"name": "x"}]}
    live: dict[str, Json] = {
        "data": {"a": "1", "gone": "2"},
        "list": [{"name": "x", "filled": True}],
        "status": {},
    }
    assert merge_patch(old, new, live) == {"data": {"b": "3", "gone": None}}


def test_a_key_that_a_list_member_lost_is_patched_away() -> None:
    old: dict[str, Json] = {"list": [{"name": "x", "extra": 1}]}
    new: dict[str, Json] = {"list": [{"name": "x"}]}
    assert merge_patch(old, new, old) == new


def test_command_line() -> None:
    args = parse(
        [
            "--kube-context",
            "c",
            "upgrade",
            "--install",
            "r",
            "chart",
            "-n",
            "ns",
            "--dry-run",
            "--wait",
            "--timeout",
            "1m30s",
            "--set-string",
            "a=1",
            "--set",
            "b=2",
        ]
    )
    assert (args.verb, args.kube_context, args.namespace, args.dry_run, args.wait, args.timeout) == (
        "upgrade", "c", "ns", "client", True, 90.0,
    )  # fmt: skip
    assert args.assignments == [("typed", "b=2"), ("text", "a=1")]


@pytest.mark.parametrize(
    "words", [["upgrade", "a", "b", "--bogus"], [], ["frobnicate"], ["get", "notes", "x"]]
)
def test_unknown_words_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


def test_duration() -> None:
    assert go_duration("1h2m3s") == 3723
    with pytest.raises(UsageError, match="invalid duration"):
        go_duration("soon")
