"""Operations: preview, start, abort, recover, resume. One at a time.

An intent is durable before its first side effect. What is under way belongs to the engine; what helm and the
cluster have done is read from them, whoever watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from checks.clients.clients import Clients
from checks.clients.kube_config import kubeconfig_path
from console.engine.operations.helm.helm import Helm
from console.engine.operations.preview import diff as differing
from console.engine.operations.preview import plan
from console.engine.operations.preview.approval_watch import Approvals
from console.engine.operations.preview.approvals import parts_of, register_secrets
from console.engine.operations.preview.gate_locks import locks
from console.engine.operations.preview.interlock import migrated
from console.engine.operations.preview.preflight import Preflight, fails, survey
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.lease import Lease
from console.engine.operations.run.migrate import job_name
from console.engine.operations.run.output import Report
from console.engine.operations.run.program import terminate
from console.engine.operations.run.runs import Work, again, carry_out, remember, supervised, traces
from console.engine.operations.verdict.rollback_target import back_findings, good_of
from console.engine.operations.verdict.verdict import ROLLBACK
from console.engine.ports import Granted, Who
from console.engine.record.journal import Journal
from state.base.canonical import anchor
from state.base.clock import Clock
from state.commands import Reply
from state.events.event import Draft, gate_key
from state.events.operations import OperationIntended, Override
from state.log.errors import LogError
from state.runbook.models import Operation, Runbook
from state.view.enums import Danger, OperationKind, Tier
from state.view.launch import GoodRevision, LaunchView, OperationView
from state.view.preview import Preview
from state.view.rollbacks import way_back


class Operations:
    """Runs the runbook's operations; implements OperationsPort."""

    def __init__(
        self, runbook: Runbook, journal: Journal, clients: Clients, clock: Clock, folder: Path
    ) -> None:
        self._runbook = runbook
        self._journal = journal
        self._clients = clients
        self._clock = clock
        self._folder = folder
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._starting = False
        self._stopped = ""
        self._approvals = Approvals(runbook, journal)

    @property
    def _view(self) -> LaunchView:
        return self._journal.view

    async def preview(self, operation_id: str, who: Who) -> Preview:
        """Return what would run, and everything that stands against it."""
        operation = self._operation(operation_id)
        if operation is None:
            return _no_such(operation_id)
        site = self._site(operation.env)
        preflight = await self._surveyed(operation, site)
        good = good_of(self._view, operation, preflight)
        helm = plan.helm_words(operation, site, preflight, who, self._view, good)
        commands = plan.commands(operation, site, preflight, helm, f"db-migrate-{site.release}-…")
        before, after = plan.from_to(operation, site, preflight, good)
        return Preview(
            name="operation.run",
            title=operation.title,
            danger=Danger.DANGER,
            allowed=not preflight.against,
            reason="; ".join(preflight.against),
            environment=site.environment.title,
            tier=operation.env,
            from_what=before,
            to_what=after,
            commands=tuple(commands),
            blast=plan.blast(operation, site, preflight),
            checks=tuple(f.shown for f in preflight.findings),
            diff=differing.shown(preflight.diff) if preflight.diff is not None else (),
            phrase=site.release,
            token=plan.token(operation, site, commands),
            override_allowed=preflight.overridable,
            against=tuple(preflight.against),
        )

    async def start(self, operation_id: str, who: Who, granted: Granted | None) -> Reply:
        """Record the intent and start; returns without waiting for the end.

        What stands against it must be overridable, and what ``granted`` was given for.
        """
        operation = self._operation(operation_id)
        if operation is None:
            return Reply(ok=False, message=_no_such(operation_id).reason)
        async with self._lock:
            self._starting, self._stopped = True, ""
            try:
                site = self._site(operation.env)
                # Surveyed again: minutes may lie between the preview and the typed name, and only this look
                # counts.
                preflight = await self._surveyed(operation, site)
                if self._stopped:
                    return Reply(ok=False, message=f"aborted before it was started: {self._stopped}")
                opened = granted is not None and preflight.overridable and granted.covers(preflight.against)
                if preflight.against and not opened:
                    return Reply(ok=False, message="; ".join(preflight.against))
                return await self._launch(operation, site, preflight, who, granted)
            finally:
                self._starting = False

    async def abort(self, who: Who, reason: str) -> Reply:
        """Ask the operation that is under way to end: SIGTERM to an upgrade, nothing to a rollback.

        The signal comes before the record: a log that cannot be written doesn't keep anybody from stopping.
        """
        run = self._run
        if run is None and self._starting:
            self._stopped = reason
            return Reply(ok=True, message="what was about to start will not be started")
        if run is None:
            return Reply(ok=False, message="no operation is under way: there is nothing to abort")
        if run.operation.kind is OperationKind.ROLLBACK:
            message = "a rollback is never signalled: stopped half-way it would leave the release stuck. Wait for it"
            return Reply(ok=False, message=message)
        run.abort.set()
        asked = run.running is not None and terminate(run.running)
        pid = run.running.pid if run.running is not None else 0
        message = (
            f"helm (pid {pid}) was asked to end; it gets its time"
            if asked
            else "it ends before its next step"
        )
        try:
            await run.report.aborted(who.account, reason)
        except LogError as error:
            return Reply(ok=True, message=f"{message}; the log can't be written: {error}")
        return Reply(ok=True, message=message)

    async def recover(self, choice: str, who: Who) -> Reply:
        """Carry out one of the offers of the newest operation that has some."""
        last = self._view.offering()
        if last is None or choice not in last.offers:
            return Reply(ok=False, message=f"{choice!r} is not on offer")
        name = way_back(self._view, last.env) if choice == ROLLBACK else last.id
        return await self.start(name, who, None)

    async def resume(self) -> None:
        """Look at operations without an end; attach to what runs, say what was found of the rest."""
        await self._approvals.load()
        open_ones: list[tuple[Run, OperationView]] = []
        for view in [o for o in self._view.operations if not o.state.ended]:
            operation = self._operation(view.id)
            if operation is None:
                continue
            site = self._site(operation.env)
            run = self._new_run(operation, site, view.seq, view.good)
            remember(run, view, traces(self._journal, view.seq), self._view.log_id)
            open_ones.append((run, view))
        if open_ones:
            self._run = open_ones[0][0]
            self._task = asyncio.create_task(self._resumed(open_ones), name="operations left without an end")

    async def _resumed(self, open_ones: Sequence[tuple[Run, OperationView]]) -> None:
        for run, view in open_ones:
            self._run = run
            await self._supervised(run, partial(again, run, view))

    async def aclose(self) -> None:
        """Stop watching; a helm that runs goes on in its own session."""
        self._approvals.close()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def idle(self) -> None:
        """Return once nothing is under way."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    # what an operation is made of

    def _operation(self, operation_id: str) -> Operation | None:
        found = self._runbook.operation(operation_id)
        tier = next(
            (t for t in self._runbook.environments if operation_id == way_back(LaunchView(), t)), None
        )
        if found is not None or tier is None:
            return found
        return Operation(
            id=operation_id,
            kind=OperationKind.ROLLBACK,
            title=f"Roll {tier} back to the recorded good revision",
            env=tier,
            gate=max((o.gate for o in self._runbook.operations if o.env is tier), default=1),
        )

    def _site(self, tier: Tier) -> Site:
        environment = self._runbook.environments[tier]
        config = Path(kubeconfig_path(environment.kube))
        helm = Helm(self._runbook, environment, config, self._clients.redactor)
        return Site(self._runbook, environment, helm, self._clients, self._clock, self._folder)

    def _lease(self, site: Site) -> Lease:
        view = self._view
        holder = f"launch {view.scope.launch_id} ({view.log_id[:8]})"
        return Lease(site.kube, site.namespace, site.release, holder, self._clock)

    async def _surveyed(self, operation: Operation, site: Site) -> Preflight:
        """Look at everything that an operation depends on: the launch's own word first, then the outside."""
        register_secrets(site.environment, self._clients.redactor)
        preflight = await survey(site, operation, self._lease(site))
        running = self._view.running()
        own = [fails(f"{running.id} is under way")] if running is not None else []
        now = self._clock.wall_us()
        own += locks(self._view, self._runbook, operation, self._approvals.seen, now)
        if operation.kind is OperationKind.ROLLBACK:
            own += await back_findings(self._view, site, operation, preflight)
        preflight.findings = [*own, *preflight.findings]
        return preflight

    # a run

    def _new_run(self, operation: Operation, site: Site, seq: int, good: GoodRevision | None) -> Run:
        report = Report(self._journal, self._clients.redactor, seq, operation.gate, operation.id)
        return Run(operation, site, report, good, self._lease(site))

    async def _launch(
        self, operation: Operation, site: Site, preflight: Preflight, who: Who, granted: Granted | None
    ) -> Reply:
        back = operation.kind is OperationKind.ROLLBACK
        good = good_of(self._view, operation, preflight) if back else preflight.recorded()
        body = self._intent(operation, site, preflight, who, good)
        if granted is not None and preflight.against:
            over = tuple(preflight.against[:10])
            override = Override(granted.reason, granted.second, over, granted.request)
            body = replace(body, override=override)
        draft = Draft(body, gate_key(operation.gate), actor=who.account)
        intended = await self._journal.record(draft)
        run = self._new_run(operation, site, intended.seq, good)
        run.before = body.before
        if operation.kind is OperationKind.MIGRATE:
            run.job = job_name(site, intended.seq)
        run.anchor = anchor(self._view.log_id, intended.seq, intended.hash)
        # Once more, now with the log's head: there was none to anchor before the intent was written.
        argv = plan.helm_words(operation, site, preflight, who, self._view, good, run.anchor)
        ready = _ready_before(self._view, site, preflight)
        self._spawn(run, lambda: carry_out(run, argv, ready_before=ready))
        return Reply(ok=True, message=f"{operation.id} was started", result={"seq": intended.seq})

    def _intent(
        self, operation: Operation, site: Site, preflight: Preflight, who: Who, good: GoodRevision | None
    ) -> OperationIntended:
        helm = plan.helm_words(operation, site, preflight, who, self._view, good)
        before, after = plan.from_to(operation, site, preflight, good)
        commands = plan.commands(operation, site, preflight, helm, f"db-migrate-{site.release}-…")
        return OperationIntended(
            id=operation.id,
            kind=operation.kind.value,
            env=operation.env.value,
            title=operation.title,
            commands=tuple(commands),
            from_=before,
            to=after,
            timeout_s=int(operation.timeout),
            good=good,
            diff_sha=preflight.diff.sha if preflight.diff is not None else "",
            parts=parts_of(self._runbook, operation.env),
            before=preflight.newest.number if preflight.newest is not None else 0,
        )

    def _spawn(self, run: Run, work: Work) -> None:
        self._run = run
        self._task = asyncio.create_task(self._supervised(run, work), name=f"operation {run.operation.id}")

    async def _supervised(self, run: Run, work: Work) -> None:
        try:
            await supervised(run, work)
        finally:
            if self._run is run:
                self._run = None


def _ready_before(view: LaunchView, site: Site, preflight: Preflight) -> bool:
    """Return whether the old version is ready on a schema that was migrated in this launch."""
    live, good = preflight.live, preflight.recorded()
    if live is None or good is None or migrated(view, site) is None:
        return False
    return live.settled and live.runs(dict(good.images))


def _no_such(operation_id: str) -> Preview:
    reason = f"the runbook has no operation {operation_id!r}"
    return Preview("operation.run", operation_id, Danger.DANGER, allowed=False, reason=reason)
