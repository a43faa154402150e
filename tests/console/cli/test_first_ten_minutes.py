"""``init``, then ``doctor``, then ``runbook check``: a runbook that launches, on a cluster that nobody described."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from console.__main__ import main
from console.rehearsal.dotmac.names import Env
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, obj, text
from state.view.enums import OperationState
from tests.console.engine.operations.stand import Change, on_world
from tests.console.rehearsal.worlds import running

pytestmark = pytest.mark.asyncio(loop_scope="module")
COMMIT = "4f1c2d7e9a0b3c5d6e8f7a1b2c3d4e5f60718293"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("world") / "world", seed=1, rate=1.0) as made:
        yield made


def flags(world: World, *, kubeconfig: Path | None = None, helm: str = "") -> list[str]:
    """Return what no cluster tells: where this world's helm, chart, monitoring and names are."""
    told = world.describe()
    pins = [
        word
        for env in Env
        for word in (f"--{env}-pin", text(obj(told[env.value]), "https").removeprefix("https://"))
    ]
    values = [word for env in Env for word in (f"--{env}-values", str(world.folder.values(env)))]
    return [
        *("--kubeconfig", str(kubeconfig or told["kubeconfig"])),
        *("--helm", helm or str(told["helm"])),
        *("--chart", str(told["chart"]), "--ca-file", str(told["ca"]), "--commit", COMMIT),
        *(
            word
            for name in ("prometheus", "alertmanager", "registry")
            for word in (f"--{name}", str(told[name]))
        ),
        *pins,
        *values,
    ]


async def command(*argv: str) -> int:
    """Run a command in a thread: the world is served by this loop."""
    return await asyncio.to_thread(main, list(argv))


def instead(data: JsonObject) -> Change:
    """Return what puts a runbook in the place of the world's own."""

    def change(body: dict[str, Json]) -> None:
        body.clear()
        body.update(data)

    return change


def diagnoses(said: str) -> dict[tuple[str, str], JsonObject]:
    found: Sequence[JsonObject] = json.loads(said.strip().splitlines()[-1])
    return {(text(one, "place"), text(one, "subject")): one for one in found if text(one, "mark") != "good"}


@pytest.mark.parametrize("template", ["web-service", "sop"])
async def test_init_doctor_and_check_lead_to_a_runbook_that_launches(
    template: str,
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in _secrets_of_the_sop():
        monkeypatch.setenv(name, f"canary-{name}")
    book = tmp_path / "book.yaml"
    assert await command("init", str(book), "--template", template, *flags(world)) == 0
    assert "launch-console doctor" in capsys.readouterr().out
    written = book.read_text()
    assert written.count("\n#") + written.count(" # ") > 10, "comments stay"
    data = obj(yaml.safe_load(written))
    staging = obj(obj(data["environments"])["staging"])
    assert staging["kube"] == {
        "kubeconfig": str(world.folder.kubeconfig), "context": "staging", "namespace": "dotmac-staging"
    }  # fmt: skip
    assert staging["release"] == "dotmac"
    assert obj(next(iter(obj(staging["domains"]).values())))["host"] == "api.staging.dotmac.test"
    assert set(obj(obj(data["candidate"])["images"])) == {"backend", "frontend", "worker"}

    if template == "sop":  # what no cluster tells is still named by its placeholder
        assert await command("runbook", "check", "--offline", str(book)) == 0
        return
    assert await command("runbook", "check", str(book)) == 0, capsys.readouterr().err
    capsys.readouterr()
    code = await command("doctor", str(book), "--json", "--clock", str(world.folder.clock))
    said = capsys.readouterr()
    assert "canary" not in said.out + said.err
    missing = diagnoses(said.out)
    # The metrics of this product have other names, and a test has no terminal.
    assert set(missing) <= {("this machine", "terminal"), ("production", "stop conditions")}, missing
    assert code == 13

    stand = await on_world(world, tmp_path / "launch.lclog", instead(data))
    try:
        ended = await stand.run_quickly("staging.deploy")
        assert ended.state is OperationState.SUCCEEDED, (ended.verdict, ended.output)
    finally:
        await stand.close()


def _secrets_of_the_sop() -> list[str]:
    tiers, of = (
        ("STAGING", "PRODUCTION"),
        ("S3_ACCESS_KEY", "S3_SECRET_KEY", "DATABASE_URL", "ADMIN_PASSWORD"),
    )
    return [f"LC_{tier}_{name}" for tier in tiers for name in of]


async def test_what_is_missing_is_a_line_with_its_fix_and_nothing_secret(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "book.yaml"
    assert await command("init", str(book), *flags(world)) == 0
    token = tmp_path / "token"
    token.write_text("canary-of-a-file")
    monkeypatch.setenv("HAS_ONE", "canary-of-a-variable")
    data = yaml.safe_load(book.read_text())
    data["people"] = [
        {"id": "x", "name": "X", "accounts": ["*"], "roles": ["observer"]},
        {"id": "y", "name": "Y", "accounts": ["somebody-else"], "roles": ["operator"]},
    ]
    data["scope"]["window"] = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    data["helm"] = "no-such-helm"
    staging, production = data["environments"]["staging"], data["environments"]["production"]
    staging["prometheus"] |= {"token": {"file": str(token)}, "headers": {"X-A": {"env": "NOT_SET"}}}
    staging["alertmanager"] = {"url": "http://127.0.0.1:9", "token": {"env": "HAS_ONE"}}
    staging["kube"]["context"] = "stagign"
    staging["secrets"] = ["not-there"]
    production["domains"] = {"web": {"host": "nowhere.invalid"}}
    production["kube"]["namespace"] = "not-there"
    production["ca_file"] = None
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(data, sort_keys=False))
    capsys.readouterr()
    code = await command("doctor", str(broken), "--clock", str(world.folder.clock))
    said = capsys.readouterr()
    assert code == 11, said.err
    assert "canary" not in said.out + said.err
    for line in (
        f"? you              {getpass.getuser()} is X (observer): you may only watch",
        "✖ second person    nobody else may grant",
        "✖ launch window    over: 2020-01-01 00:00Z",
        "✖ helm             no program 'no-such-helm' was found",
        "✔ secret           environment variable HAS_ONE has it",
        "✖ secret           environment variable NOT_SET is not set",
        "✖ context          ",
        "✖ Alertmanager     ",
        "✖ DNS              nowhere.invalid: ",
        "✖ TLS              ",
        "✖ namespace        not-there isn't there",
    ):
        assert line in said.out, (line, said.out)
    lines = said.out.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("✖", "?")):
            assert lines[number + 1].strip().startswith("fix: "), line


async def test_init_writes_over_nothing_and_goes_on_where_no_cluster_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.yaml"
    book.write_text("mine\n")
    assert await command("init", str(book)) == 2
    assert book.read_text() == "mine\n"
    nothing = tmp_path / "kubeconfig"
    nothing.write_text("")
    assert await command("init", str(book), "--force", "--kubeconfig", str(nothing)) == 0
    assert "no cluster is known" in capsys.readouterr().err
    assert await command("runbook", "check", "--offline", str(book)) == 0
    capsys.readouterr()
