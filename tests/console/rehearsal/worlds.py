"""Worlds for tests: made once per test, on a fast clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.products import open_world
from console.rehearsal.world.world import World
from state.base.json import JsonObject, obj, objs

RATE = 60.0


@asynccontextmanager
async def running(
    folder: Path,
    *faults: str,
    seed: int = 3,
    rate: float = RATE,
    runbook: Path | None = None,
    first: bool = False,
) -> AsyncIterator[World]:
    """Serve a world for the length of a block."""
    world = open_world(folder, seed, faults, rate, runbook, first=first)
    try:
        await world.start()
        yield world
    finally:
        await world.stop()


async def helm(world: World, env: Env, *words: str) -> tuple[int, str, str]:
    """Run the world's helm against an environment; return its exit code, what it printed and its errors."""
    process = await start_helm(world, env, *words)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def start_helm(world: World, env: Env, *words: str) -> asyncio.subprocess.Process:
    """Start the world's helm against an environment."""
    return await asyncio.create_subprocess_exec(
        str(world.folder.helm),
        *words,
        "--kubeconfig",
        str(world.folder.kubeconfig),
        "--kube-context",
        env.value,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def upgrade(world: World, env: Env, *more: str) -> Sequence[str]:
    """Return the words that release the candidate."""
    values = str(world.folder.values(env))
    return ("upgrade", "--install", "dotmac", str(world.product(Dotmac).chart), "-f", values, "--wait", *more)


async def history(world: World, env: Env) -> list[JsonObject]:
    """Return the release's revisions."""
    code, out, err = await helm(world, env, "history", "dotmac", "-o", "json")
    assert code == 0, err
    return objs(json.loads(out))


async def measure(world: World, query: str) -> float:
    """Return the number that Prometheus gives for a query, -1 where there is none."""
    url = f"{world.describe()['prometheus']}/api/v1/query"
    async with httpx.AsyncClient() as client:
        answer = obj((await client.get(url, params={"query": query})).json())
    found = objs(obj(answer.get("data")).get("result"))
    value = found[0].get("value") if found else None
    return float(str(value[1])) if isinstance(value, list) else -1.0


async def until(world: World, true: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait, by the world's clock, until something is so."""
    for _ in range(int(seconds)):
        if true():
            return
        await world.clock.sleep(1.0)
    raise AssertionError(f"not within {seconds:g} seconds of the clock")
