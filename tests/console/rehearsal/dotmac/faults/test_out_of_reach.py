"""A launch whose cluster or secrets are out of reach: verdicts are unknown, each says why, and nothing breaks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from console.client.engine_client import EngineClient
from console.engine.engine import Engine
from console.rehearsal.world.runbook import account
from console.rehearsal.world.world import World
from state.base.json import items, obj, text
from state.commands import Confirmation
from state.view.enums import GateStatus, Tier, Verdict
from state.view.launch import CheckView, LaunchView
from tests.console.rehearsal.worlds import running

REAL_S = 90.0
Tree: TypeAlias = dict[str, "Tree | str"]
Change: TypeAlias = Callable[[Tree, Path], None]
"""Spoils an environment's part of a runbook, with a folder for what that takes."""


def part(tree: Tree, name: str) -> Tree:
    found = tree[name]
    assert isinstance(found, dict)
    return found


def no_kubeconfig(production: Tree, folder: Path) -> None:
    part(production, "kube")["kubeconfig"] = str(folder / "nowhere")


def broken_kubeconfig(production: Tree, folder: Path) -> None:
    path = folder / "broken"
    path.write_text("apiVersion: v1\nkind: [")
    part(production, "kube")["kubeconfig"] = str(path)


def no_context(production: Tree, folder: Path) -> None:
    del folder
    part(production, "kube")["context"] = "elsewhere"


def kubeconfig_with(production: Tree, folder: Path, change: Callable[[str], str]) -> None:
    kube = part(production, "kube")
    path = folder / "changed"
    path.write_text(change(Path(str(kube["kubeconfig"])).read_text()))
    path.chmod(0o600)
    kube["kubeconfig"] = str(path)


def expired_token(production: Tree, folder: Path) -> None:
    def change(config: str) -> str:
        tokens = [
            text(obj(obj(u).get("user")), "token") for u in items(obj(yaml.safe_load(config)).get("users"))
        ]
        assert all(tokens)
        for token in tokens:
            config = config.replace(token, "a-token-that-is-over")
        return config

    kubeconfig_with(production, folder, change)


def nobody_listens(production: Tree, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def change(config: str) -> str:
        answer = obj(yaml.safe_load(config))
        for cluster in items(answer.get("clusters")):
            server = text(obj(obj(cluster).get("cluster")), "server")
            config = config.replace(server, f"https://127.0.0.1:{port}")
        return config

    kubeconfig_with(production, folder, change)


CLUSTER: list[tuple[Change, str]] = [
    (no_kubeconfig, "does not exist"),
    (broken_kubeconfig, "kubeconfig"),
    (no_context, "elsewhere"),
    (expired_token, "401"),
    (nobody_listens, "refused the connection"),
]


async def judged(folder: Path, world: World, change: Change, gate: int) -> LaunchView:
    """Spoil the world's runbook, run a gate's checks, and return the launch after that."""
    book = yaml.safe_load(world.runbook_path.read_text())
    for environment in book["environments"].values():
        change(environment, folder)
    path = world.runbook_path.with_name("spoiled.yaml")
    path.write_text(yaml.safe_dump(book, sort_keys=False))  # the first domain is the main one
    engine = await Engine.open(path, folder / "a.lclog", world.clock, account=account())
    run = asyncio.create_task(engine.run())
    client = EngineClient(engine.connect(account(), "test"))
    try:
        await client.open()
        preview = await client.preview("gate.run", {"gate": gate})
        reply = await client.command("gate.run", {"gate": gate}, Confirmation(preview.phrase, preview.token))
        assert reply.ok, reply.message
        async with asyncio.timeout(REAL_S):
            view = await client.until(lambda v: all(c.finished_us for c in checks(v, gate) if c.counts))
        noted = await client.command("note.add", {"text": "the engine goes on"}, Confirmation())
        assert noted.ok
        return view
    finally:
        await client.close()
        engine.stop("the test is over", account())
        await run
        await engine.close()


def checks(view: LaunchView, gate: int) -> list[CheckView]:
    found = view.gate(gate)
    assert found is not None
    return [check for item in found.items for check in item.checks]


@pytest.mark.parametrize(("change", "why"), CLUSTER, ids=[c.__name__ for c, _ in CLUSTER])
async def test_a_cluster_out_of_reach_is_unknown_and_says_why(
    change: Change, why: str, tmp_path: Path
) -> None:
    async with running(tmp_path / "world") as world:
        view = await judged(tmp_path, world, change, 6)
    blind = [check for check in checks(view, 6) if check.verdict is Verdict.UNKNOWN]
    assert len(blind) >= 4
    for check in blind:
        assert why in check.summary, check
        where = "REHEARSAL PRODUCTION" if check.env == Tier.PRODUCTION else "rehearsal staging"
        assert f"Kubernetes ({where})" in check.summary
        assert "Traceback" not in check.summary
    gate = view.gate(6)
    assert gate is not None
    assert gate.status(view.wall_us) is GateStatus.BLIND


async def test_a_secret_that_is_not_there_is_unknown_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LC_TEST_SECRET_KEY", raising=False)

    def change(production: Tree, folder: Path) -> None:
        del folder
        part(production, "objectstore")["secret_key"] = {"env": "LC_TEST_SECRET_KEY"}
        part(production, "database")["url"] = {"file": "/nonexistent/database-url"}

    async with running(tmp_path / "world") as world:
        six = await judged(tmp_path, world, change, 6)
        (tmp_path / "a.lclog").rename(tmp_path / "six.lclog")
        seven = await judged(tmp_path, world, change, 7)
    told = {c.id: (c.verdict, c.summary) for c in (*checks(six, 6), *checks(seven, 7))}
    assert [i for i, (v, s) in told.items() if v is Verdict.UNKNOWN and "LC_TEST_SECRET_KEY" in s]
    assert [i for i, (v, s) in told.items() if v is Verdict.UNKNOWN and "/nonexistent/database-url" in s]
