"""The engine: everything of one launch that acts or observes, composed; ended only when it is told to."""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.engine.bake.bake_clock import Bake
from console.engine.bake.loop import EvaluationLoop
from console.engine.bake.stop_conditions import Conditions
from console.engine.checks.after_operations import AfterOperations
from console.engine.checks.first_launch import FirstLaunch
from console.engine.checks.gate_status import GateKeeper
from console.engine.checks.owed import Owed
from console.engine.checks.runner import Runner, close_open_checks
from console.engine.checks.validate import load_judgeable
from console.engine.commands import Commands
from console.engine.commands.handler import CommandContext
from console.engine.commands.polls import PollClock
from console.engine.operations.access.here import lacks_of
from console.engine.ports import ENGINE, OperationsPort
from console.engine.process.hub import EngineFacts, Hub, LocalConnection
from console.engine.process.supervisor import Supervisor
from console.engine.record.anchors import Anchors
from console.engine.record.attachments import Attachments
from console.engine.record.body_filter import BodyFilter
from console.engine.record.clusters import Clusters
from console.engine.record.declarations import candidate, declarations, opened, unseen
from console.engine.record.full_verify import Wholeness
from console.engine.record.journal import Journal
from console.engine.record.releases import Releases
from console.engine.record.runbook_diff import gone, runbook_changes
from console.engine.watch.alertmanager import AlertWatch
from console.engine.watch.kubernetes import Watches
from console.engine.watch.metrics import Sampler
from console.engine.watch.monitoring_health import MonitorWatch
from console.engine.watch.source_health import GRACE_S
from console.engine.watch.webhooks import Webhooks
from state.base.clock import Clock
from state.base.version import VERSION
from state.commands import Confirmation
from state.events.event import Draft, gate_key
from state.events.gates import GateRecycled
from state.events.launch import EngineStarted, EngineStopped, RunbookChanged
from state.events.log import LogClosed, NoteAdded
from state.log.errors import LogError, LogSealedError
from state.log.store import LogStore
from state.log.trouble import StoreState
from state.log.witness import Witness, witness_directory
from state.runbook.load import LoadedRunbook
from state.view.enums import ENDED, LaunchState
from state.view.launch import LaunchView
from state.view.rollbacks import rollback_of

