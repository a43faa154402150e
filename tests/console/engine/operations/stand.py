"""A launch on a rehearsal world, as far as operations need one: a real log, real clients, a real helm program."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import yaml
from aiohttp import web

from checks.clients.clients import Clients
from console.engine.operations import Operations
from console.engine.ports import Granted, Who
from console.engine.record.declarations import declarations, opened
from console.engine.record.journal import Journal
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.products import open_world
from console.rehearsal.sim.kubernetes import PodPlan
from console.rehearsal.world.world import World
from state.base.clock import SharedClock
from state.base.json import Json, JsonObject, integer, obj, objs, text
from state.events.event import Draft, gate_key
from state.events.gates import AttestSigned, CheckFinished
from state.events.operations import OperationStarted
from state.log.reader import LogReader
from state.log.store import LogStore
from state.runbook.models import Runbook
from state.view.launch import OperationView
from tests.console.engine.operations.screen import unexplained
from tests.drafts import draft


class Anything(Granted):
    """A grant that covers whatever stands against an operation: what is granted is another test's subject."""

    def covers(self, against: Iterable[str]) -> bool:
        return True


ANN = Who("ann", "socket peer uid 1000 (ann)", "c1")
TWO = Anything(0, "made up for a test", "ben (socket peer uid 1001 (ben))", ())
RATE = 150.0
TIMEOUT_S = 3600
"""Half a minute of real time at that rate: long enough for a busy machine."""
SHORT_S = 90
"""For an upgrade that is to fail."""
Hook = Callable[[web.Request], Awaitable["web.StreamResponse | None"]]
Change = Callable[[dict[str, Json]], None]


