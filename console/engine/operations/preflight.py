"""What is looked at before an operation: each line passes, fails, or could not be seen (and then it fails too)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.base import CouldNotLookError
from checks.clients.kube import KubeClient
from console.engine.operations.helm import HISTORY_MAX, Helm, Revision, Version, newest_good
from console.engine.operations.live import Live, look
from state.runbook.environment import Environment
from state.runbook.models import Operation, OperationKind
from state.verdict import Verdict
from state.view import GoodRevision, LaunchView

_VERBS = (
    ("create", "", "secrets"),
    ("patch", "apps", "deployments"),
    ("create", "batch", "jobs"),
    ("list", "", "pods"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the preflight."""

    verdict: Verdict
    words: str

    @property
    def shown(self) -> str:
        """The line as a preview lists it."""
        return f"{self.verdict.value}: {self.words}"


@dataclass(frozen=True, slots=True)
class Situation:
    """What was found before an operation."""

    findings: tuple[Finding, ...]
    version: Version | None = None
    history: tuple[Revision, ...] = ()
    live: Live | None = None
    good: Revision | None = None
    manifest_sha: str = ""

    @property
    def blockers(self) -> tuple[str, ...]:
        """What must not be, one line each."""
        return tuple(f.words for f in self.findings if f.verdict is not Verdict.PASS)

    @property
    def newest(self) -> Revision | None:
        """The newest revision, whatever its status."""
        return self.history[-1] if self.history else None

    def recorded(self) -> GoodRevision | None:
        """Return the revision to come back to, as the log keeps it."""
        if self.good is None:
            return None
        images = self.live.images if self.live is not None else ()
        return GoodRevision(self.good.number, self.good.status, self.manifest_sha, images)


async def survey(helm: Helm, kube: KubeClient, environment: Environment) -> Situation:
    """Look at helm, its history and what runs; never raises for what could not be seen."""
    findings: list[Finding] = []
    version, history, live, good, sha = None, [], None, None, ""
    try:
        version = await helm.version()
        problem = version.problem()
        findings.append(Finding(Verdict.FAIL if problem else Verdict.PASS, problem or f"helm {version.text}"))
        history = await helm.history()
        good = newest_good(history)
        findings.append(_history_finding(history, good, environment.release))
        if good is not None:
            sha = await helm.manifest_sha(good.number)
    except CouldNotLookError as error:
        findings.append(Finding(Verdict.UNKNOWN, str(error)))
    try:
        live = await look(kube, environment.kube.namespace, environment.release)
        findings.append(Finding(Verdict.PASS, f"{live.ready} of {live.wanted} pods are ready"))
    except CouldNotLookError as error:
        findings.append(Finding(Verdict.UNKNOWN, str(error)))
    findings.extend(await _access(kube))
    return Situation(tuple(findings), version, tuple(history), live, good, sha)


def _history_finding(history: Sequence[Revision], good: Revision | None, release: str) -> Finding:
    if not history:
        return Finding(Verdict.PASS, f"release {release} does not exist yet: this is its first install")
    newest = history[-1]
    if newest.pending:
        return Finding(
            Verdict.FAIL,
            f"revision {newest.number} is {newest.status}: an operation never ended, helm refuses another one",
        )
    if good is None:
        return Finding(Verdict.FAIL, f"release {release} has no revision that was ever installed completely")
    if newest.number - good.number >= HISTORY_MAX - 1:
        return Finding(Verdict.FAIL, f"good revision {good.number} is about to leave helm's history")
    return Finding(Verdict.PASS, f"revision {good.number} ({good.status}) is the good one to come back to")


async def _access(kube: KubeClient) -> list[Finding]:
    found: list[Finding] = []
    try:
        for verb, group, resource in _VERBS:
            if not await kube.access_review(verb, group, resource):
                found.append(Finding(Verdict.FAIL, f"this account may not {verb} {resource}"))
    except CouldNotLookError as error:
        return [Finding(Verdict.UNKNOWN, str(error))]
    return found or [Finding(Verdict.PASS, "this account may do what will be done")]


def locks(view: LaunchView, operation: Operation, now_us: int) -> list[str]:
    """Return which gates and items keep an operation locked (design section 5)."""
    closed = [
        f"gate {gate.number} is {gate.status(now_us)}"
        for gate in view.gates
        if gate.number in operation.requires.gates and gate.status(now_us) != "GO"
    ]
    for item_id in operation.requires.items:
        item = view.item(item_id)
        verdict = item.verdict(now_us) if item is not None else Verdict.UNKNOWN
        if verdict not in {Verdict.PASS, Verdict.WAIVED}:
            closed.append(f"item {item_id} is {verdict}")
    return closed


def interlock(view: LaunchView, environment: str) -> str:
    """Return why a rollback is interlocked, or nothing: a migration ran that isn't backward compatible."""
    migrated = [
        o
        for o in view.operations
        if o.env == environment and o.kind == OperationKind.MIGRATE and o.started_us and o.state != "aborted"
    ]
    if not migrated or view.candidate.backward_compatible:
        return ""
    return (
        "a migration ran that is not declared backward compatible: the old version may not start on the new "
        "schema. Restore a verified backup first, or override with a second person"
    )
