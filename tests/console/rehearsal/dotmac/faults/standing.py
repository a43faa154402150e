"""A world that stays open: one fault after the other is put in, judged, and taken out again.

To make a world, release into it and start it takes most of the time of judging one. What a fault changes is kept
beforehand and put back afterwards; where pods were replaced for it, the world is made anew from its template.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields
from itertools import count
from pathlib import Path

from checks.clients.clients import Clients
from checks.looks import CheckRef, checks_of_stages, looks_of
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform.routes.limits import Limiter
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.alertmanager import Config
from console.rehearsal.sim.kubernetes.objects import Obj
from console.rehearsal.world.coupling import Misbehaviour
from console.rehearsal.world.fault import Fault
from console.rehearsal.world.world import World
from state.base.json import JsonObject, path
from state.runbook.load import load_runbook
from state.runbook.models import Runbook
from state.view.launch import LaunchView
from tests.console.rehearsal.dotmac.faults.table import (
    OF_THE_LAUNCH,
    Judged,
    Looks,
    after,
    deploy,
    judged_item,
    operations,
    with_faults,
)
from tests.console.rehearsal.worlds import running

AT_ONCE = 4
_REPLACED = frozenset({"deployments", "replicasets", "jobs"})
"""Whoever changes these has pods replaced."""
_ROLLOUT_S = 400
_TOKEN_S = 86_400
"""The clock is fast, and a busy machine slow: a token of a quarter of an hour would end amid the checks."""
RATE = 10.0
Objects = dict[str, dict[tuple[str, str], Obj]]


@dataclass(slots=True)
class Kept:
    """What a fault may change, as it was."""

    objects: Objects
    settings: dict[Env, dict[str, object]]
    files: dict[Path, str]
    store: dict[str, object]

    @classmethod
    def of(cls, world: World) -> Kept:
        """Return what a world is now."""
        dotmac = world.product(Dotmac)
        return cls(
            {plural: dict(held) for plural, held in world.store._objects.items()},
            {
                env: {one.name: deepcopy(getattr(settings, one.name)) for one in fields(settings)}
                for env, settings in dotmac.settings.items()
            },
            {world.folder.values(env): world.folder.values(env).read_text() for env in Env},
            deepcopy(
                {
                    "buckets": world.objects.buckets,
                    "keys": world.objects.keys,
                    "backups": dotmac.artifacts.backups,
                    "images": world.registry._repositories,
                    "senders": world.prometheus.alertmanagers,
                }
            ),
        )

    def put_back(self, world: World) -> bool:
        """Make a world what it was; return whether pods were replaced, so that this can't be told of it."""
        dotmac = world.product(Dotmac)
        for lasting in dotmac.reconciler.lasting.values():
            lasting.clear()
        for waiting in dotmac.reconciler.when_live.values():
            waiting.clear()
        for env, settings in dotmac.settings.items():
            for name, value in deepcopy(self.settings[env]).items():
                setattr(settings, name, value)
            world.misbehaviour[env.value] = Misbehaviour()
            core = dotmac.platforms[env].core
            core.limiter = Limiter(world.clock)
            core.failed_logins.clear()
            core._late.clear()
            core.settle()
        for file, text in self.files.items():
            file.write_text(text)
        kept = deepcopy(self.store)
        world.objects.buckets, world.objects.keys = kept["buckets"], kept["keys"]  # type: ignore[assignment]
        world.registry._repositories = kept["images"]  # type: ignore[assignment]
        world.prometheus.alertmanagers = kept["senders"]  # type: ignore[assignment]
        dotmac.artifacts.backups = kept["backups"]  # type: ignore[assignment]
        dotmac.artifacts.back_up()
        world.prometheus.set_rules(dotmac.rules())
        manager = world.alertmanager
        manager.failing.clear()
        manager._silences.clear()
        manager._alerts.clear()
        manager.cluster_status = "ready"
        manager.set_config(Config())
        world.kube.hooks.clear()
        world.objects.hooks.clear()
        world.registry.hooks.clear()
        world.prometheus.hooks.clear()
        manager.hooks.clear()
        world.control.denials.clear()
        world.control.plans.clear()
        world.control.runbook_changes.clear()
        return self._objects_back(world)

    def _objects_back(self, world: World) -> bool:
        store, replaced = world.store, False
        for plural, held in store._objects.items():
            before = self.objects[plural]
            for key in [key for key in {**held, **before} if held.get(key) is not before.get(key)]:
                now, was = held.get(key), before.get(key)
                replaced |= plural in _REPLACED and _spec(now) != _spec(was)
                if now is not None:
                    store._forget(plural, now)
                    del held[key]
                if was is not None:
                    held[key] = was
                    store._index(plural, was)
                store._record(plural, now, was)
        self.objects = {plural: dict(held) for plural, held in store._objects.items()}
        return replaced


