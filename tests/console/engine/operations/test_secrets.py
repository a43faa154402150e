"""Values of secrets are nowhere: not in the log, not in output files, not in what processes show."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.json import Json, obj
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, launch, section, wrapped_helm

FROM_VARIABLE = "of-a-variable-7fQ2xK9d"
FROM_FILE = "of-a-file-x83Ls0wP"
IN_VALUES = "in-the-values-Zk41mVq8"
ALL = (FROM_VARIABLE, FROM_FILE, IN_VALUES)

TALKS = f"""
case "$*" in *--dry-run*) ;; *upgrade*)
  echo "the notes say adminPassword is {IN_VALUES}"
  echo "Error: UPGRADE FAILED: cannot parse DATABASE_URL postgres://app:{FROM_FILE}@db and {FROM_VARIABLE}" >&2
  tr '\\0' '\\n' < /proc/$$/environ > "$0.environ"; tr '\\0' ' ' < /proc/$$/cmdline > "$0.cmdline"
  sleep 0.3; exit 1;; esac"""


async def test_they_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", FROM_VARIABLE)
    file = tmp_path / "database-password"
    file.write_text(FROM_FILE)

    def change(body: dict[str, Json]) -> None:
        wrapped_helm(tmp_path, TALKS)(body)
        data: Json = {"token": {"env": "DEPLOY_TOKEN"}, "password": {"file": str(file)}}
        section(body, "environments", "staging")["apply_secrets"] = [{"name": "applied", "data": data}]

    async with launch(tmp_path, change=change) as stand:
        values = stand.world.folder.values(Env.STAGING)
        values.write_text(values.read_text() + f"\nadminPassword: {IN_VALUES}\n")
        previews = [await stand.operations.preview("staging.deploy", ANN)]
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert "cannot parse DATABASE_URL" in stand.steps()["helm upgrade"][1]
        assert "[redacted]" in " ".join(ended.output)
        previews.append(await stand.operations.preview("staging.deploy", ANN))
        kept = obj(obj(stand.world.store.peek("secrets", Env.STAGING.namespace, "applied")).get("data"))
        assert set(kept) == {"token", "password"}
        again = await stand.run("staging.deploy")
        assert "applied is up to date (2 keys)" in stand.steps()["secrets"][1]
        file.write_text(FROM_FILE + "!")
        await stand.run("staging.deploy")
        assert "applied: password changed, 1 key as before" in stand.steps()["secrets"][1]
        _nowhere(stand.store.path, tmp_path, repr(previews) + repr(stand.journal.view) + repr(again))


def _nowhere(log: Path, folder: Path, shown: str) -> None:
    told = {
        "the log": log.read_bytes(),
        "helm's environment": (folder / "helm-before.environ").read_bytes(),
        "helm's command line": (folder / "helm-before.cmdline").read_bytes(),
        "what was shown": shown.encode(),
        **{str(p): p.read_bytes() for p in log.with_suffix(".operations").rglob("*") if p.is_file()},
    }
    assert len([name for name in told if name.endswith(("/out", "/err"))]) == 6
    found = [f"{one[:8]} in {where}" for where, raw in told.items() for one in ALL if one.encode() in raw]
    assert found == []


async def test_a_secret_in_a_pods_log_is_not_kept(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=60) as stand:
        secret = await stand.clients.kube(stand.runbook.environments["staging"].tier).secret(  # type: ignore[index]  # a str enum
            "dotmac-platform-secrets"
        )
        password = next(value for key, value in secret.items() if "PASSWORD" in key)
        fresh = await stand.again()  # an engine that has not read the secret yet
        fresh.world.kube._pod_log = lambda _n, _p, _c: f"cannot connect with {password}\n"
        fresh.bad_pods(Env.STAGING, PodPlan(ready=False))
        ended = await fresh.run("staging.deploy")
        assert "cannot connect with [redacted]" in " ".join(ended.output)
        assert password not in repr(ended)
        await asyncio.sleep(0)
        await fresh.close()


async def test_a_missing_value_is_named_and_stops_it(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        data: Json = {"token": {"env": "NOBODY_SET_THIS_VARIABLE"}}
        section(body, "environments", "staging")["apply_secrets"] = [{"name": "applied", "data": data}]

    async with launch(tmp_path, change=change) as stand:
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert "NOBODY_SET_THIS_VARIABLE is not set" in ended.verdict
        assert not ended.pid
