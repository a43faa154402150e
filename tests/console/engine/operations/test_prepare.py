"""Prepare: namespace, labels and secrets before a first install. It only adds, and no value of it is written down."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from aiohttp import web

from checks.clients.kube_object import secret_values
from console.engine.operations.run.secrets import env_lines
from console.engine.record.releases import Releases
from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.names import PULL_SECRET, SECRET, Env
from state.base.json import Json, JsonObject, obj, path
from state.view.enums import OperationState
from tests.console.engine.operations.stand import ANN, Hold, Stand, launch, section

PREPARE = "production.prepare"
NAMESPACE = Env.PRODUCTION.namespace
LABEL = "pod-security.kubernetes.io/enforce"


def there(stand: Stand, name: str) -> JsonObject | None:
    return stand.world.store.peek("secrets", NAMESPACE, name)


def labels(stand: Stand) -> JsonObject:
    found = stand.world.store.peek("namespaces", "", NAMESPACE)
    return obj(path(found or {}, ("metadata", "labels")))


def put(stand: Stand, name: str, **values: str) -> None:
    """Put a secret where somebody has made it by hand."""
    coded: dict[str, Json] = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    body: JsonObject = {"metadata": {"name": name, "namespace": NAMESPACE}, "type": "Opaque", "data": coded}
    stand.world.store.put("secrets", body)


def namespace(stand: Stand, **marked: str) -> None:
    stand.world.store.put("namespaces", {"metadata": {"name": NAMESPACE, "labels": dict(marked)}})


async def test_it_shows_the_sops_commands_and_makes_what_they_would(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        preview = await stand.operations.preview(PREPARE, ANN)
        assert preview.allowed, preview.reason
        target = "kubectl --context production"
        pull = stand.world.folder.secrets / "production-pull"
        assert preview.commands == (
            f"{target} create namespace {NAMESPACE}",
            f"{target} label namespace {NAMESPACE} {LABEL}=restricted --overwrite",
            _applied(SECRET, "Opaque", _from_env(stand)),
            _applied(PULL_SECRET, "kubernetes.io/dockerconfigjson", f"--from-file=.dockerconfigjson={pull}"),
        )
        assert any("will be made: the namespace, label" in line for line in preview.checks)
        done = await stand.run(PREPARE, None)
        assert done.state is OperationState.SUCCEEDED, done.verdict
        assert labels(stand)[LABEL] == "restricted"
        expected = platform_secret(stand.world.seed, Env.PRODUCTION)
        assert secret_values(there(stand, SECRET) or {}) == expected
        assert there(stand, PULL_SECRET) is not None
        log = (tmp_path / "launch.lclog").read_bytes()
        assert not [key for key, value in expected.items() if len(value) > 20 and value.encode() in log]


def _applied(name: str, kind: str, sources: str) -> str:
    target = f"kubectl --context production -n {NAMESPACE}"
    return (
        f"{target} create secret generic {name} --type={kind} {sources} --dry-run=client -o yaml"
        f" | {target} apply -f -"
    )


def _from_env(stand: Stand) -> str:
    keys = sorted(platform_secret(stand.world.seed, Env.PRODUCTION))
    file = stand.world.folder.secrets / "production.env"
    return " ".join(f"--from-file={key}=<(sed -n 's/^{key}=//p' {file})" for key in keys)


async def test_run_again_it_has_nothing_to_do_and_says_so(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        await stand.run(PREPARE, None)
        before = there(stand, SECRET)
        preview = await stand.operations.preview(PREPARE, ANN)
        assert preview.commands == ()
        assert any("nothing will be changed" in line for line in preview.checks)
        done = await stand.run(PREPARE, None)
        assert done.state is OperationState.SUCCEEDED
        assert there(stand, SECRET) == before


async def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        namespace(stand, **{LABEL: "baseline", "team": "launch"})
        made = platform_secret(stand.world.seed, Env.PRODUCTION) | {
            "SECRET_KEY": "made by hand, and longer than thirty-two",
            "EXTRA": "of somebody else",
        }
        del made["DATABASE_URL"]
        put(stand, SECRET, **made)
        preview = await stand.operations.preview(PREPARE, ANN)
        told = "\n".join(preview.checks)
        assert f"secret {SECRET} is there with other values of SECRET_KEY: they stay as they are" in told
        assert f"label {LABEL} changes from baseline to restricted" in told
        assert not [line for line in preview.commands if "create namespace" in line]
        assert not [line for line in preview.commands if "--from-file=SECRET_KEY=" in line]
        done = await stand.run(PREPARE, None)
        assert done.state is OperationState.SUCCEEDED, done.verdict
        held = secret_values(there(stand, SECRET) or {})
        assert held["SECRET_KEY"] == "made by hand, and longer than thirty-two"
        assert held["EXTRA"] == "of somebody else"
        assert held["DATABASE_URL"]
        assert labels(stand) == {LABEL: "restricted", "team": "launch"} | {
            k: v for k, v in labels(stand).items() if k == "kubernetes.io/metadata.name"
        }
        assert "left as they are, though they differ: SECRET_KEY" in stand.steps()[f"secret {SECRET}"][1]


async def test_a_value_that_is_not_on_this_machine_is_told_before_anything_is_made(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        one: Json = {"name": "dotmac-db", "data": {"DATABASE_URL": {"env": "NOBODY_SET_THIS"}}}
        section(body, "environments", "production")["apply_secrets"] = [one]

    async with launch(tmp_path, first=True, change=change) as stand:
        assert "NOBODY_SET_THIS" in await stand.refused(PREPARE)
        assert stand.world.store.peek("namespaces", "", NAMESPACE) is None


async def test_a_mounted_secret_without_a_source_is_told_and_is_no_success(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        section(body, "environments", "production")["apply_secrets"] = []

    async with launch(tmp_path, first=True, change=change) as stand:
        answer = await stand.refused(PREPARE)
        assert f"secret {SECRET} is not there, and the runbook names no values for it" in answer
        done = await stand.run(PREPARE)
        assert done.state is OperationState.FAILED
        assert f"namespace {NAMESPACE} is there, without a secret" in done.verdict
        put(stand, SECRET, SECRET_KEY="x")
        done = await stand.run(PREPARE, None)
        assert done.state is OperationState.SUCCEEDED, done.verdict


async def test_where_it_fails_half_way_it_says_what_stands_and_goes_on_from_there(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:

        async def broken(request: web.Request) -> web.StreamResponse | None:
            if request.method == "POST" and request.path.endswith(f"/{NAMESPACE}/secrets"):
                body = await request.json()
                if body["metadata"]["name"] == PULL_SECRET:
                    return web.json_response({"kind": "Status", "code": 500, "message": "etcd"}, status=500)
            return None

        stand.world.kube.hooks.append(broken)
        done = await stand.run(PREPARE, None)
        assert done.state is OperationState.FAILED
        assert done.offers == ("retry",)
        assert f"still lacking: secret {PULL_SECRET}" in done.verdict
        assert f"namespace {NAMESPACE} is there with secret {SECRET}" in done.verdict
        stand.world.kube.hooks.remove(broken)
        reply = await stand.operations.recover("retry", ANN)
        assert reply.ok, reply.message
        done = await stand.ended()
        assert done.state is OperationState.SUCCEEDED, done.verdict


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("create", "namespaces"), ("patch", "namespaces"), ("create", "secrets"), ("patch", "secrets")],
)
async def test_a_permission_that_is_missing_is_told_before(tmp_path: Path, verb: str, resource: str) -> None:
    async with launch(tmp_path, first=True) as stand:
        stand.world.control.denials.append(lambda _user, v, r, _ns: (v, r) == (verb, resource))
        assert f"this account may not {verb} {resource}" in await stand.refused(PREPARE)


async def test_an_engine_that_died_in_the_middle_judges_by_what_is_there(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        hold = Hold(stand, "POST", f"/{NAMESPACE}/secrets")
        await stand.start(PREPARE, None)
        await hold.reached.wait()
        second = await stand.again()
        hold.go.set()
        try:
            await second.operations.resume()
            done = await second.ended()
            assert done.state is OperationState.FAILED
            assert "still lacking" in done.verdict
            assert f"namespace {NAMESPACE} is there" in done.verdict
            done = await second.run(PREPARE, None)
            assert done.state is OperationState.SUCCEEDED, done.verdict
        finally:
            await second.close()
            stand.store, stand.operations, stand.clients = second.store, second.operations, second.clients


async def test_it_waits_for_no_gate_and_no_window_but_for_a_freeze(tmp_path: Path) -> None:
    freeze: dict[str, Json] = {}

    def change(body: dict[str, Json]) -> None:
        window = section(body, "scope", "window")
        scope = section(body, "scope")
        freeze.update(start=window["end"], end="2099-01-01T00:00:00Z", reason="month-end closing")
        scope["freezes"] = [freeze]

    async with launch(tmp_path, first=True, rate=1.0, change=change) as stand:
        await Releases(stand.journal, stand.runbook, stand.clients).look()
        assert (await stand.operations.preview(PREPARE, ANN)).allowed
        stand.world.clock.set_line(stand.world.clock.wall_us() + 20 * 3_600_000_000, 1.0)
        assert "month-end closing" in await stand.refused(PREPARE)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("A=1\n# B=2\n\n  C=x y=z\n", {"A": "1", "C": "x y=z"}),
        ('\ufeffA="quoted"\n', {"A": '"quoted"'}),
        ("A=\nHOME_OF_NOBODY\n", {"A": "", "HOME_OF_NOBODY": ""}),
        ("", {}),
    ],
)
def test_a_file_of_pairs_is_read_as_kubectl_reads_it(raw: str, pairs: dict[str, str]) -> None:
    assert env_lines(raw) == pairs
