"""Worlds of configuration: what a container gets, as the kubelet makes it, and what a worker reads."""

from __future__ import annotations

import base64

import pytest

from checks.clients.errors import NotFoundError
from checks.container_env import ContainerEnv, main_container, queues_of, read_env
from state.base.json import Json, JsonObject

HELD: dict[tuple[str, str], dict[str, str]] = {
    ("ConfigMap", "config"): {"LOG_LEVEL": "INFO", "PORT": "80", "HOST": "db"},
    ("ConfigMap", "later"): {"LOG_LEVEL": "WARN"},
    ("Secret", "app"): {"KEY": "s3cret", "LOG_LEVEL": "DEBUG"},
}


async def source(kind: str, name: str) -> JsonObject:
    held = HELD.get((kind, name))
    if held is None:
        raise NotFoundError(f"no {kind} {name}")
    if kind == "ConfigMap":
        return {"data": held}
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in held.items()}}


def from_config(name: str, **more: Json) -> Json:
    return {"configMapRef": {"name": name, **more}}


def from_secret(name: str, **more: Json) -> Json:
    return {"secretRef": {"name": name, **more}}


def taken(name: str, word: str, ref: str, key: str, **more: Json) -> Json:
    return {"name": name, "valueFrom": {word: {"name": ref, "key": key, **more}}}


def field(name: str, path: str) -> Json:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def is_(name: str, value: str) -> Json:
    return {"name": name, "value": value}


async def env_of(env_from: list[Json], env: list[Json]) -> ContainerEnv:
    return await read_env({"envFrom": env_from, "env": env}, "shop", source)


@pytest.mark.parametrize(
    ("env_from", "env", "expected"),
    [
        ([from_config("config")], [], {"LOG_LEVEL": "INFO", "PORT": "80", "HOST": "db"}),
        (
            [from_config("config"), from_config("later")],
            [],
            {"LOG_LEVEL": "WARN", "PORT": "80", "HOST": "db"},
        ),
        ([from_config("later"), from_secret("app")], [], {"LOG_LEVEL": "DEBUG", "KEY": "s3cret"}),
        ([from_secret("app"), from_config("later")], [], {"LOG_LEVEL": "WARN", "KEY": "s3cret"}),
        ([from_config("later")], [is_("LOG_LEVEL", "ERROR")], {"LOG_LEVEL": "ERROR"}),
        ([from_config("later")], [is_("LOG_LEVEL", "")], {"LOG_LEVEL": ""}),
        ([{**from_config("later"), "prefix": "APP_"}], [], {"APP_LOG_LEVEL": "WARN"}),  # type: ignore[dict-item]  # a mapping
        ([from_secret("gone", optional=True), from_config("later")], [], {"LOG_LEVEL": "WARN"}),
        ([], [taken("K", "secretKeyRef", "app", "KEY")], {"K": "s3cret"}),
        ([], [taken("K", "configMapKeyRef", "config", "HOST")], {"K": "db"}),
        ([], [taken("K", "secretKeyRef", "app", "NO", optional=True)], {}),
        ([], [taken("K", "secretKeyRef", "gone", "NO", optional=True)], {}),
        (
            [from_secret("app")],
            [taken("KEY", "secretKeyRef", "gone", "NO", optional=True)],
            HELD["Secret", "app"],
        ),
        ([], [field("NS", "metadata.namespace")], {"NS": "shop"}),
        ([], [field("ME", "metadata.name")], {"ME": "(metadata.name)"}),
        ([], [is_("A", "x"), is_("B", "$(A)/$(GONE)/$$(A)")], {"A": "x", "B": "x/$(GONE)/$(A)"}),
        ([from_config("later")], [is_("B", "$(LOG_LEVEL)")], {"LOG_LEVEL": "WARN", "B": "WARN"}),
        ([], [is_("A", "1"), is_("A", "2")], {"A": "2"}),
    ],
)
async def test_what_a_container_gets(env_from: list[Json], env: list[Json], expected: dict[str, str]) -> None:
    assert (await env_of(env_from, env)).values == expected


@pytest.mark.parametrize(
    ("env_from", "env"),
    [
        ([from_secret("gone")], []),
        ([from_config("gone", optional=False)], []),
        ([], [taken("K", "secretKeyRef", "gone", "KEY")]),
        ([], [taken("K", "secretKeyRef", "app", "NO")]),
        ([], [taken("K", "configMapKeyRef", "config", "NO")]),
    ],
)
async def test_a_container_that_cannot_start_gets_nothing_that_could_be_judged(
    env_from: list[Json], env: list[Json]
) -> None:
    with pytest.raises(NotFoundError):
        await env_of(env_from, env)


def box(name: str, image: str = "x") -> Json:
    return {"name": name, "image": image}


@pytest.mark.parametrize(
    ("boxes", "default", "expected"),
    [
        ([box("backend")], "", "backend"),
        ([box("istio-proxy"), box("backend")], "", "backend"),
        ([box("istio-proxy"), box("app", "ghcr.io/acme/backend:v1")], "", "app"),
        ([box("proxy"), box("app", "mirror.test:5000/acme/backend@sha256:1")], "", "app"),
        ([box("proxy"), box("main")], "main", "main"),
        ([box("main"), box("proxy")], "", "main"),
        ([], "", None),
    ],
)
def test_which_container_is_the_part_itself(boxes: list[Json], default: str, expected: str | None) -> None:
    template: JsonObject = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/default-container": default}},
        "spec": {"containers": boxes, "initContainers": [box("backend-migrate", "ghcr.io/acme/backend:v0")]},
    }
    assert main_container(template, "backend", "ghcr.io/acme/backend@sha256:0").get("name") == expected


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        ([], [], None),
        (["celery"], ["-A", "app", "worker"], None),
        (["celery"], ["-A", "app", "worker", "-Q", "celery"], ("celery",)),
        (["celery", "worker", "-Qdefault,high"], [], ("default", "high")),
        (["celery", "worker", "--queues=default"], [], ("default",)),
        (["celery", "worker", "--queues", "default, high"], [], ("default", "high")),
        (["celery", "worker", "-Q", "a,b", "-X", "b"], [], ("a",)),
        (["sh", "-c"], ["exec celery -A app worker -Q default,high"], ("default", "high")),
        (["sh", "-c"], ["celery worker -Q $QUEUES"], ("one", "two")),
        (["sh", "-c"], ["celery worker -Q ${QUEUES:-celery}"], ("one", "two")),
        (["sh", "-c"], ["celery worker -Q ${GONE:-celery}"], ("celery",)),
        (["celery"], ["worker", "-Q", "$(QUEUES)"], ("one", "two")),
        (["/entrypoint.sh"], [], None),
    ],
)
def test_which_queues_a_command_line_reads(
    command: list[Json], args: list[Json], expected: tuple[str, ...] | None
) -> None:
    assert queues_of({"command": command, "args": args}, {"QUEUES": "one,two"}) == expected