@dataclass(slots=True)
class Stand:
    """A world, a log, and the operations on them."""

    world: World
    runbook: Runbook
    store: LogStore
    journal: Journal
    clients: Clients
    operations: Operations

    @property
    def platform(self) -> Dotmac:
        """The platform that stands in the world."""
        return self.world.product(Dotmac)

    async def go(self, *gates: int) -> None:
        """Let gates be GO by what a launch would record: checks that passed, attestations; and every stage good."""
        drafts: list[Draft] = []
        for gate in self.journal.view.gates:
            if gates and gate.number not in gates:
                continue
            key = gate_key(gate.number)
            for item in gate.items:
                for check in item.checks:
                    body: JsonObject = {"item": item.id, "check": check.id, "verdict": "pass", "summary": ""}
                    drafts.append(draft(CheckFinished.KIND, body, key))
                if item.question is not None:
                    signed: JsonObject = {"item": item.id, "go": True, "comment": "", "how_known": "test"}
                    drafts.append(draft(AttestSigned.KIND, signed, key, actor="ann"))
        for stage in self.journal.view.stages:
            for check in stage.checks:
                judged: JsonObject = {"item": stage.id, "check": check.id, "verdict": "pass", "summary": ""}
                drafts.append(draft(CheckFinished.KIND, judged))
        for at in range(0, len(drafts), 50):
            await self.journal.record_many(drafts[at : at + 50])

    async def deferred(self, item: str) -> None:
        """Let the first check of an item be deferred, as one of a first launch is."""
        body: JsonObject = {
            "item": item,
            "check": f"{item}/0",
            "verdict": "deferred",
            "summary": "the certificate",
        }
        await self.journal.record(
            draft(CheckFinished.KIND, body, gate_key(int(item.split(".", maxsplit=1)[0])))
        )

    async def start(self, operation_id: str, granted: Granted | None = TWO) -> OperationView:
        """Start an operation, which must not be refused, and return it as the log has it."""
        reply = await self.operations.start(operation_id, ANN, granted)
        assert reply.ok, reply.message
        return self.last()

    async def run(self, operation_id: str, granted: Granted | None = TWO) -> OperationView:
        """Start an operation and return it when it has ended."""
        await self.start(operation_id, granted)
        return await self.ended()

    async def run_quickly(self, operation_id: str) -> OperationView:
        """Run an operation on a clock that is fast meanwhile, and then slow again, so that nothing gets stale."""
        rate = self.world.clock.rate()
        self.world.clock.set_rate(30.0)
        try:
            return await self.run(operation_id)
        finally:
            self.world.clock.set_rate(rate)

    async def until_recorded(self, kind: str, times: int) -> None:
        """Wait until the log has so many events of a kind."""
        async with asyncio.timeout(10):
            while sum(e.kind == kind for e in self.store.read(0, 500)) < times:  # noqa: ASYNC110  the log is read
                await asyncio.sleep(0.02)

    async def ended(self) -> OperationView:
        """Return the newest operation once it has ended."""
        async with asyncio.timeout(40):
            await self.journal.until(lambda view: view.running() is None)
        await self.operations.idle()
        return self.last()

    async def until_step(self, name: str, state: str = "") -> OperationView:
        """Return the newest operation once it has reached a step."""

        def reached() -> bool:
            return any(s.name == name and state in {"", s.state} for s in self.last().steps)

        async with asyncio.timeout(30):
            await self.journal.until(lambda _: reached() or self.last().state.ended)
        assert reached(), self.last()
        return self.last()

    async def refused(self, operation_id: str, granted: Granted | None = None) -> str:
        """Return why an operation is refused, which it must be without any trace in the log."""
        before = len(self.journal.view.operations)
        reply = await self.operations.start(operation_id, ANN, granted)
        assert not reply.ok
        assert len(self.journal.view.operations) == before
        return reply.message

    def last(self) -> OperationView:
        """Return the newest operation."""
        return self.journal.view.operations[-1]

    def steps(self) -> dict[str, tuple[str, str]]:
        """Return the newest operation's steps: state and detail by name."""
        return {s.name: (s.state, s.detail) for s in self.last().steps}

    async def until(self, true: Callable[[], bool], seconds: float = 6000.0) -> None:
        """Wait, by the world's clock, until something is so."""
        for _ in range(int(seconds)):
            if true():
                return
            await self.world.clock.sleep(1.0)
        raise AssertionError(f"not within {seconds:g} seconds of the clock")

    def bad_pods(self, env: Env, plan: PodPlan, digest: str = "") -> None:
        """Let the pods of an image go as ``plan`` says; the candidate's backend where none is named."""
        wanted = digest or self.platform.artifacts.candidate["backend"]

        def ask(pod: JsonObject) -> PodPlan | None:
            told = json.dumps(pod.get("spec"))
            here = text(obj(pod.get("metadata")), "namespace") == env.namespace
            if not digest and '"migrations"' in told:
                return None  # it has the backend's image, and is not what was meant
            return plan if here and wanted in told else None

        self.world.control.plans.append(ask)

    def release(self, env: Env, revision: int) -> JsonObject | None:
        """Return helm's record of a revision as the cluster holds it."""
        return self.world.store.peek("secrets", env.namespace, f"sh.helm.release.v1.dotmac.v{revision}")

    def statuses(self) -> dict[str, str]:
        """Return the status of each environment's newest revision, as helm's labels tell it."""
        places = self.runbook.environments.items()
        newest = {tier.value: _revisions(self.world, one.kube.namespace) for tier, one in places}
        return {env: found[-1][1] for env, found in newest.items() if found}

    def running_digests(self, env: Env) -> set[str]:
        """Return the digests of all pods that are ready."""
        return {image.partition("@")[2] for image in self.platform.reconciler.ready(env).values()}

    async def again(self, *, alone: bool = True) -> Stand:
        """Return the same launch in a new engine: the old one forgets all it held in memory."""
        await self.operations.aclose()
        await self.clients.aclose()
        path = self.store.path
        self.store.close()
        return self._on(LogStore.open(path, clock=self.world.clock, session="s2", alone=alone))

    def reopened(self) -> Stand:
        """Return the same launch in a new engine, after another process had its log."""
        return self._on(LogStore.open(self.store.path, clock=self.world.clock, session="s3"))

    def stall(self, method: str, part: str) -> Hook:
        """Return a hook for the API server that never answers some requests."""

        async def hook(request: web.Request) -> web.StreamResponse | None:
            if request.method == method and part in request.path:
                await asyncio.Event().wait()
            return None

        return hook

    def second(self) -> Stand:
        """Return another launch, with a log of its own, on the same world."""
        path = self.store.path.with_name("other.lclog")
        return self._on(LogStore.create(path, clock=self.world.clock, session="s9"))

    def _on(self, store: LogStore) -> Stand:
        return _stand(self.world, self.runbook, store)

    async def close(self) -> None:
        """Let go of everything but the world."""
        await self.operations.aclose()
        await self.clients.aclose()
        self.store.close()


def _stand(world: World, runbook: Runbook, store: LogStore) -> Stand:
    journal = Journal(store, world.clock)
    journal.load()
    clients = Clients(runbook)
    folder = store.path.with_suffix(".operations")
    return Stand(
        world, runbook, store, journal, clients, Operations(runbook, journal, clients, world.clock, folder)
    )


@asynccontextmanager
async def launch(
    folder: Path,
    *,
    rate: float = RATE,
    change: Change | None = None,
    each_s: float = TIMEOUT_S,
    first: bool = False,
) -> AsyncIterator[Stand]:
    """Open a launch on a new world; ``change`` may change its runbook before it is read.

    ``first``: nothing was ever installed in production.

    No release may be left pending at the end without the screen saying so and offering a way out.
    """
    world = open_world(folder / "world", 3, (), rate, first=first)
    stand: Stand | None = None
    try:
        await world.start()
        _without_alerts(world)
        runbook = read_runbook(world, change, each_s)
        store = LogStore.create(folder / "launch.lclog", clock=world.clock, session="s1")
        stand = _stand(world, runbook, store)
        await stand.journal.record_many([opened(runbook, "L1", "0" * 64), *declarations(runbook)])
        await stand.operations.resume()
        yield stand
        assert unexplained(stand.store.path, stand.statuses()) == []
    finally:
        if stand is not None:
            await stand.close()
        await world.stop()


