"""What an operation would do, in the words of a preview: command lines, from and to, whom it touches."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from checks.clients.helm_release import HelmStatus
from checks.looks import traces_after
from console.engine.operations.helm.helm import shown
from console.engine.operations.helm.private_copy import Parts
from console.engine.operations.preview import preparation as preparing
from console.engine.operations.preview.migration_job import stop_command
from console.engine.operations.preview.preflight import Preflight
from console.engine.operations.preview.sop_commands import (
    namespace_command,
    secret_commands,
    validate_command,
)
from console.engine.operations.run.context import Site
from console.engine.ports import Who
from state.base.numbers import plural
from state.runbook.models import Operation, Runbook
from state.view.enums import OperationKind
from state.view.first_launch import stop_of, uninstall_of
from state.view.launch import GoodRevision, LaunchView
from state.view.locks import WAYS_BACK
from state.view.rollbacks import way_back

_WITHOUT_HELM = frozenset({OperationKind.MIGRATE, OperationKind.PREPARE, OperationKind.STOP_JOB})


def operation_of(runbook: Runbook, operation_id: str) -> Operation | None:
    """Return an operation of the runbook, or a way back that every environment has, or None."""
    found = runbook.operation(operation_id)
    if found is not None:
        return found
    for tier in runbook.environments:
        gate = max((o.gate for o in runbook.operations if o.env is tier), default=1)
        if operation_id == stop_of(tier):
            kind, title = OperationKind.STOP_JOB, f"Stop the migration's job of {tier}"
            return Operation(id=operation_id, kind=kind, title=title, env=tier, gate=gate)
        title = f"Take the first install of {tier} away"
        if operation_id == uninstall_of(tier):
            kind = OperationKind.UNINSTALL
            return Operation(id=operation_id, kind=kind, title=title, env=tier, gate=gate)
        if operation_id == way_back(LaunchView(), tier):
            kind, title = OperationKind.ROLLBACK, f"Roll {tier} back to the recorded good revision"
            return Operation(id=operation_id, kind=kind, title=title, env=tier, gate=gate)
    return None


def helm_words(
    operation: Operation,
    site: Site,
    preflight: Preflight,
    who: Who,
    view: LaunchView,
    good: GoodRevision | None,
    anchor: str = "(anchor)",
) -> list[str]:
    """Return helm's command line; nothing where the operation has none, or helm is missing.

    ``anchor`` is the log's head once the intent is in it: helm's history keeps a copy outside the log.
    """
    if preflight.version is None or operation.kind in _WITHOUT_HELM:
        return []
    timeout = int(operation.timeout)
    if operation.kind is OperationKind.UNINSTALL:
        return site.helm.uninstall(preflight.version, timeout)
    if operation.kind is OperationKind.ROLLBACK:
        if good is None:
            return []
        bare = _needs_no_hooks(preflight, good)
        target = next((r for r in preflight.history if r.number == good.number), None)
        by_server = target is not None and target.by_server
        return site.helm.rollback(
            good.number, preflight.version, timeout, without_hooks=bare, by_server=by_server
        )
    words = f"launch {view.scope.launch_id} gate {operation.gate} by {who.account} {anchor}"
    by_server = preflight.newest is None or preflight.newest.by_server
    return site.helm.upgrade(site.runbook.candidate, preflight.version, timeout, words, by_server=by_server)


def _needs_no_hooks(preflight: Preflight, good: GoodRevision) -> bool:
    """Return whether a hook failed in a rollback whose objects are back: only the hook is in the way."""
    newest, live = preflight.newest, preflight.live
    stuck = newest is not None and newest.status == HelmStatus.PENDING_ROLLBACK
    return stuck and live is not None and live.settled and live.runs(good.by_container)


def commands(operation: Operation, site: Site, preflight: Preflight, helm: Sequence[str]) -> list[str]:
    """Return the command lines that come to the same, as a person would type them, in their order."""
    if operation.kind is OperationKind.MIGRATE:
        return preflight.job.commands(site) if preflight.job is not None else []
    if operation.kind is OperationKind.STOP_JOB:
        return [stop_command(site, preflight.job_name)] if preflight.job_name else []
    if operation.kind is OperationKind.PREPARE:
        return preparing.commands(site, preflight.preparation) if preflight.preparation is not None else []
    lines = [shown(helm)] if helm else []
    if operation.kind in WAYS_BACK:
        return lines
    made = [] if preflight.namespace_there else [namespace_command(site)]
    return [*made, *secret_commands(site), *lines, validate_command(site)]


def from_to(
    operation: Operation, site: Site, preflight: Preflight, good: GoodRevision | None
) -> tuple[str, str]:
    """Return what is there, and what is to be."""
    newest = preflight.newest
    now = newest.words if newest is not None else "nothing"
    candidate = site.runbook.candidate
    if operation.kind is OperationKind.ROLLBACK:
        return now, f"revision {good.number} (recorded good)" if good is not None else "nothing recorded"
    if operation.kind is OperationKind.UNINSTALL:
        return now, "nothing: no revision is left"
    if operation.kind is OperationKind.STOP_JOB:
        return f"job {preflight.job_name} runs" if preflight.job_name else "no migration runs", "suspended"
    if operation.kind is OperationKind.PREPARE:
        found = preflight.preparation
        there = f"namespace {site.namespace}" if preflight.namespace_there else "nothing"
        return there, f"with {found.words}" if found is not None and not found.nothing else "as it is"
    if operation.kind is OperationKind.MIGRATE:
        head = (
            candidate.migration.head if candidate.migration is not None else "nothing: the candidate has none"
        )
        return "the schema as it is", f"revision {head}"
    first = next(iter(candidate.images.named().values()))
    if preflight.first:
        now = f"{now}: FIRST LAUNCH"
    return now, f"{candidate.version} ({first.rpartition(':')[2][:12]})"


def blast(operation: Operation, site: Site, preflight: Preflight) -> tuple[str, ...]:
    """Return whom it touches."""
    environment = site.environment
    pods = preflight.live.pods if preflight.live is not None else 0
    hosts = ", ".join(domain.host for domain in environment.domains.all())
    if operation.kind is OperationKind.PREPARE:
        return (f"namespace {site.namespace}: nothing runs there by this",)
    if operation.kind is OperationKind.UNINSTALL:
        away = f"{plural(pods, 'pod')}, services, ingresses and whatever else the chart brought, in {site.namespace}"
        return (f"takes away {away}; volume claims that the chart brought go too", f"traffic of {hosts} ends")
    database = operation.kind in {OperationKind.MIGRATE, OperationKind.STOP_JOB}
    touched = f"the database of {environment.title}" if database else plural(pods, "pod")
    afterwards = traces_after(site.runbook, operation)
    return (
        f"{touched} in namespace {site.namespace}",
        f"traffic of {hosts}",
        *(
            f"the checks afterwards leave {what}: {', '.join(dict.fromkeys(by))}"
            for what, by in afterwards.items()
        ),
    )


def inputs(operation: Operation) -> str:
    """Return what an operation reads besides the log, as a refusal names it."""
    return "the migration's job" if operation.kind is OperationKind.MIGRATE else "chart or values"


def token(operation: Operation, commands: Sequence[str], parts: Parts) -> str:
    """Bind a confirmation to what was shown: command lines, images, chart and values files."""
    told = [f"{name} {digest}" for name, digest in parts]
    return sha256("\n".join([operation.id, *commands, *told]).encode()).hexdigest()[:16]
