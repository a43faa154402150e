"""Judging a whole rehearsal at one moment: a world in which everything is released, and every check of the SOP."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from checks import identity, registry
from checks.base import CheckContext, CouldNotLookError, Outcome
from checks.clients.clients import Clients
from checks.looks import CheckRef, checks_of_stages, looks_of
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.world import World
from state.base.clock import Clock
from state.base.json import obj
from state.runbook.load import load_runbook
from state.runbook.models import Runbook
from state.view.enums import Look, OperationState, Verdict
from state.view.launch import LaunchView, OperationView
from tests.console.rehearsal.worlds import helm, running, until, upgrade

RATE = 20.0
AT_ONCE = 12
"""Checks that run together: their limits are real seconds, and a busy machine serves no sixty at once."""
PATIENCE = 3
"""How many times its own limit a check may take here: what is judged isn't how fast a busy machine is."""
RELEASES = 9
"""The gate of the production release."""
Looks = Callable[[CheckRef], bool]
"""Chooses which looks of the checks are run."""
OF_THE_LAUNCH = frozenset({"9.4", "9.5", "10.3"})
"""Items that judge what the launch itself has seen; here there is none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An item's verdict, and what its checks say where it is no pass."""

    verdict: Verdict
    words: str


async def promote(staged: Path, folder: Path) -> None:
    """Copy a stopped world in which the candidate is in staging, and release it in the copy's production."""
    shutil.copytree(staged, folder)
    async with running(folder, rate=60) as world:
        await deploy(world, Env.PRODUCTION)


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
    code, _, err = await helm(world, env, *upgrade(world, env, *given, "--timeout", "40m"))
    assert code == 0, err


def with_faults(template: Path, folder: Path, *faults: str) -> None:
    """Copy a stopped world and give the copy faults."""
    shutil.copytree(template, folder)
    state = folder / "world.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "faults": list(faults)}))


async def judge(folder: Path, looks: Looks, *, as_it_is: bool = False) -> dict[str, Judged]:
    """Serve a world and return what these looks of the checks say of it, by item and by stage.

    ``as_it_is``: of whatever runs there, be it the candidate or not.
    """
    async with running(folder, rate=RATE) as world:
        runbook = load_runbook(world.runbook_path).runbook
        clients = Clients(runbook)
        await world.clock.sleep(20)
        view = LaunchView(operations=operations(world))
        asked = {
            i.id: [
                replace(one, look=Look.ONCE) if as_it_is else one
                for one in looks_of(runbook, g, i)
                if looks(one)
            ]
            for g in runbook.gates
            for i in g.items
            if i.id not in OF_THE_LAUNCH
        }
        asked |= {
            stage.id: [one for one in checks_of_stages(runbook, (stage.id,)) if looks(one)]
            for stage in runbook.stages
        }
        items = {name: refs for name, refs in asked.items() if refs}
        free = asyncio.Semaphore(AT_ONCE)
        try:
            found = await asyncio.gather(
                *(judged_item(refs, runbook, clients, world.clock, view, free) for refs in items.values())
            )
        finally:
            await clients.aclose()
        return dict(zip(items, found, strict=True))


def before(ref: CheckRef) -> bool:
    """Choose what is judged before the promotion: of the environments, and of the candidate in staging."""
    return ref.gate < RELEASES and ref.look is not Look.LIVE


def after(ref: CheckRef) -> bool:
    """Choose what is judged after it: the gates of the release, and the second look of those before."""
    return ref.gate >= RELEASES or ref.look is Look.LIVE


def live(ref: CheckRef) -> bool:
    """Choose what judges how a release behaves, in production."""
    return ref.look is Look.LIVE


def operations(world: World) -> tuple[OperationView, ...]:
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


async def judged_item(
    refs: list[CheckRef],
    runbook: Runbook,
    clients: Clients,
    clock: Clock,
    view: LaunchView,
    free: asyncio.Semaphore,
) -> Judged:
    async def one(ref: CheckRef) -> Judged:
        async with free:
            return await _check(ref, runbook, clients, clock, view)

    found = await asyncio.gather(*(one(ref) for ref in refs))
    verdicts = {one.verdict for one in found}
    worst = next((v for v in (Verdict.FAIL, Verdict.UNKNOWN) if v in verdicts), Verdict.PASS)
    return Judged(worst, "; ".join(one.words for one in found if one.verdict is not Verdict.PASS))


async def _check(ref: CheckRef, runbook: Runbook, clients: Clients, clock: Clock, view: LaunchView) -> Judged:
    spec, kind = ref.spec, registry.kind(ref.spec.kind)
    assert kind is not None
    context = CheckContext(spec.env, runbook, clients, clock, view)

    def probe() -> Awaitable[Outcome]:
        return kind.run(dict(spec.settings), context)

    try:
        async with asyncio.timeout(spec.timeout * PATIENCE):
            bound = ref.look is not Look.ONCE
            outcome = await (identity.judged(context, probe) if bound else probe())
    except CouldNotLookError as error:
        return Judged(Verdict.UNKNOWN, str(error))
    except TimeoutError:
        return Judged(Verdict.UNKNOWN, "timed out")
    return Judged(outcome.verdict, outcome.summary)