async def on_world(world: World, file: Path, change: Change, each_s: float = TIMEOUT_S) -> Stand:
    """Return one more launch, with a runbook and a log of its own, on a world that others use too."""
    runbook = read_runbook(world, change, each_s)
    store = LogStore.create(file, clock=world.clock, session="s1")
    stand = _stand(world, runbook, store)
    await stand.journal.record_many([opened(runbook, "L1", "0" * 64), *declarations(runbook)])
    await stand.operations.resume()
    return stand


def read_runbook(world: World, change: Change | None = None, each_s: float = TIMEOUT_S) -> Runbook:
    """Return the world's runbook, changed where a test wants it so."""
    body = dict(obj(yaml.load(world.runbook_path.read_text(), yaml.CSafeLoader)))
    body["operations"] = [{**one, "timeout": each_s} for one in objs(body["operations"])]
    if change is not None:
        change(body)
    world.runbook_path.with_name("as-changed.json").write_text(json.dumps(body))
    return Runbook.model_validate(body, context={"base": world.runbook_path.parent})


def _without_alerts(world: World) -> None:
    """Let nobody evaluate the alerting rules: no operation looks at them, and on a fast clock they cost most."""
    for task in world._tasks:
        if "_alert" in repr(task.get_coro()):
            task.cancel()


def section(body: dict[str, Json], *names: str) -> dict[str, Json]:
    """Return a part of a runbook's body to write into."""
    for name in names:
        part = body[name]
        assert isinstance(part, Mapping)
        body[name] = body = dict(part)
    return body


def wrapped_helm(folder: Path, script: str) -> Change:
    """Let a shell script stand before helm; in it ``helm "$@"`` is the program itself."""

    def change(body: dict[str, Json]) -> None:
        file = folder / "helm-before"
        file.write_text(
            f'#!/bin/sh\nhelm() {{ "{body["helm"]}" "$@"; }}\n{script}\nexec "{body["helm"]}" "$@"\n'
        )
        file.chmod(0o700)
        body["helm"] = str(file)

    return change


class Hold:
    """Keeps requests to the cluster waiting that a test wants to catch in the middle."""

    def __init__(self, stand: Stand, method: str, part: str) -> None:
        self.reached = asyncio.Event()
        self.go = asyncio.Event()
        self._method, self._part = method, part
        stand.world.kube.hooks.append(self._hook)

    async def _hook(self, request: web.Request) -> web.StreamResponse | None:
        if request.method == self._method and self._part in request.path:
            self.reached.set()
            await self.go.wait()
        return None


def revisions(stand: Stand, env: Env) -> list[str]:
    """Return ``number status`` of every revision, as helm's labels tell it."""
    return [f"{number} {status}" for number, status in _revisions(stand.world, env.namespace)]


def _revisions(world: World, namespace: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for secret in world.store.scan("secrets", namespace):
        labels = obj(obj(secret.get("metadata")).get("labels"))
        if labels.get("owner") == "helm":
            found.append((int(text(labels, "version")), text(labels, "status")))
    return sorted(found)


def jobs(stand: Stand, env: Env) -> list[str]:
    """Return the names of the jobs of an environment."""
    return [text(obj(j.get("metadata")), "name") for j in stand.world.store.scan("jobs", env.namespace)]


def containers(pod: JsonObject) -> list[JsonObject]:
    """Return a pod's containers."""
    return list(objs(obj(pod.get("spec")).get("containers")))


async def engine_alone(log: Path, operation_id: str) -> None:
    """Be an engine in a process of its own on the world beside ``log``, and start an operation."""
    folder = log.parent / "world"
    body = json.loads((folder / "as-changed.json").read_text())
    runbook = Runbook.model_validate(body, context={"base": folder})
    clock = SharedClock(folder / "clock")
    store = LogStore.open(log, clock=clock, session="s2")
    journal = Journal(store, clock)
    journal.load()
    clients = Clients(runbook)
    operations = Operations(runbook, journal, clients, clock, log.with_suffix(".operations"))
    reply = await operations.start(operation_id, ANN, TWO)
    assert reply.ok, reply.message
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await operations.aclose()
    await clients.aclose()
    store.close()


def pid_in(log: Path) -> int:
    """Return the pid of the newest operation that a log names, which another process may be writing."""
    with closing(LogReader(log)) as reader:
        events = [e for e in reader.events(0) if e.kind == OperationStarted.KIND]
    return integer(events[-1].body, "pid")
