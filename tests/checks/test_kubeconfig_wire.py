"""The console and helm ask a cluster as the same identity, however a kubeconfig names it: both, recorded."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from checks.clients.errors import MisconfiguredError, UnauthorizedError
from checks.clients.kube import KubeClient
from checks.clients.kubeconfig.access import IN_CLUSTER, read_access
from checks.clients.kubeconfig.connection import open_api
from checks.clients.kubeconfig.credentials import Credentials
from checks.clients.kubeconfig.private_file import write_private
from checks.clients.redact import Redactor
from checks.clients.user_agent import USER_AGENT
from checks.errors import CouldNotLookError
from state.base.json import JsonObject
from state.runbook.environment import Kube
from tests.checks.recording import RecordingServer, config, http_proxy, recording, socks_proxy
from tests.console.engine.operations.helms import MAJORS, find

pytestmark = pytest.mark.wire
V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RecordingServer]:
    async with recording(tmp_path) as one:
        yield one


def kubeconfig(folder: Path, body: JsonObject, name: str = "kubeconfig") -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump(body))
    return file


def kube_of(file: Path | None, context: str = "x") -> Kube:
    return Kube(kubeconfig=file, context=context, namespace="shop")


def plugin(folder: Path, status: JsonObject, *, name: str = "plugin") -> Path:
    """Write a plugin that keeps what it was told, and tells a status."""
    said = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
    file = folder / name
    file.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$KUBERNETES_EXEC_INFO\" >> '{folder}/told'\n"
        f"printf '%s' \"$HINT\" > '{folder}/hint'\n"
        f"cat <<'EOF'\n{said}\nEOF\n"
    )
    file.chmod(0o700)
    return file


def executed(command: str, **more: object) -> JsonObject:
    said = {"apiVersion": V1, "command": command, "interactiveMode": "IfAvailable", "args": None, **more}
    return {"exec": said}  # type: ignore[dict-item]  # JSON


@asynccontextmanager
async def client(kube: Kube, redactor: Redactor | None = None) -> AsyncIterator[KubeClient]:
    one = KubeClient(kube, "staging", redactor or Redactor())
    try:
        yield one
    finally:
        await one.aclose()


async def helm(major: int, file: Path, context: str = "x") -> str:
    """Let a real helm ask with a private kubeconfig, and nothing of ours in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    process = await asyncio.create_subprocess_exec(
        find(major),
        *("list", "--namespace", "shop", "--kubeconfig", str(file), "--kube-context", context),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=kept,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def both(server: RecordingServer, kube: Kube, folder: Path) -> list[tuple[tuple[str, str], ...]]:
    """Ask as the console, then as each helm that there is; return the identity, which must be the same."""
    async with client(kube) as one:
        await one.list_objects("/api/v1/namespaces/shop/secrets")
    private = folder / "private" / "staging"
    write_private(read_access(kube, one.where), private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    made = json.loads(private.read_text())
    assert [len(made[kind]) for kind in ("clusters", "users", "contexts")] == [1, 1, 1]
    ours = server.who(USER_AGENT)
    for major in (3, 4):
        server.asked = [one for one in server.asked if USER_AGENT in one.agent]
        await helm(major, private, kube.context)
        assert server.who("") == ours
        assert len(server.asked) > 1
    return ours


def needs_helms(test: object) -> object:
    for mark in MAJORS.values():
        test = mark(test)
    return test


def users(folder: Path) -> dict[str, tuple[JsonObject, list[tuple[str, str]]]]:
    """Return users as kubeconfigs have them, and as whom each asks."""
    (folder / "token").write_text("of-a-file\n")
    plugin(folder, {"token": "of-a-plugin"})
    bearer = ("authorization", "Bearer t0ken-of-it")
    everything: JsonObject = {
        "token": "t0ken-of-it",
        "as": "release-bot",
        "as-uid": "u-1",
        "as-groups": ["releasers", "readers"],
        "as-user-extra": {"reason/why": ["a launch"]},
    }
    return {
        "a token": ({"token": "t0ken-of-it"}, [bearer]),
        "a file that ends with a newline": ({"tokenFile": "token"}, [("authorization", "Bearer of-a-file")]),
        "a user and a password": (
            {"username": "ann", "password": "pass-w"},
            [("authorization", "Basic YW5uOnBhc3Mtdw==")],
        ),
        "a plugin by a relative path": (executed("./plugin"), [("authorization", "Bearer of-a-plugin")]),
        "somebody else": (
            {"token": "t0ken-of-it", "as": "release-bot"},
            [bearer, ("impersonate-user", "release-bot")],
        ),
        "somebody else, with groups": (
            everything,
            [
                bearer,
                ("impersonate-extra-reason%2fwhy", "a launch"),
                ("impersonate-group", "readers"),
                ("impersonate-group", "releasers"),
                ("impersonate-uid", "u-1"),
                ("impersonate-user", "release-bot"),
            ],
        ),
        "nobody": ({}, []),
    }


@needs_helms
@pytest.mark.parametrize("name", [
    "a token", "a file that ends with a newline", "a user and a password", "a plugin by a relative path",
    "somebody else", "somebody else, with groups", "nobody",
])  # fmt: skip
async def test_they_ask_as_the_same_user(server: RecordingServer, tmp_path: Path, name: str) -> None:
    user, who = users(tmp_path)[name]
    assert await both(server, kube_of(kubeconfig(tmp_path, config(server, user))), tmp_path) == [tuple(who)]


@needs_helms
async def test_they_present_the_same_certificate(server: RecordingServer, tmp_path: Path) -> None:
    certificate, key = server.authority.client("ann")
    relative: JsonObject = {
        "client-certificate": str(certificate.relative_to(tmp_path)),
        "client-key": str(key.relative_to(tmp_path)),
    }
    assert await both(server, kube_of(kubeconfig(tmp_path, config(server, relative))), tmp_path) == [
        (("cn", "ann"),)
    ]
    status: JsonObject = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    user = executed(str(plugin(tmp_path, status)))
    assert await both(server, kube_of(kubeconfig(tmp_path, config(server, user))), tmp_path) == [
        (("cn", "ann"),)
    ]


@needs_helms
async def test_of_several_files_the_first_that_has_a_name_wins(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere: JsonObject = {"server": "https://127.0.0.1:9", "proxy-url": "http://127.0.0.1:9"}
    first = config(server, {"token": "of-the-first"})
    second = config(server, {"token": "of-the-second", "as": "somebody"}, elsewhere, names=("x", "y"))
    apart = tmp_path / "apart"
    apart.mkdir()
    (apart / "t").write_text("of-the-third")
    users_alone: JsonObject = {"users": [{"name": "z", "user": {"tokenFile": "t"}}]}
    contexts_alone: JsonObject = {"contexts": [{"name": "z", "context": {"cluster": "x", "user": "z"}}]}
    files = [
        kubeconfig(tmp_path, first, "1"),
        tmp_path / "not-there",
        kubeconfig(tmp_path, second, "2"),
        kubeconfig(apart, users_alone, "3"),
        kubeconfig(tmp_path, contexts_alone, "4"),
    ]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["", *map(str, files), str(files[0])]))
    expected = (("authorization", "Bearer of-the-first"),)
    assert await both(server, kube_of(None), tmp_path) == [expected]
    server.asked.clear()
    assert await both(server, kube_of(None, "z"), tmp_path) == [(("authorization", "Bearer of-the-third"),)]


@needs_helms
@pytest.mark.parametrize("kind", ["http", "socks5", "socks5 of anybody"])
async def test_they_go_through_the_same_proxy(server: RecordingServer, tmp_path: Path, kind: str) -> None:
    secret = "" if kind.endswith("anybody") else "ann:s%40cret-of-it@"
    served = http_proxy() if kind == "http" else socks_proxy("ann" if secret else "", "s@cret-of-it")
    async with served as proxy:
        scheme = kind.split(maxsplit=1)[0]
        # Only the proxy knows such a name.
        place: JsonObject = {
            "server": f"https://kubernetes.default.svc:{server.port}",
            "proxy-url": f"{scheme}://{secret}127.0.0.1:{proxy.port}",
        }
        file = kubeconfig(tmp_path, config(server, {"token": "t"}, place))
        assert await both(server, kube_of(file), tmp_path) == [(("authorization", "Bearer t"),)]
        assert len(proxy.asked) >= 3
        assert len(set(proxy.asked)) == 1
        assert "kubernetes.default.svc" in proxy.asked[0]
    async with client(kube_of(file)) as one:
        with pytest.raises(CouldNotLookError) as caught:
            await one.get("/api/v1/namespaces/shop")
        assert "cret-of-it" not in str(caught.value)


@needs_helms
async def test_in_a_pod_they_ask_as_its_service_account(server: RecordingServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-a-service-account\n")
    (tmp_path / "ca.crt").write_bytes(server.authority.ca.read_bytes())
    environ = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "KUBECONFIG": str(tmp_path / "none"),
    }
    kube = kube_of(None, IN_CLUSTER)
    where = KubeClient(kube, "staging", Redactor()).where
    access = read_access(kube, where, environ, tmp_path)
    api = open_api(access, ("", ""), where)
    credentials = Credentials(access, where, Redactor())
    headers = {"Authorization": await credentials.authorization()}
    answer = await api.call_api("GET", f"{access.server}/version", headers)
    assert answer.response.status == 200
    await api.close()
    private = tmp_path / "private" / "staging"
    write_private(access, private)
    for major in (3, 4):
        await helm(major, private, IN_CLUSTER)
    assert server.who("") == [(("authorization", "Bearer of-a-service-account"),)]
    assert read_access(kube, where, environ, tmp_path).token_file == tmp_path / "token"
    with pytest.raises(MisconfiguredError, match="is for a pod"):
        read_access(kube, where, {"KUBECONFIG": str(tmp_path / "none")}, tmp_path)


async def test_a_plugin_is_told_of_the_cluster_and_given_its_variables(
    server: RecordingServer, tmp_path: Path
) -> None:
    plugin(tmp_path, {"token": "of-a-plugin"})
    more = {"provideClusterInfo": True, "env": [{"name": "HINT", "value": "eu-1"}]}
    asked: JsonObject = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "shop"}}
    file = kubeconfig(tmp_path, config(server, executed("./plugin", **more), {"extensions": [asked]}))
    async with client(kube_of(file)) as one:
        await asyncio.gather(*(one.get("/api/v1/namespaces/shop") for _ in range(5)))
    told = [json.loads(said) for said in (tmp_path / "told").read_text().splitlines()]
    assert len(told) == 1, "five requests are one question to the plugin"
    assert told[0]["spec"]["cluster"]["server"] == server.url
    assert told[0]["spec"]["cluster"]["config"] == {"audience": "shop"}
    assert told[0]["spec"]["interactive"] is False
    assert (tmp_path / "hint").read_text() == "eu-1"


