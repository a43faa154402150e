"""Whole launches with exactly the permissions that ``launch-console rbac`` prints, and with one rule less."""

from __future__ import annotations

import asyncio
import copy
import json
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import pytest
import yaml

from console.rehearsal.dotmac.names import Env
from state.base.json import Json, items, obj, text
from state.view.enums import OperationState as State
from state.view.enums import Tier
from tests.cluster.kube_api import KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.console.engine.operations.helms import both_helms, debug
from tests.console.engine.operations.stand import ANN

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane"), both_helms, pytest.mark.timeout(300)]

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _path(one: dict[str, Json]) -> str:
    place = text(obj(one["metadata"]), "namespace")
    where = f"namespaces/{place}/" if place else ""
    return f"{_RBAC}/{where}{str(one['kind']).lower()}s"


async def _given(real: RealLaunch, user: str, made: list[dict[str, Json]]) -> None:
    """Give an account roles: those of one environment, under names of this test's own."""
    for one in made:
        body = copy.deepcopy(one)
        name = f"{text(obj(body['metadata']), 'name')}-{user}"
        body["metadata"] = {**obj(body["metadata"]), "name": name}
        if "roleRef" in body:
            body["roleRef"] = {**obj(body["roleRef"]), "name": name}
        status, answer = await real.api.ask("POST", _path(body), body)
        if status == 409:
            status, answer = await real.api.ask("PUT", f"{_path(body)}/{name}", body)
        assert status < 300, answer
    await asyncio.sleep(1)  # until the server has read them


async def _console(*words: str) -> tuple[int | None, str, str]:
    """Run a command of the console; return its code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, out.decode(), err.decode()


def _book(real: RealLaunch) -> str:
    return str(real.stand.world.runbook_path.with_name("as-changed.json"))


async def _least(real: RealLaunch, user: str, *more: str) -> list[dict[str, Json]]:
    """Return what the command prints; an administrator runs it, as a person would."""
    code, out, err = await _console("rbac", _book(real), "--account", f"user:{user}", *more)
    assert code == 0, err
    return [dict(obj(one)) for one in yaml.safe_load_all(out) if one]


async def test_a_whole_launch_with_exactly_these(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    user = f"engine-{token_hex(3)}"
    async with launched(cluster, api, tmp_path, major, user=user, groups=()) as real:
        stand = real.stand
        await _given(real, user, await _bootstrapped(cluster, real, user, tmp_path))
        for name, state in (
            ("staging.deploy", State.SUCCEEDED),
            ("staging.migrate", State.SUCCEEDED),
            ("staging.deploy", State.SUCCEEDED),
            ("staging.rollback", State.SUCCEEDED),
        ):
            if name == "staging.deploy":
                debug(stand.world.folder.values(Env.STAGING))
            preview = await stand.operations.preview(name, ANN)
            assert not any("may not" in one for one in preview.checks), (name, preview.checks)
            assert not any("could not be seen" in one for one in preview.checks), (name, preview.checks)
            ended = await stand.run(name)
            assert ended.state is state, (name, ended.verdict, ended.output, stand.steps())
            assert stand.steps().get("lease", ("",))[0] == "done", stand.steps()
        kube = stand.clients.kube(Tier.STAGING)
        for what in ("/api/v1/namespaces/{}/pods", "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"):
            where = what.format(real.namespace)
            version = (await kube.list_objects(where)).resource_version
            watch = kube.watch(where, {"resourceVersion": version, "timeoutSeconds": 1}, idle_timeout=5)
            assert [event async for event in watch if event.type == "ERROR"] == []


async def _bootstrapped(cluster: Cluster, real: RealLaunch, user: str, folder: Path) -> list[dict[str, Json]]:
    """Return the roles as an administrator's own console prints them: the account itself may do nothing yet."""
    mine = folder / "cluster.kubeconfig"
    before = mine.read_bytes()
    cluster.kubeconfig("ann", mine, groups=["system:masters"], contexts=[env.value for env in Env])
    try:
        return await _least(real, user, "--operations", "--env", "staging")
    finally:
        mine.write_bytes(before)


@pytest.mark.parametrize(
    ("group", "resource", "verb", "told"),
    [
        ("", "services", "create", "create services"),
        ("apps", "deployments", "patch", "patch deployments"),
        ("batch", "cronjobs", "create", "create cronjobs"),
        ("networking.k8s.io", "ingresses", "create", "create ingresses"),
        ("", "secrets", "update", "update secrets"),
        ("apps", "replicasets", "list", "list replicasets"),
    ],
)
async def test_one_rule_less_is_told_before_helm_runs(
    cluster: Cluster,
    api: KubeHttp,
    tmp_path: Path,
    major: int,
    group: str,
    resource: str,
    verb: str,
    told: str,
) -> None:
    if major == 3 and resource in {"cronjobs", "ingresses", "replicasets"}:
        pytest.skip("one of a kind is enough with helm 3")
    user = f"engine-{token_hex(3)}"
    async with launched(cluster, api, tmp_path, major, user=user, groups=()) as real:
        made = await _bootstrapped(cluster, real, user, tmp_path)
        for one in made:
            if one["kind"] == "Role":
                one["rules"] = _without(list(items(one["rules"])), group, resource, verb)
        await _given(real, user, made)
        preview = await real.stand.operations.preview("staging.deploy", ANN)
        assert not preview.allowed
        lines = [one for one in preview.against if "may not" in one]
        assert len(lines) == 1, preview.against
        assert told in lines[0]


def _without(given: list[Json], group: str, resource: str, verb: str) -> list[Json]:
    kept: list[Json] = []
    for one in given:
        rule = dict(obj(one))
        named = list(items(rule["resources"]))
        if rule["apiGroups"] != [group] or resource not in named:
            kept.append(rule)
            continue
        verbs = list(items(rule["verbs"]))
        others = [name for name in named if name != resource]
        if others:
            kept.append({**rule, "resources": others})
        kept.append({**rule, "resources": [resource], "verbs": [v for v in verbs if v != verb]})
    return kept


async def test_every_check_looks_with_the_roles_for_looking(
    cluster: Cluster, api: KubeHttp, tmp_path: Path, major: int
) -> None:
    if major == 3:
        pytest.skip("checks run no helm")
    user = f"engine-{token_hex(3)}"
    async with launched(cluster, api, tmp_path, major, user=user, groups=()) as real:
        made = await _least(real, user)  # which asks no cluster
        refused = await _refused(real)
        assert {"6.1", "7.2"} <= refused, refused
        await _given(real, user, made)
        again = await _refused(real)
        assert again == set(), (refused, again)


async def _refused(real: RealLaunch) -> set[str]:
    """Return the items of which a check says that the account may not look."""
    _, out, err = await _console("check", "--runbook", _book(real), "--json")
    found = {
        text(obj(one), "item")
        for one in items(obj(json.loads(out or "{}"))["checks"])
        if "forbidden" in json.dumps(one).lower() or "may not" in json.dumps(one)
    }
    assert out, err
    return found
