"""Operations: preview, start, abort, recover, resume (design section 7). One at a time.

An intent is durable before its first side effect. What is under way belongs to the engine; what helm and the
cluster have done is read from them, whoever watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from checks.base import CouldNotLookError
from checks.clients.kube_config import kubeconfig_path
from checks.clients.systems import Systems
from console.commands import Confirmation, Preview, Reply
from console.engine.journal import Journal
from console.engine.operations import deploy as deploying
from console.engine.operations import migrate as migrating
from console.engine.operations.context import Run, Site
from console.engine.operations.helm import Helm, shown
from console.engine.operations.preflight import Situation, interlock, locks, survey
from console.engine.operations.program import Running, alive, terminate
from console.engine.operations.report import End, Report
from console.engine.ports import Who
from state.clock import Clock
from state.events import Draft, Event, Kind, gate_key
from state.fields import Json, text
from state.runbook.environment import Tier
from state.runbook.models import Operation, OperationKind, Runbook
from state.verdict import Danger, OperationState
from state.view import GoodRevision, OperationView


class Operations:
    """Runs the runbook's operations; implements OperationsPort."""

    def __init__(
        self, runbook: Runbook, journal: Journal, systems: Systems, clock: Clock, folder: Path
    ) -> None:
        self._runbook = runbook
        self._journal = journal
        self._systems = systems
        self._clock = clock
        self._folder = folder
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def preview(self, operation_id: str, who: Who) -> Preview:
        """Return what would run, and everything that stands against it."""
        operation = self._operation(operation_id)
        if operation is None:
            return _no_such(operation_id)
        site = self._site(operation.env)
        situation = await survey(site.helm, site.kube, site.environment)
        against = self._against(operation, situation)
        commands = self._commands(operation, situation, who, 0)
        before, after = self._from_to(operation, situation)
        return Preview(
            name="operation.run",
            title=operation.title,
            danger=Danger.DANGER,
            allowed=not against,
            reason="; ".join(against),
            environment=site.environment.title,
            from_what=before,
            to_what=after,
            commands=tuple(commands),
            blast=self._blast(operation, situation),
            checks=tuple(f.shown for f in situation.findings),
            phrase=site.environment.release,
            token=self._token(operation, commands),
            override_allowed=bool(against) and self._only_locks(operation, situation),
        )

    async def start(self, operation_id: str, who: Who, override: Confirmation | None) -> Reply:
        """Record the intent and start; returns without waiting for the end."""
        operation = self._operation(operation_id)
        if operation is None:
            return Reply(ok=False, message=_no_such(operation_id).reason)
        async with self._lock:
            site = self._site(operation.env)
            situation = await survey(site.helm, site.kube, site.environment)
            against = self._against(operation, situation)
            if against and not (override is not None and self._only_locks(operation, situation)):
                return Reply(ok=False, message="; ".join(against))
            return await self._launch(operation, site, situation, who, override)

    async def abort(self, who: Who, reason: str) -> Reply:
        """Ask the operation that is under way to end: SIGTERM to an upgrade, nothing to a rollback."""
        run = self._run
        if run is None:
            return Reply(ok=False, message="no operation is under way: there is nothing to abort")
        if run.operation.kind is OperationKind.ROLLBACK:
            told = "a rollback is never signalled: stopped half-way it would leave the release stuck. Wait for it"
            return Reply(ok=False, message=told)
        run.abort.set()
        await run.report.aborted(who.account, reason)
        if run.running is not None and terminate(run.running):
            return Reply(ok=True, message=f"helm (pid {run.running.pid}) was asked to end; it gets its time")
        return Reply(ok=True, message="it ends before its next step")

    async def recover(self, choice: str, who: Who) -> Reply:
        """Carry out one of the offers of the newest operation that needs one."""
        last = next((o for o in reversed(self._journal.view.operations) if o.offers), None)
        if last is None or choice not in last.offers:
            return Reply(ok=False, message=f"{choice!r} is not on offer")
        if choice == deploying.ROLLBACK:
            return await self.start(f"{last.env}.rollback", who, None)
        return await self.start(last.id, who, None)

    async def resume(self) -> None:
        """Look at operations without an end; attach to what runs, say what was found of the rest."""
        for view in [o for o in self._journal.view.operations if not o.state.ended]:
            operation = self._operation(view.id)
            if operation is None:
                continue
            run = self._rebuilt(operation, view)
            if self._run is None and (run.running is None or alive(run.running)):
                self._run = run
            self._spawn(run, self._again(run, view))

    async def aclose(self) -> None:
        """Stop watching; a helm that runs goes on in its own session."""
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
        if found is not None or not operation_id.endswith(".rollback"):
            return found
        name = operation_id.removesuffix(".rollback")
        if name not in {t.value for t in self._runbook.environments}:
            return None
        tier = Tier(name)
        return Operation(
            id=operation_id,
            kind=OperationKind.ROLLBACK,
            title=f"Roll {name} back to the recorded good revision",
            env=tier,
            gate=8 if tier is Tier.STAGING else 9,
        )

    def _site(self, tier: Tier) -> Site:
        environment = self._runbook.environments[tier]
        helm = Helm(self._runbook.helm, environment, Path(kubeconfig_path(environment.kube)))
        return Site(self._runbook, environment, helm, self._systems.kube(tier), self._clock, self._folder)

    def _good(self, operation: Operation) -> GoodRevision | None:
        """Return the good revision that the newest deploy of this environment recorded."""
        for view in reversed(self._journal.view.operations):
            if view.env == operation.env and view.kind == OperationKind.DEPLOY and view.good is not None:
                return view.good
        return None

    def _against(self, operation: Operation, situation: Situation) -> list[str]:
        """Return what stands against starting an operation, one line each."""
        against: list[str] = []
        running = self._journal.view.running()
        if running is not None:
            against.append(f"{running.id} is under way")
        against += locks(self._journal.view, operation, self._clock.wall_us())
        if operation.kind is OperationKind.ROLLBACK:
            against += self._against_rollback(operation, situation)
        else:
            against += situation.blockers
        return against

    def _against_rollback(self, operation: Operation, situation: Situation) -> list[str]:
        good = self._good(operation)
        if good is None:
            return ["no good revision was recorded: nothing was deployed in this launch"]
        newest = situation.newest
        if newest is None:
            return ["helm's history cannot be seen, or is empty"]
        if newest.number <= good.number:
            told = f"revision {newest.number} is the good one: no newer revision exists, a rollback would undo it"
            return [told]
        if good.number not in {r.number for r in situation.history}:
            return [f"good revision {good.number} is no longer in helm's history"]
        locked = interlock(self._journal.view, operation.env.value)
        return [locked] if locked else []

    def _only_locks(self, operation: Operation, situation: Situation) -> bool:
        """Return whether only gates, items or the migration interlock are in the way: what two may override."""
        if self._journal.view.running() is not None:
            return False
        if operation.kind is OperationKind.ROLLBACK:
            hard = [a for a in self._against_rollback(operation, situation) if "migration ran" not in a]
            return not hard
        return not situation.blockers

    def _commands(self, operation: Operation, situation: Situation, who: Who, seq: int) -> list[str]:
        site = self._site(operation.env)
        if operation.kind is OperationKind.MIGRATE:
            return [migrating.command(site, migrating.job_name(site, seq) if seq else "db-migrate-…")]
        argv = self._argv(operation, situation, site, who)
        return [shown(argv)] if argv else []

    def _argv(self, operation: Operation, situation: Situation, site: Site, who: Who) -> list[str]:
        if situation.version is None:
            return []
        timeout = int(operation.timeout)
        if operation.kind is OperationKind.ROLLBACK:
            good = self._good(operation)
            return site.helm.rollback(good.number, situation.version, timeout) if good is not None else []
        view = self._journal.view
        words = f"launch {view.scope.launch_id} gate {operation.gate} by {who.account} {view.log_id[:8]}"
        return site.helm.upgrade(self._runbook.candidate, situation.version, timeout, words)

    def _from_to(self, operation: Operation, situation: Situation) -> tuple[str, str]:
        newest = situation.newest
        now = f"revision {newest.number} ({newest.status})" if newest is not None else "nothing"
        candidate = self._runbook.candidate
        if operation.kind is OperationKind.ROLLBACK:
            good = self._good(operation)
            return now, f"revision {good.number} (recorded good)" if good is not None else "nothing recorded"
        if operation.kind is OperationKind.MIGRATE:
            return "the schema as it is", f"alembic head {candidate.migration.head}"
        return now, f"{candidate.version} ({candidate.images.backend.rpartition(':')[2][:12]})"

    def _blast(self, operation: Operation, situation: Situation) -> tuple[str, ...]:
        environment = self._runbook.environments[operation.env]
        pods = situation.live.pods if situation.live is not None else 0
        hosts = f"{environment.domains.api.host}, {environment.domains.admin.host}"
        touched = (
            f"the database of {environment.title}"
            if operation.kind is OperationKind.MIGRATE
            else f"{pods} pods"
        )
        return (f"{touched} in namespace {environment.kube.namespace}", f"traffic of {hosts}")

    def _token(self, operation: Operation, commands: list[str]) -> str:
        """Bind a confirmation to what was shown: images, commands, and the content of the values files."""
        digest = sha256("\n".join([operation.id, *commands]).encode())
        for path in self._runbook.environments[operation.env].chart.values:
            try:
                digest.update(sha256(path.read_bytes()).digest())
            except OSError:
                digest.update(b"missing")
        return digest.hexdigest()[:16]

    # a run

    async def _launch(
        self, operation: Operation, site: Site, situation: Situation, who: Who, override: Confirmation | None
    ) -> Reply:
        good = self._good(operation) if operation.kind is OperationKind.ROLLBACK else situation.recorded()
        before, after = self._from_to(operation, situation)
        body: dict[str, Json] = {
            "id": operation.id,
            "kind": operation.kind.value,
            "env": operation.env.value,
            "title": operation.title,
            "commands": list(self._commands(operation, situation, who, 0)),
            "from": before,
            "to": after,
            "timeout_s": int(operation.timeout),
            "good": _good_body(good),
        }
        if override is not None and override.override_reason:
            body["override"] = {"reason": override.override_reason, "second": override.override_second}
        draft = Draft(Kind.OPERATION_INTENDED, body, gate_key(operation.gate), None, who.account)
        intended = await self._journal.record(draft)
        report = Report(self._journal, self._systems.redactor, intended.seq, operation.gate, operation.id)
        run = Run(operation, site, report, good)
        if operation.kind is OperationKind.MIGRATE:
            run.job = migrating.job_name(site, intended.seq)
        self._run = run
        self._spawn(run, lambda: self._carry_out(run, situation, who))
        return Reply(ok=True, message=f"{operation.id} was started", result={"seq": intended.seq})

    async def _carry_out(self, run: Run, situation: Situation, who: Who) -> End:
        if run.operation.kind is OperationKind.MIGRATE:
            return await migrating.migrate(run)
        argv = self._argv(run.operation, situation, run.site, who)
        if run.operation.kind is OperationKind.ROLLBACK:
            return await deploying.rollback(run, argv)
        return await deploying.deploy(run, argv)

    def _spawn(self, run: Run, work: Callable[[], object]) -> None:
        self._task = asyncio.create_task(self._supervised(run, work), name=f"operation {run.operation.id}")

    async def _supervised(self, run: Run, work: Callable[[], object]) -> None:
        """Carry out a run; whatever goes wrong in our own code is an end that nobody saw."""
        try:
            end = await work()  # type: ignore[misc]  # the callers give coroutine functions
            assert isinstance(end, End)
        except CouldNotLookError as error:
            end = End(OperationState.FAILED, str(error), offers=(deploying.RETRY,))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            end = End(
                OperationState.UNKNOWN,
                f"the engine failed in the middle of it ({type(error).__name__}): look at helm's history",
                offers=(deploying.RETRY, deploying.ROLLBACK),
            )
        finally:
            if self._run is run:
                self._run = None
        await run.report.finished(end)

    def _rebuilt(self, operation: Operation, view: OperationView) -> Run:
        """Return a run as the log knows it: its process and its job."""
        site = self._site(operation.env)
        report = Report(self._journal, self._systems.redactor, view.seq, operation.gate, operation.id)
        run = Run(operation, site, report, view.good)
        started = self._started_event(view.seq)
        if started is not None and operation.kind is OperationKind.MIGRATE:
            run.job = text(started.body, "start_time")
        elif view.pid and started is not None:
            folder = self._folder / str(view.seq)
            run.running = Running(view.pid, text(started.body, "start_time"), folder / "out", folder / "err")
        return run

    def _started_event(self, seq: int) -> Event | None:
        after = seq
        while chunk := self._journal.store.read(after):
            for event in chunk:
                if event.kind == Kind.OPERATION_STARTED and event.ref == seq:
                    return event
            after = chunk[-1].seq
        return None

    def _again(self, run: Run, view: OperationView) -> Callable[[], object]:
        async def work() -> End:
            if run.operation.kind is OperationKind.MIGRATE:
                if not run.job:
                    return _never_started(view)
                return await migrating.follow_job(run)
            if run.running is None:
                return _never_started(view)
            if alive(run.running):
                await run.report.step("engine", "done", "attached again to the helm that runs")
                await deploying.follow_helm(
                    run, f"helm {'rollback' if view.kind == 'rollback' else 'upgrade'}"
                )
            if run.operation.kind is OperationKind.ROLLBACK:
                return await deploying.judge_rollback(run)
            return await deploying.judge_deploy(run)

        return work


def _never_started(view: OperationView) -> End:
    return End(
        OperationState.FAILED,
        f"{view.id} was intended, but the engine ended before it started: nothing was changed",
        offers=(deploying.RETRY,),
    )


def _good_body(good: GoodRevision | None) -> Json:
    if good is None:
        return None
    return {
        "number": good.number,
        "status": good.status,
        "manifest_sha": good.manifest_sha,
        "images": [list(pair) for pair in good.images],
    }


def _no_such(operation_id: str) -> Preview:
    reason = f"the runbook has no operation {operation_id!r}"
    return Preview("operation.run", operation_id, Danger.DANGER, allowed=False, reason=reason)
