"""The stand-in for helm as a program, against the world's API server."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.kubernetes import PodPlan
from console.rehearsal.world.world import World
from state.base.json import JsonObject, obj, path
from tests.console.rehearsal.worlds import helm, history, running, start_helm, until, upgrade


def _never_ready(pod: JsonObject) -> PodPlan | None:
    del pod
    return PodPlan(ready=False)


def _statuses(revisions: list[JsonObject]) -> list[str]:
    return [f"{r['revision']} {r['status']}" for r in revisions]


async def test_upgrade_history_and_rollback_to_a_revision(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        env = Env.PRODUCTION
        code, out, err = await helm(
            world, env, *upgrade(world, env, "--description", "by a test", "-o", "json")
        )
        assert (code, err) == (0, "")
        assert obj(json.loads(out)["info"])["status"] == "deployed"
        dotmac = world.product(Dotmac)
        running_images = set(dotmac.reconciler.ready(env).values())
        candidate = dotmac.artifacts.candidate["backend"]
        assert {image.partition("@")[2] for image in running_images} == {candidate}
        revisions = await history(world, env)
        assert _statuses(revisions) == ["1 superseded", "2 deployed"]
        assert revisions[1]["description"] == "by a test"

        code, out, err = await helm(world, env, "rollback", "dotmac", "1", "--wait")
        assert (code, out, err) == (0, "Rollback was a success! Happy Helming!\n", "")
        assert _statuses(await history(world, env)) == ["1 superseded", "2 superseded", "3 deployed"]
        back = {image.partition("@")[2] for image in world.product(Dotmac).reconciler.ready(env).values()}
        assert back == {world.product(Dotmac).artifacts.previous["backend"]}
        first, third = [
            (await helm(world, env, "get", "manifest", "dotmac", "--revision", n))[1] for n in ("1", "3")
        ]
        assert first == third


async def test_a_revision_that_does_not_change_the_pods_restarts_none(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        before = set(world.product(Dotmac).reconciler.ready(Env.STAGING))
        values = str(world.folder.values(Env.STAGING, "previous"))
        words = ("upgrade", "dotmac", str(world.product(Dotmac).chart), "-f", values, "--wait")
        assert (await helm(world, Env.STAGING, *words))[0] == 0
        await world.clock.sleep(20)
        assert set(world.product(Dotmac).reconciler.ready(Env.STAGING)) == before


async def _upgrading(world: World) -> asyncio.subprocess.Process:
    world.control.plans.append(_never_ready)
    process = await start_helm(world, Env.STAGING, *upgrade(world, Env.STAGING))
    await until(
        world,
        lambda: world.store.peek("secrets", "dotmac-staging", "sh.helm.release.v1.dotmac.v2") is not None,
    )
    return process


async def test_a_terminated_upgrade_records_failed(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        process = await _upgrading(world)
        assert _statuses(await history(world, Env.STAGING))[-1] == "2 pending-upgrade"
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
        assert (process.returncode, out) == (1, b"Release dotmac has been cancelled.\n")
        assert err == b"Error: UPGRADE FAILED: context canceled\n"
        last = (await history(world, Env.STAGING))[-1]
        assert (last["status"], last["description"]) == (
            "failed",
            'Upgrade "dotmac" failed: context canceled',
        )
        first = (await history(world, Env.STAGING))[0]
        assert first["status"] == "deployed"


async def test_a_killed_upgrade_stays_pending_and_blocks_the_next_but_not_a_rollback(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        process = await _upgrading(world)
        process.kill()
        await process.communicate()
        code, out, err = await helm(world, Env.STAGING, *upgrade(world, Env.STAGING))
        assert (code, out) == (1, "")
        assert err == "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n"
        world.control.plans.clear()
        assert (await helm(world, Env.STAGING, "rollback", "dotmac", "1", "--wait"))[0] == 0
        assert _statuses(await history(world, Env.STAGING)) == ["1 superseded", "2 superseded", "3 deployed"]


async def test_an_upgrade_that_is_never_ready_fails_at_its_timeout(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        world.control.plans.append(_never_ready)
        code, _, err = await helm(world, Env.STAGING, *upgrade(world, Env.STAGING, "--timeout", "30s"))
        assert (code, err) == (1, "Error: UPGRADE FAILED: context deadline exceeded\n")
        assert (await history(world, Env.STAGING))[-1]["status"] == "failed"


async def test_a_dry_run_leaves_no_revision(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        words = upgrade(world, Env.STAGING, "--dry-run=server", "-o", "json")
        code, out, _ = await helm(world, Env.STAGING, *words)
        shown = obj(json.loads(out))
        assert (code, path(shown, ("info", "status")), shown["version"]) == (0, "pending-upgrade", 2)
        assert len(await history(world, Env.STAGING)) == 1


async def test_what_is_not_there_is_said_in_helms_words(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        assert await helm(world, Env.STAGING, "status", "nothing") == (1, "", "Error: release: not found\n")
        assert (await helm(world, Env.STAGING, "rollback", "dotmac", "9"))[
            2
        ] == "Error: release has no 9 version\n"
        code, _, err = await helm(world, Env.STAGING, "upgrade", "nothing", str(world.product(Dotmac).chart))
        assert (code, err) == (1, 'Error: UPGRADE FAILED: "nothing" has no deployed releases\n')
        stopped = str(world.folder.kubeconfig)
    other = await asyncio.create_subprocess_exec(
        str(world.folder.helm), "list", "--kubeconfig", stopped, "--kube-context", "staging",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    err = (await other.communicate())[1].decode()
    assert other.returncode == 1
    assert err.startswith("Error: Kubernetes cluster unreachable: ")
    assert "connection refused" in err
