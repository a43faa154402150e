"""What the API server stores of what it was sent: zeros left out, quantities in one spelling, and what it refuses."""

from __future__ import annotations

import pytest

from console.rehearsal.sim.kubernetes import KubeError, Store
from console.rehearsal.sim.kubernetes.admission.stored_form import quantity
from state.base.json import Json, JsonObject, obj, objs, path
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.conformance_cases import (
    config,
    cronjob,
    ingress,
    meta,
    pod,
    secret,
    service,
    template,
    workload,
)

NS = "shop"


@pytest.fixture
def store() -> Store:
    there = Store.open(None, ManualClock())
    there.create("namespaces", {"metadata": {"name": NS}})
    return there


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1024Mi", "1Gi"),
        (0.7, "700m"),
        ("1000m", "1"),
        ("8192Mi", "8Gi"),
        ("1.5Gi", "1536Mi"),
        ("100Ki", "100Ki"),
        ("0.5Ki", "512"),
        ("1000", "1k"),
        ("250m", "250m"),
        (2, "2"),
        ("0", "0"),
        ("1e3", "1e3"),
        ("100u", "100u"),
        ("0.1", "100m"),
        ("1E", "1E"),
        ("1Ei", "1Ei"),
        ("many", "many"),
    ],
)
def test_quantities_have_one_spelling(written: Json, stored: str) -> None:
    assert quantity(written if isinstance(written, str | int | float) else None) == stored


def test_zeros_are_left_out_where_the_types_leave_them_out(store: Store) -> None:
    container: JsonObject = {
        "stdin": False,
        "tty": False,
        "env": [{"name": "A", "value": ""}],
        "ports": [{"containerPort": 80, "hostPort": 0}],
        "readinessProbe": {"initialDelaySeconds": 0, "periodSeconds": 0, "tcpSocket": {"port": 80}},
    }
    body = workload(
        "zeros", paused=False, minReadySeconds=0, replicas=0, pod=template("zeros", container=container)
    )
    spec = obj(store.create("deployments", body, NS)["spec"])
    assert spec["replicas"] == 0
    assert not {"paused", "minReadySeconds"} & spec.keys()
    one = objs(path(spec, ("template", "spec", "containers")))[0]
    assert not {"stdin", "tty"} & one.keys()
    assert one["env"] == [{"name": "A"}]
    assert one["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    probe = obj(one["readinessProbe"])
    assert "initialDelaySeconds" not in probe
    assert probe["periodSeconds"] == 10


def test_labels_that_look_like_fields_are_kept(store: Store) -> None:
    made = store.create("configmaps", config("texts", {"value": "", "cpu": "1024Mi"}), NS)
    assert made["data"] == {"value": "", "cpu": "1024Mi"}


BAD = [
    ("configmaps", config("number", {"a": 1}), 400, "cannot unmarshal number"),
    ("configmaps", config("large", {"a": "x" * 1_100_000}), 422, "Too long"),
    ("configmaps", config("key", {"a/b": "1"}), 422, "data[a/b]"),
    ("secrets", secret("base64", data={"a": "%"}), 400, "illegal base64"),
    ("secrets", secret("tls", type="kubernetes.io/tls"), 422, "data[tls.crt]: Required value"),
    ("deployments", workload("words", replicas="3"), 400, "cannot unmarshal string"),
    ("deployments", workload("negative", replicas=-1), 422, "greater than or equal to 0"),
    (
        "deployments",
        {**workload("label"), "metadata": meta("label", labels={"a": "b c"})},
        422,
        "valid label",
    ),
    (
        "deployments",
        workload(
            "mounts", pod=template("mounts", container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]})
        ),
        422,
        'volumeMounts[0].name: Not found: "v"',
    ),
    (
        "deployments",
        workload(
            "twins",
            pod=template("twins", containers=[{"name": "a", "image": "a"}, {"name": "a", "image": "b"}]),
        ),
        422,
        "Duplicate value",
    ),
    (
        "services",
        service("two", ports=[{"port": 80}, {"port": 81}]),
        422,
        "spec.ports[0].name: Required value",
    ),
    ("cronjobs", cronjob("cron", "every day"), 422, "spec.schedule"),
    ("ingresses", ingress("path", "Anything"), 422, "Unsupported value"),
]


@pytest.mark.parametrize(
    ("plural", "body", "code", "words"), BAD, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_is_refused(store: Store, plural: str, body: JsonObject, code: int, words: str) -> None:
    with pytest.raises(KubeError) as refused:
        store.create(plural, body, NS)
    assert refused.value.code == code
    assert words in refused.value.message


def test_what_may_not_change(store: Store) -> None:
    store.create("configmaps", config("fixed", {"a": "1"}, immutable=True), NS)
    store.create("services", service("moved", clusterIP="10.96.1.1"), NS)
    store.create("pods", pod("pod"), NS)
    changes: list[tuple[str, JsonObject]] = [
        ("configmaps", config("fixed", {"a": "2"}, immutable=True)),
        ("services", service("moved", clusterIP="10.96.1.2")),
        ("pods", pod("pod", hostNetwork=True)),
    ]
    for plural, body in changes:
        with pytest.raises(KubeError) as refused:
            store.update(plural, {**body, "metadata": {**obj(body["metadata"]), "namespace": NS}})
        assert refused.value.code == 422
