"""Each fault that the bake must catch makes the stop conditions breach that are about it, and no other."""

from __future__ import annotations

from pathlib import Path

from console.engine.engine import Engine
from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.world import World
from tests.console.rehearsal.worlds import running

CAUGHT_BY = {
    "bad-candidate": {"error-rate", "auth-errors", "latency-p95"},
    "slow-candidate": {"latency-p95"},
    "auth-candidate": {"auth-errors"},
    "throttling-candidate": {"auth-errors", "too-many-requests"},
    "rate-limited-clients": {"too-many-requests"},
}


def misbehave(world: World, name: str) -> None:
    """Let production behave as it would with the fault, were the candidate released."""
    for fault in FAULTS:
        if fault.name == name:
            fault.apply(world)
    reconciler = world.product(Dotmac).reconciler
    bad = world.misbehaviour[Env.PRODUCTION]
    reconciler.base[Env.PRODUCTION] = bad.applied(reconciler.base[Env.PRODUCTION], 1.0)
    reconciler.step()  # at once, however late a busy machine comes to it


async def breaching(engine: Engine) -> set[str]:
    """Return which conditions breach now, or would trip, were the candidate released."""
    await engine.conditions.tick()
    words = ("currently BREACHING", "currently TRIPPED")
    return {c.id for c in engine.journal.view.conditions if any(word in c.reason for word in words)}


async def become(world: World, engine: Engine, wanted: set[str]) -> None:
    """Wait until exactly these conditions breach; fail where it takes much longer than it may."""
    for _ in range(40):
        await world.clock.sleep(30)
        if (found := await breaching(engine)) == wanted:
            return
    assert found == wanted


async def test_each_fault_of_the_bake_breaches_its_conditions(tmp_path: Path) -> None:
    assert {f.name for f in FAULTS if f.item == "9.4"} == CAUGHT_BY.keys()
    async with running(tmp_path / "world", rate=300) as world:
        engine = await Engine.open(world.runbook_path, tmp_path / "a.lclog", world.clock, account="ann")
        try:
            well = world.product(Dotmac).reconciler.base[Env.PRODUCTION]
            for name, caught in CAUGHT_BY.items():
                misbehave(world, name)
                await become(world, engine, caught)
                await world.clock.sleep(60)
                assert await breaching(engine) == caught, name
                world.product(Dotmac).reconciler.base[Env.PRODUCTION] = well
                world.product(Dotmac).reconciler.step()
                await become(world, engine, set())
        finally:
            await engine.close()