def _spec(body: JsonObject | None) -> object:
    return path(body or {}, ("spec", "template"))


@dataclass(slots=True)
class Standing:
    """A stopped world's copy that is served for as long as it is of use."""

    template: Path
    folder: Path
    looks: Looks
    world: World | None = None
    kept: Kept | None = None
    runbook: Runbook | None = None
    _serving: object = None
    _number: count[int] = field(default_factory=count)

    async def judge(self, faults: Sequence[Fault], items: Collection[str] | None) -> dict[str, Judged]:
        """Return what these items say (None: all) of the world with some faults at once.

        One that changes how the candidate is released comes alone.
        """
        if faults and faults[0].prepare is not None:
            return await self._released_with(faults[0], items)
        world = await self._open()
        assert self.kept is not None
        for fault in faults:
            fault.apply(world)
        if faults:
            world.product(Dotmac).reconciler.step()
            await _rolled_out(world)
            for platform in world.product(Dotmac).platforms.values():
                platform.core.settle()
        try:
            return await self._ask(world, items)
        finally:
            if self.kept.put_back(world):
                await self.close()

    async def _released_with(self, fault: Fault, items: Collection[str] | None) -> dict[str, Judged]:
        """Judge what is wrong with a chart or its values, with which the candidate is released once more."""
        folder = self.folder / f"with-{fault.name.replace(':', '-')}"
        with_faults(self.template, folder, fault.name)
        async with running(folder, rate=60) as world:
            for env in Env if self.looks is after else (Env.STAGING,):
                await deploy(world, env)
        async with running(folder, rate=RATE) as world:
            await world.clock.sleep(20)
            return await self._ask(world, items)

    async def _ask(self, world: World, items: Collection[str] | None) -> dict[str, Judged]:
        if world.control.runbook_changes or self.runbook is None or world is not self.world:
            world._write_runbook()
            runbook = load_runbook(world.runbook_path).runbook
        else:
            runbook = self.runbook
        refs = {
            name: found
            for name, found in asked(runbook, self.looks).items()
            if items is None or name in items
        }
        clients, free = Clients(runbook), asyncio.Semaphore(AT_ONCE)
        view = LaunchView(operations=operations(world))
        try:
            found = await asyncio.gather(
                *(judged_item(one, runbook, clients, world.clock, view, free) for one in refs.values())
            )
        finally:
            await clients.aclose()
        return dict(zip(refs, found, strict=True))

    async def _open(self) -> World:
        if self.world is None:
            folder = self.folder / f"standing-{next(self._number)}"
            with_faults(self.template, folder)
            self._serving = running(folder, rate=RATE)
            self.world = await self._serving.__aenter__()
            await self.world.clock.sleep(20)
            for settings in self.world.product(Dotmac).settings.values():
                settings.auth.token_lifetime_s = _TOKEN_S
            self.kept = Kept.of(self.world)
            self.runbook = load_runbook(self.world.runbook_path).runbook
        return self.world

    async def close(self) -> None:
        """Serve it no longer."""
        if self._serving is not None:
            serving, self._serving, self.world = self._serving, None, None
            await serving.__aexit__(None, None, None)  # type: ignore[attr-defined]


def asked(runbook: Runbook, looks: Looks) -> dict[str, list[CheckRef]]:
    """Return the checks by item and by stage."""
    found = {
        item.id: [one for one in looks_of(runbook, gate, item) if looks(one)]
        for gate in runbook.gates
        for item in gate.items
        if item.id not in OF_THE_LAUNCH
    }
    found |= {
        stage.id: [one for one in checks_of_stages(runbook, (stage.id,)) if looks(one)]
        for stage in runbook.stages
    }
    return {name: refs for name, refs in found.items() if refs}


async def _rolled_out(world: World) -> None:
    """Wait until the pods are those that the deployments want."""
    for _ in range(_ROLLOUT_S // 5):
        if all(map(_is_as_wanted, _deployments(world))):
            return
        await world.clock.sleep(5)
    raise AssertionError("the pods of a changed deployment don't become ready")


def _deployments(world: World) -> Iterable[JsonObject]:
    return [one for env in Env for one in world.store.scan("deployments", env.namespace)]


def _is_as_wanted(deployment: JsonObject) -> bool:
    wanted = path(deployment, ("spec", "replicas"))
    status = [path(deployment, ("status", word)) for word in ("updatedReplicas", "readyReplicas", "replicas")]
    seen = path(deployment, ("status", "observedGeneration")) == path(deployment, ("metadata", "generation"))
    return seen and status == [wanted] * 3


@asynccontextmanager
async def standing(template: Path, folder: Path, looks: Looks) -> AsyncIterator[Standing]:
    """Keep a world open for a block."""
    one = Standing(template, folder, looks)
    try:
        yield one
    finally:
        await one.close()