async def test_credentials_that_are_over_are_renewed(server: RecordingServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old-token")
    server.valid = {"old-token"}
    async with client(kube_of(kubeconfig(tmp_path, config(server, {"tokenFile": "token"})))) as one:
        await one.get("/api/v1/namespaces/shop")
        server.valid = {"new-token"}
        with pytest.raises(UnauthorizedError):
            await one.get("/api/v1/namespaces/shop")
        token.write_text("new-token\n")
        await one.get("/api/v1/namespaces/shop")
    plugin(tmp_path, {"token": "old-token", "expirationTimestamp": "2001-01-01T00:00:00Z"})
    server.valid = {"old-token"}
    file = kubeconfig(tmp_path, config(server, executed("./plugin")))
    async with client(kube_of(file)) as one:
        await one.get("/api/v1/namespaces/shop")
        plugin(tmp_path, {"token": "new-token", "expirationTimestamp": "2101-01-01T00:00:00Z"})
        server.valid = {"new-token"}
        await one.get("/api/v1/namespaces/shop")
        plugin(tmp_path, {"token": "newest"})
        server.valid = {"newest"}
        server.asked.clear()
        await one.get(
            "/api/v1/namespaces/shop"
        )  # 401 to the token that seemed good, then once more with another
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ('echo one >&2; echo "token is over, log in" >&2; echo >&2; exit 1', "ended with 1: token is over, log in"),
        ("exit 7", "ended with 7: it says nothing"),
        ("echo hello", "told no ExecCredential"),
        ('echo \'{"kind":"ExecCredential","apiVersion":"x/v0","status":{"token":"a"}}\'', "speaks x/v0"),
        (f'echo \'{{"kind":"ExecCredential","apiVersion":"{V1}","status":{{}}}}\'', "told neither a token nor"),
    ],
)  # fmt: skip
async def test_what_a_plugin_says_is_said(
    server: RecordingServer, tmp_path: Path, script: str, words: str
) -> None:
    (tmp_path / "plugin").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "plugin").chmod(0o700)
    async with client(kube_of(kubeconfig(tmp_path, config(server, executed("./plugin"))))) as one:
        with pytest.raises(MisconfiguredError, match=f"plugin {words}"):
            await one.get("/api/v1/namespaces/shop")
    assert server.asked == []


async def test_no_secret_of_a_kubeconfig_is_told(server: RecordingServer, tmp_path: Path) -> None:
    redactor = Redactor()
    plugin(tmp_path, {"token": "canary-of-the-plugin"})
    user = executed("./plugin", env=[{"name": "SHOP_TOKEN", "value": "canary-of-its-env"}])
    place: JsonObject = {"proxy-url": "http://ann:canary-of-the-proxy@127.0.0.1:9"}
    file = kubeconfig(tmp_path, config(server, user, place))
    access = read_access(kube_of(file), KubeClient(kube_of(file), "staging", redactor).where)
    assert "canary" not in repr(access)
    async with client(kube_of(file), redactor) as one:
        with pytest.raises(CouldNotLookError) as caught:
            await one.get("/api/v1/namespaces/shop")
    assert "canary" not in str(caught.value)
    for secret in ("canary-of-the-plugin", "canary-of-its-env", "canary-of-the-proxy"):
        assert redactor.holds(secret)