if TYPE_CHECKING:
    from checks.clients.clients import Clients


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the engine ends, and who said so."""

    reason: str
    actor: str


def version() -> str:
    """Return the version of this program."""
    return VERSION


class Engine:
    """Runs one launch. Open it, let it ``run``, and close it."""

    def __init__(
        self,
        loaded: LoadedRunbook,
        store: LogStore,
        clock: Clock,
        clients: Clients,
        session: str,
        grace_s: float = GRACE_S,
    ) -> None:
        self.loaded = loaded
        self._grace_s = grace_s
        self.store = store
        self.clients = clients
        keep = Attachments(store.path).keep if loaded.runbook.attachments else None
        self.journal = Journal(store, clock, BodyFilter(clients.redactor.clean, keep))
        self.operations = self._make_operations()
        self.clusters = Clusters(self.journal, loaded.runbook, clients)
        self.releases = Releases(self.journal, loaded.runbook, clients)
        first = FirstLaunch(self.releases, self.operations.rendered)
        self.runner = Runner(self.journal, loaded.runbook, clients, first=first)
        self.commands = Commands(
            CommandContext(
                self.journal,
                loaded.runbook,
                self.runner,
                self.operations,
                self.stop,
                lambda: store.state,
                clients,
            )
        )
        self.sampler = Sampler(self.journal, loaded.runbook, clients)
        self.conditions = Conditions(
            self.journal, loaded.runbook, clients, self._roll_back, self._may_roll_back
        )
        self.monitors = MonitorWatch(self.journal, loaded.runbook, clients)
        self.alerts = AlertWatch(self.journal, loaded.runbook, clients)
        self.bake = Bake(self.journal, loaded.runbook)
        witness = Witness(witness_directory(os.environ), store.log_id)
        self.anchors = Anchors(self.journal, loaded.runbook, clients, witness)
        facts = EngineFacts(os.getpid(), str(store.path), version(), session)
        self.hub = Hub(self.journal, self.commands, facts)
        self.supervisor = Supervisor(self.journal)
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._unwatch = store.watch(self._on_store)
        self._loop = asyncio.get_running_loop()
        self._closed = False

    @classmethod
    async def open(
        cls,
        runbook_path: Path,
        log_path: Path,
        clock: Clock,
        *,
        account: str,
        clients: Clients | None = None,
        grace_s: float = GRACE_S,
    ) -> Engine:
        """Open a log, or make it, and record that the engine runs. Nothing is watched before ``run``.

        ``account`` started it. A cluster is lost once it was away for ``grace_s`` real seconds. Raises RunbookError
        with every problem of the runbook, LogError.
        """
        loaded = load_judgeable(runbook_path)
        session = uuid.uuid4().hex[:12]
        store = open_store(log_path, clock, session)
        try:
            if clients is None:
                from checks.clients.clients import Clients

                clients = Clients(loaded.runbook, clock)
            engine = cls(loaded, store, clock, clients, session, grace_s)
            await engine.begin(account)
        except BaseException:
            store.close()
            raise
        return engine

    def _make_operations(self) -> OperationsPort:
        from console.engine.operations import Operations

        folder = self.store.path.with_name(f"{self.store.path.name}.programs")
        return Operations(self.loaded.runbook, self.journal, self.clients, self.journal.clock, folder)

    async def begin(self, account: str) -> None:
        """Record the start: a new launch's declarations, or what became of a launch that goes on."""
        self.journal.load()
        resumed = bool(self.journal.view.scope.launch_id)
        if self.journal.view.state in ENDED:
            raise LogSealedError(self.store.path, self.journal.view.state)
        lacks = await asyncio.to_thread(lacks_of, self.loaded.runbook)
        first = Draft(EngineStarted(os.getpid(), resumed, version(), account, lacks))
        if not resumed:
            launch_id = f"{self.loaded.runbook.candidate.version}-{self.store.log_id[:8]}"
            declared = declarations(self.loaded.runbook)
            drafts = [opened(self.loaded.runbook, launch_id, self.loaded.digest), *declared, first]
            await self.journal.record_many(drafts)
            return
        await self.journal.record(first)
        await self.anchors.compare()
        await close_open_checks(self.journal, "the engine ended while it ran")
        await self._runbook_changed()

    async def _runbook_changed(self) -> None:
        view, runbook = self.journal.view, self.loaded.runbook
        before = view.scope.runbook_digest
        if before == self.loaded.digest:
            # Another version may look elsewhere: what was judged by other looks is judged again.
            await self.journal.record_many(unseen(declarations(runbook), view))
            return
        diff, left = tuple(runbook_changes(view, runbook)), tuple(gone(view, runbook))
        drafts = [
            Draft(RunbookChanged(self.loaded.digest, before, diff, left)),
            opened(runbook, view.scope.launch_id, self.loaded.digest),
        ]
        drafts += unseen(declarations(runbook), view)
        if candidate(runbook) != view.candidate:
            reason = "the candidate changed: what was approved was another one"
            drafts.append(Draft(GateRecycled(reason), gate_key(1)))
        await self.journal.record_many(drafts)

    async def run(self) -> Ending:
        """Watch, sample, evaluate and serve until told to stop; return why."""
        runbook, journal = self.loaded.runbook, self.journal
        keep = self.supervisor.keep
        self.clusters.hold()
        keep("consoles", self.hub.beat)
        keep("gates", GateKeeper(journal).run)
        keep(
            "after-operations",
            AfterOperations(journal, runbook, self.runner, lambda: self.commands.asked).run,
        )
        keep("anchors", self.anchors.run)
        for environment in runbook.environments.values():
            keep(
                f"watch-{environment.tier.value}",
                Watches(journal, self.clients, environment, self._grace_s).run,
            )
        keep("polls", PollClock(journal).run)
        keep("owed", Owed(journal, runbook, self.runner).run)
        keep("samples", self.sampler.run)
        keep("monitors", self.monitors.run)
        keep("alerts", self.alerts.run)
        keep("webhooks", Webhooks(journal, runbook).run)
        keep("conditions", EvaluationLoop(journal, self.conditions, self.bake, runbook.bake.interval).run)
        self.supervisor.once("operations", self.operations.resume)
        self.supervisor.once("clusters", self.clusters.run)
        self.supervisor.once("releases", self.releases.run)
        self.supervisor.once("log", Wholeness(journal, self.store).run)
        return await asyncio.shield(self._ended)

    def stop(self, reason: str, actor: str = "engine") -> None:
        """Let ``run`` return."""
        if not self._ended.done():
            self._ended.set_result(Ending(reason, actor))

    def connect(self, account: str, how_known: str = "") -> LocalConnection:
        """Return a connection for a console in this process."""
        return self.hub.connect(account, how_known)

    async def close(self) -> None:
        """End everything but the programs that run, record why, and close the log. May be called twice."""
        if self._closed:
            return
        self._closed = True
        ending = self._ended.result() if self._ended.done() else Ending("the engine was closed", "engine")
        await self.supervisor.aclose()
        await self.runner.aclose()
        await self.operations.aclose()
        try:
            # A log on a full disk must not keep the engine from ending.
            async with asyncio.timeout(5.0):
                await close_open_checks(self.journal, "the engine was stopped while it ran")
                await self.anchors.keep("the engine stops")
                await self.journal.record(Draft(EngineStopped(ending.reason), actor=ending.actor))
                await self.journal.settle()
                if self.journal.view.state in {LaunchState.CLOSED, LaunchState.SCRUBBED}:
                    await self.journal.record(Draft(LogClosed(self.journal.view.head)))
                await self.anchors.witness()
        except (LogError, TimeoutError):
            pass  # the log can't be written: the next engine finds it without an end, and says so
        # After the last events, so that every console is shown how it ended.
        await self.hub.aclose(ending.reason)
        await self.clients.aclose()
        self._unwatch()
        await asyncio.to_thread(self.store.close)

    async def _roll_back(self, condition: str) -> bool:
        """Start production's rollback as a captain would, but for the typed name."""
        note = Draft(NoteAdded(f"{condition} tripped: the runbook asks for a rollback"))
        await self.journal.record(note)
        args = {"operation": _rollback(self.journal.view)}
        reply = await self.commands.run("operation.run", args, Confirmation(), ENGINE)
        return reply.ok

    async def _may_roll_back(self) -> str:
        """Return why production's rollback would be refused now, or nothing."""
        args = {"operation": _rollback(self.journal.view)}
        preview = await self.commands.preview("operation.run", args, ENGINE)
        return "" if preview.allowed else preview.reason or "the rollback is refused"

    def _on_store(self, state: StoreState) -> None:
        """Called in the log's own thread when it freezes or can be written again."""

        def tell() -> None:
            self.hub.trouble = state.reason if state.frozen else ""
            if not state.frozen:
                self.journal.catch_up()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell)


def _rollback(view: LaunchView) -> str:
    """Return the id of production's rollback, or nothing: the command then says that there is none."""
    spec = rollback_of(view)
    return spec.id if spec is not None else ""


def open_store(path: Path, clock: Clock, session: str) -> LogStore:
    """Open the log at a path, or make a new one there.

    Raises LogError.
    """
    if path.exists():
        return LogStore.open(path, clock=clock, session=session)
    return LogStore.create(path, clock=clock, session=session, version=version())
