"""Operations: preview, start, abort, recover, resume. One at a time.

An intent is durable before its first side effect. What is under way belongs to the engine; what helm and the
cluster have done is read from them, whoever watched.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from checks.base import CouldNotLookError
from checks.clients.clients import Clients
from console.engine.operations.helm.helm import Helm
from console.engine.operations.helm.private_copy import Parts, PrivateCopies, PrivateCopy
from console.engine.operations.preview import diff as differing
from console.engine.operations.preview import plan
from console.engine.operations.preview.applied import applied
from console.engine.operations.preview.approval_watch import Approvals
from console.engine.operations.preview.approvals import (
    parts_of,
    parts_with,
    register_mounted,
    register_secrets,
)
from console.engine.operations.preview.cluster_identity import same_cluster
from console.engine.operations.preview.finding import fails
from console.engine.operations.preview.gate_locks import locks
from console.engine.operations.preview.interlock import migrated
from console.engine.operations.preview.migration_job import job_name
from console.engine.operations.preview.preflight import Preflight, survey
from console.engine.operations.preview.rendering import Manifests
from console.engine.operations.run.context import Run, Site
from console.engine.operations.run.lease import Lease
from console.engine.operations.run.output import Report
from console.engine.operations.run.program import terminate
from console.engine.operations.run.runs import Work, again, carry_out, remember, supervised, traces
from console.engine.operations.verdict.rollback_target import (
    away_findings,
    back_findings,
    good_of,
    not_first,
    seen_failing,
)
from console.engine.ports import Granted, Who
from console.engine.record.clusters import fixed_identity
from console.engine.record.journal import Journal
from state.base.canonical import anchor
from state.base.clock import Clock
from state.commands import Reply
from state.events.event import Draft, gate_key
from state.events.operations import OperationIntended, Override
from state.log.errors import LogError
from state.runbook.models import Operation, Runbook
from state.view.enums import Danger, OperationKind, Tier
from state.view.first_launch import taken_up
from state.view.launch import GoodRevision, LaunchView, OperationView
from state.view.phrases import operation_act, operation_phrase
from state.view.preview import Preview

_KUBECONFIGS = "kubeconfig"
"""Where helm's own are kept, a file an environment."""
MOST_OVERRIDDEN = 40
"""Lines that the record of an override keeps: more than ten gates, every stage and what an earlier release left."""


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
        self._manifests = Manifests()
        self._copies = PrivateCopies(folder)

    @property
    def _view(self) -> LaunchView:
        return self._journal.view

    async def preview(self, operation_id: str, who: Who) -> Preview:
        """Return what would run, and everything that stands against it."""
        operation = plan.operation_of(self._runbook, operation_id)
        if operation is None:
            return _no_such(operation_id)
        site, preflight = await self._surveyed(operation, self._site(operation.env))
        try:
            return self._preview(operation, site, preflight, who)
        finally:
            self._copies.let_go(preflight.copy)

    def _preview(self, operation: Operation, site: Site, preflight: Preflight, who: Who) -> Preview:
        good = good_of(self._view, operation, preflight)
        helm = plan.helm_words(operation, site, preflight, who, self._view, good)
        commands = plan.commands(operation, site, preflight, helm)
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
            phrase=operation_phrase(operation.kind, site.tier, site.namespace),
            act=operation_act(operation.kind, site.environment.title),
            token=plan.token(operation, commands, self._parts(operation.env, preflight)),
            inputs=plan.inputs(operation) if preflight.inputs_sha else "",
            inputs_sha=preflight.inputs_sha,
            override_allowed=preflight.overridable,
            against=tuple(preflight.against),
        )

    async def start(
        self, operation_id: str, who: Who, granted: Granted | None, inputs_sha: str = ""
    ) -> Reply:
        """Record the intent and start; returns without waiting for the end.

        What stands against it must be overridable, and what ``granted`` was given for.
        """
        operation = plan.operation_of(self._runbook, operation_id)
        if operation is None:
            return Reply(ok=False, message=_no_such(operation_id).reason)
        async with self._lock:
            self._starting, self._stopped = True, ""
            try:
                # Surveyed again: minutes may lie between the preview and the typed phrase: only this look counts.
                site, preflight = await self._surveyed(operation, self._site(operation.env), inputs_sha)
                try:
                    refused = self._refused(operation, preflight, granted, inputs_sha)
                    if refused:
                        return Reply(ok=False, message=refused)
                    return await self._launch(operation, site, preflight, who, granted)
                finally:
                    self._copies.let_go(preflight.copy)
            finally:
                self._starting = False

    def _refused(
        self, operation: Operation, preflight: Preflight, granted: Granted | None, inputs_sha: str
    ) -> str:
        """Return why an operation isn't started, or nothing."""
        if self._stopped:
            return f"aborted before it was started: {self._stopped}"
        opened = granted is not None and preflight.overridable and granted.covers(preflight.against)
        if preflight.against and not opened:
            return "; ".join(preflight.against)
        if inputs_sha and inputs_sha != preflight.inputs_sha:
            return f"{plan.inputs(operation)} changed since the preview: look again"
        return ""

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

    async def recover(self, choice: str, who: Who, inputs_sha: str = "") -> Reply:
        """Carry out one of the offers of the newest operation that has some."""
        last = self._view.offering()
        if last is None or choice not in last.offers:
            return Reply(ok=False, message=f"{choice!r} is not on offer")
        return await self.start(taken_up(self._view, last, choice), who, None, inputs_sha)

    async def rendered(self, tier: Tier) -> str:
        """See OperationsPort."""
        site = self._site(tier)
        await same_cluster(site, fixed_identity(self._view, tier))
        return await self._manifests.of(site)

    async def resume(self) -> None:
        """Look at operations without an end; attach to what runs, say what was found of the rest."""
        await self._approvals.load()
        open_ones: list[tuple[Run, OperationView]] = []
        for view in [o for o in self._view.operations if not o.state.ended]:
            operation = plan.operation_of(self._runbook, view.id)
            if operation is None:
                continue
            found = traces(self._journal, view.seq)
            copy = self._copies.adopt(found.inputs_sha, self._runbook.environments[operation.env].chart)
            site = _reading(self._site(operation.env), copy)
            run = self._new_run(operation, site, view.seq, view.good, copy)
            remember(run, view, found, self._view.log_id)
            open_ones.append((run, view))
        self._copies.clear()
        if open_ones:
            self._run = open_ones[0][0]
            self._task = asyncio.create_task(self._resumed(open_ones), name="operations left without an end")

    async def _resumed(self, open_ones: Sequence[tuple[Run, OperationView]]) -> None:
        for run, view in open_ones:
            self._run = run
            await self._supervised(run, partial(again, run, view))

    async def aclose(self) -> None:
        """Stop watching; a helm that runs goes on in its own session, and with the copy that it reads."""
        self._approvals.close()
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        else:
            # A helm that goes on may still read its own; the next engine writes it anew, or takes it away.
            shutil.rmtree(self._folder / _KUBECONFIGS, ignore_errors=True)
        self._copies.clear()

    async def idle(self) -> None:
        """Return once nothing is under way."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    # what an operation is made of

    def _site(self, tier: Tier) -> Site:
        environment = self._runbook.environments[tier]
        # The same path each time: a confirmation is bound to the command line that was shown.
        config = self._folder / _KUBECONFIGS / tier.value
        helm = Helm(self._runbook, environment, config, self._clients.redactor)
        return Site(self._runbook, environment, helm, self._clients, self._clock, self._folder)

    def _lease(self, site: Site) -> Lease:
        holder = f"launch {self._view.scope.launch_id} ({self._view.log_id[:8]})"
        # Not the patient client: that it can't be renewed is to be told at once.
        kube = self._clients.kube(site.tier)
        return Lease(kube, site.namespace, site.release, holder, self._clock)

    async def _surveyed(
        self, operation: Operation, site: Site, inputs_sha: str = ""
    ) -> tuple[Site, Preflight]:
        """Look at everything that an operation depends on: the launch's own word first, then the outside.

        Who asked lets the copy go that a deploy is looked at by: that of ``inputs_sha`` where it is still there,
        else one of what is there now.
        """
        copy, problem = None, ""
        cluster = await same_cluster(site, fixed_identity(self._view, operation.env))
        if operation.kind is OperationKind.DEPLOY:
            try:
                copy = self._copies.find(inputs_sha) or await self._copies.make(
                    site.environment.chart, site.helm.pull
                )
            except CouldNotLookError as error:
                problem = str(error)
        try:
            preflight = await self._looked(operation, _reading(site, copy), copy)
        except BaseException:
            self._copies.let_go(copy)
            raise
        preflight.findings.append(cluster)
        if problem:
            preflight.findings.append(fails(problem))
        return _reading(site, copy), preflight

    async def _looked(self, operation: Operation, site: Site, copy: PrivateCopy | None) -> Preflight:
        await asyncio.to_thread(register_secrets, site.helm.chart, self._clients.redactor)
        await register_mounted(self._runbook, self._clients)
        job = job_name(site, self._view) if operation.kind is OperationKind.MIGRATE else ""
        bad = seen_failing(self._view, site.tier)
        preflight = await survey(site, operation, self._lease(site), copy, job, bad)
        preflight.findings += await applied(
            site, operation, preflight, good_of(self._view, operation, preflight)
        )
        running = self._view.running()
        own = [fails(f"{running.id} is under way")] if running is not None else []
        own += locks(
            self._view,
            self._runbook,
            operation,
            self._approvals.seen,
            self._clock.wall_us(),
            parts=self._parts(operation.env, preflight),
        )
        if operation.kind is OperationKind.ROLLBACK:
            own += await back_findings(self._view, site, operation, preflight)
        if operation.kind is OperationKind.UNINSTALL:
            own += away_findings(self._view, site, preflight)
        own += not_first(self._view, operation, preflight, self._clock.wall_us())
        preflight.findings = [*own, *preflight.findings]
        return preflight

    def _parts(self, tier: Tier, preflight: Preflight) -> Parts:
        """Return what an operation is for: what helm would read, where it was copied."""
        if preflight.copy is not None:
            return parts_with(self._runbook, preflight.copy)
        return parts_of(self._runbook, tier)

    # a run

    def _new_run(
        self,
        operation: Operation,
        site: Site,
        seq: int,
        good: GoodRevision | None,
        copy: PrivateCopy | None,
    ) -> Run:
        report = Report(self._journal, self._clients.redactor, seq, operation.gate, operation.id)
        return Run(operation, site, report, good, self._lease(site), copy=copy)

    async def _launch(
        self, operation: Operation, site: Site, preflight: Preflight, who: Who, granted: Granted | None
    ) -> Reply:
        back = operation.kind is OperationKind.ROLLBACK
        good = good_of(self._view, operation, preflight) if back else preflight.recorded()
        body = self._intent(operation, site, preflight, who, good)
        if granted is not None and preflight.against:
            over = tuple(preflight.against[:MOST_OVERRIDDEN])
            override = Override(granted.reason, granted.second, over, granted.request)
            body = replace(body, override=override)
        draft = Draft(body, gate_key(operation.gate), actor=who.account)
        intended = await self._journal.record(draft)
        copy = self._copies.find(preflight.copy.sha) if preflight.copy is not None else None
        run = self._new_run(operation, site, intended.seq, good, copy)
        run.before = body.before
        if preflight.job is not None:
            run.job, run.manifest = preflight.job.name, preflight.job.body
            run.container = preflight.job.made_as
        elif operation.kind is OperationKind.STOP_JOB:
            run.job = preflight.job_name
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
        commands = plan.commands(operation, site, preflight, helm)
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
            parts=self._parts(operation.env, preflight),
            before=preflight.newest.number if preflight.newest is not None else 0,
            inputs_sha=preflight.inputs_sha,
        )

    def _spawn(self, run: Run, work: Work) -> None:
        self._run = run
        self._task = asyncio.create_task(self._supervised(run, work), name=f"operation {run.operation.id}")

    async def _supervised(self, run: Run, work: Work) -> None:
        try:
            await supervised(run, work)
            # Not where watching is cancelled: helm goes on then.
            self._copies.let_go(run.copy, ended=True)
        finally:
            if self._run is run:
                self._run = None


def _reading(site: Site, copy: PrivateCopy | None) -> Site:
    """Return a site whose helm reads a private copy of chart and values."""
    return replace(site, helm=site.helm.reading(copy.chart)) if copy is not None else site


def _ready_before(view: LaunchView, site: Site, preflight: Preflight) -> bool:
    """Return whether the old version is ready on a schema that was migrated in this launch."""
    live, good = preflight.live, preflight.recorded()
    if live is None or good is None or migrated(view, site) is None:
        return False
    return live.settled and live.runs(good.by_container)


def _no_such(operation_id: str) -> Preview:
    reason = f"the runbook has no operation {operation_id!r}"
    return Preview("operation.run", operation_id, Danger.DANGER, allowed=False, reason=reason)
