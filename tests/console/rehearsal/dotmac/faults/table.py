"""Judging a whole rehearsal at one moment: a world in which everything is released, and every check of the SOP."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import registry
from checks.base import CheckContext, CouldNotLookError
from checks.clients.clients import Clients
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.world import World
from state.base.clock import Clock
from state.base.json import obj
from state.runbook.load import load_runbook
from state.runbook.models import CheckSpec, Runbook
from state.view.enums import OperationState, Verdict
from state.view.launch import LaunchView, OperationView
from tests.console.rehearsal.worlds import helm, running, until, upgrade

RATE = 20.0
OF_THE_LAUNCH = frozenset({"9.4", "9.5", "10.3"})
"""Items that judge what the launch itself has seen; here there is none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An item's verdict, and what its checks say where it is no pass."""

    verdict: Verdict
    words: str


async def release(folder: Path, *faults: str, production: bool) -> None:
    """Make a world in which the candidate is released in staging and migrated in both environments.

    With ``production`` it is released there too. The world is stopped.
    """
    async with running(folder, *faults, seed=1, rate=60) as world:
        await deploy(world, Env.STAGING)
        for env in Env:
            cronjob = world.store.need("cronjobs", env.namespace, "dotmac-migrations")
            spec = obj(obj(obj(cronjob["spec"])["jobTemplate"])["spec"])
            where = {"name": "db-migrate-dotmac-1", "namespace": env.namespace}
            world.store.create("jobs", {"metadata": where, "spec": spec})
        await until(
            world, lambda: all(p.database.migrated() for p in world.product(Dotmac).platforms.values())
        )
        if production:
            await deploy(world, Env.PRODUCTION)


async def deploy(world: World, env: Env) -> None:
    """Release the candidate, as the engine does it."""
    images = world.product(Dotmac).artifacts.references()
    given = [word for part in images for word in ("--set-string", f"image.{part}={images[part]}")]
    code, _, err = await helm(world, env, *upgrade(world, env, *given))
    assert code == 0, err


def with_fault(template: Path, folder: Path, fault: str) -> None:
    """Copy a stopped world and give the copy a fault."""
    shutil.copytree(template, folder)
    state = folder / "world.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "faults": [fault] if fault else []}))


async def judge(folder: Path, gates: range) -> dict[str, Judged]:
    """Serve a world and return what the checks of some gates say of it, by item; of the first, also by stage."""
    async with running(folder, rate=RATE) as world:
        runbook = load_runbook(world.runbook_path).runbook
        clients = Clients(runbook)
        await world.clock.sleep(20)
        view = LaunchView(operations=_operations(world))
        items = [i for g in runbook.gates if g.number in gates for i in g.items if i.id not in OF_THE_LAUNCH]
        stages = [stage for stage in runbook.stages if 1 in gates and stage.checks()]
        judged = [(item.id, item.checks) for item in items] + [(stage.id, stage.checks()) for stage in stages]
        try:
            found = await asyncio.gather(*(_item(c, runbook, clients, world.clock, view) for _, c in judged))
        finally:
            await clients.aclose()
        return dict(zip((name for name, _ in judged), found, strict=True))


def _operations(world: World) -> tuple[OperationView, ...]:
    """Return the operations that a launch would have seen: all done just now."""
    now = world.clock.wall_us()
    return tuple(
        OperationView(
            seq=number,
            id=f"{env}.{kind}",
            kind=kind,
            env=env.value,
            title=kind,
            actor="test",
            state=OperationState.SUCCEEDED,
            commands=(),
            from_what="",
            to_what="",
            intended_us=now,
            timeout_s=600,
        )
        for number, (env, kind) in enumerate(((e, k) for e in Env for k in ("deploy", "migrate")), start=1)
    )


async def _item(
    checks: Sequence[CheckSpec], runbook: Runbook, clients: Clients, clock: Clock, view: LaunchView
) -> Judged:
    found = await asyncio.gather(*(_check(s, runbook, clients, clock, view) for s in checks))
    verdicts = {one.verdict for one in found}
    worst = next((v for v in (Verdict.FAIL, Verdict.UNKNOWN) if v in verdicts), Verdict.PASS)
    return Judged(worst, "; ".join(one.words for one in found if one.verdict is not Verdict.PASS))


async def _check(
    spec: CheckSpec, runbook: Runbook, clients: Clients, clock: Clock, view: LaunchView
) -> Judged:
    kind = registry.kind(spec.kind)
    assert kind is not None
    try:
        async with asyncio.timeout(spec.timeout):
            outcome = await kind.run(
                dict(spec.settings), CheckContext(spec.env, runbook, clients, clock, view)
            )
    except CouldNotLookError as error:
        return Judged(Verdict.UNKNOWN, str(error))
    except TimeoutError:
        return Judged(Verdict.UNKNOWN, "timed out")
    return Judged(outcome.verdict, outcome.summary)
