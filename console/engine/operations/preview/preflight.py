"""What is looked at before an operation: each line passes, fails, or could not be seen, which is no pass either.

A soft line may be overridden by two people with a reason; the others can't.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.helm.chart import lacking, values_of
from console.engine.operations.helm.helm import HISTORY_MAX, Rendered, Version
from console.engine.operations.helm.private_copy import PrivateCopy
from console.engine.operations.helm.rendered_images import halves, refusals
from console.engine.operations.preview import diff as differing
from console.engine.operations.preview.approvals import register_rendered
from console.engine.operations.preview.cluster_identity import helm_environment
from console.engine.operations.preview.diff import Diff
from console.engine.operations.preview.finding import (
    FINE,
    Finding,
    blind,
    fails,
    passes,
    unseen,
)
from console.engine.operations.preview.interlock import migrates_by_hook
from console.engine.operations.preview.manifest import images_of
from console.engine.operations.preview.migration_job import MigrationJob, migration_job, name_prefix
from console.engine.operations.preview.preparation import Preparation, to_prepare
from console.engine.operations.preview.rendering import render
from console.engine.operations.preview.what_runs import of_what_runs
from console.engine.operations.run.context import Site
from console.engine.operations.run.lease import Lease
from console.engine.operations.verdict.helm_history import (
    Revision,
    history,
    kept_elsewhere,
    last_writer,
    newest_good,
    record_bytes,
)
from console.engine.operations.verdict.job_diagnosis import active_jobs
from console.engine.operations.verdict.workloads import Live, look, told_by
from state.base.images import ImageRef, digest_of, short
from state.base.times import SECOND_US
from state.runbook.models import Operation
from state.view.enums import OperationKind, Tier
from state.view.launch import GoodRevision
from state.view.locks import WAYS_BACK

# helm keeps a revision in one Secret, of at most 1 MiB: past that, no upgrade can be recorded.
_LARGEST_RECORD = 900 * 1024


@dataclass(slots=True)
class Preflight:
    """What was found before an operation."""

    findings: list[Finding] = field(default_factory=list)
    version: Version | None = None
    history: tuple[Revision, ...] = ()
    empty: bool = False
    """Whether helm's history was seen, and nothing is in it."""
    live: Live | None = None
    good: Revision | None = None
    diff: Diff | None = None
    copy: PrivateCopy | None = None
    """Of chart and values: what was rendered, and what helm is to read."""
    job_name: str = ""
    job: MigrationJob | None = None
    """What a migration would create."""
    rendered: Rendered | None = None
    """What a deploy would apply."""
    bad: frozenset[int] = frozenset()
    """Revisions that this launch's own deploys saw fail, whatever helm calls them."""
    namespace_there: bool = False
    first: bool = False
    """Whether helm's history was seen and no install was ever complete: a first launch."""
    preparation: Preparation | None = None
    """What a preparation still has to do."""

    @property
    def inputs_sha(self) -> str:
        """What stands for what was read: the copy of chart and values, or the job; nothing where there is neither."""
        if self.copy is not None:
            return self.copy.sha
        return self.job.sha if self.job is not None else ""

    @property
    def against(self) -> list[str]:
        """What stands against the operation, one line each."""
        return [f.words for f in self._closed()]

    @property
    def overridable(self) -> bool:
        """Whether something is in the way, and all of it may be overridden by two people."""
        closed = self._closed()
        return bool(closed) and all(f.soft for f in closed)

    def _closed(self) -> list[Finding]:
        return [f for f in self.findings if f.verdict not in FINE and not f.noted]

    @property
    def newest(self) -> Revision | None:
        """The newest revision, whatever its status."""
        return self.history[-1] if self.history else None

    def recorded(self) -> GoodRevision | None:
        """Return the revision to come back to, as the log keeps it.

        What runs is its own images only while it is the newest; otherwise its manifest tells them.
        """
        if self.good is None:
            return None
        newest = self.newest is not None and self.newest.number == self.good.number
        running = self.live.images if self.live is not None and newest and self.live.settled else ()
        images = running or images_of(self.good.manifest)
        return GoodRevision(self.good.number, self.good.status, self.good.manifest_sha, images)


Look = Callable[[Site, Operation, Preflight], Awaitable[None]]


async def survey(
    site: Site,
    operation: Operation,
    lease: Lease,
    copy: PrivateCopy | None = None,
    job_name: str = "",
    bad: frozenset[int] = frozenset(),
) -> Preflight:
    """Look at helm, its history, the cluster and the registry; never raises for what could not be seen.

    Of a deploy nothing is rendered without a private copy of chart and values, of a migration no job is made
    without its name.
    """
    preflight = Preflight(copy=copy, job_name=job_name, bad=bad)
    first: tuple[Look, ...] = (_helm, _cluster, _releases)
    # What runs is told by what helm keeps of the newest revision.
    second: tuple[Look, ...] = (_pods,)
    if operation.kind is OperationKind.PREPARE:
        first, second = (_cluster, _prepared), ()
    if operation.kind is OperationKind.STOP_JOB:
        first, second = (_cluster, _running_job), ()
    if operation.kind is OperationKind.DEPLOY:
        second = (_pods, _record_size, _images, _diff)
        if operation.env is Tier.PRODUCTION:
            second = (*second, _staging)
    for looks in (first, second):
        found = await asyncio.gather(*(_careful(look_at, site, operation, preflight) for look_at in looks))
        preflight.findings += [one for one in found if one is not None]
    if preflight.namespace_there:
        held = await _careful_lease(lease, operation)
        preflight.findings.append(held)
    return preflight


async def _careful(look_at: Look, site: Site, operation: Operation, preflight: Preflight) -> Finding | None:
    try:
        await look_at(site, operation, preflight)
    except CouldNotLookError as error:
        if look_at is _helm:
            return unseen(str(error))  # without helm there is nothing to start
        if look_at is _releases and operation.kind in WAYS_BACK:
            # The log knows where to go, but not what helm would go back from: two people may.
            return unseen(f"helm's history could not be seen: {error}", soft=True)
        words = f"pods: {error}" if look_at is _pods else str(error)
        return blind(words, operation, soft=look_at in _SOFT)
    return None


async def _careful_lease(lease: Lease, operation: Operation) -> Finding:
    try:
        other = await lease.foreign()
    except CouldNotLookError as error:
        return blind(f"the lease of this release cannot be read: {error}", operation, soft=True)
    return fails(other.words) if other is not None else passes("no other deploy holds the lock")


async def _helm(site: Site, operation: Operation, preflight: Preflight) -> None:
    if operation.kind is OperationKind.MIGRATE:
        return
    preflight.version = await site.helm.version()
    problem = preflight.version.problem()
    soft = operation.kind in WAYS_BACK
    preflight.findings.append(
        fails(problem, soft=soft) if problem else passes(f"helm {preflight.version.text}")
    )
    preflight.findings += helm_environment(operation)


async def _cluster(site: Site, operation: Operation, preflight: Preflight) -> None:
    name, context = site.namespace, site.environment.kube.context
    try:
        await site.kube.get(f"/api/v1/namespaces/{name}")
        preflight.namespace_there = True
        told = passes(f"context {context}, namespace {name}, as the runbook says")
    except NotFoundError:
        if operation.kind in {OperationKind.DEPLOY, OperationKind.PREPARE}:
            told = passes(f"context {context}; namespace {name} will be created")
        else:
            told = fails(f"namespace {name} does not exist in context {context}")
    preflight.findings.append(told)


async def _prepared(site: Site, _operation: Operation, preflight: Preflight) -> None:
    """Say what is there and what will be made; what is there is never overwritten."""
    found = preflight.preparation = await to_prepare(site)
    preflight.findings.append(
        passes("everything that the runbook names is there: nothing will be changed")
        if found.nothing
        else passes(f"will be made: {found.words}")
    )
    for key, old in sorted(found.old_labels.items()):
        preflight.findings.append(passes(f"label {key} changes from {old} to {found.labels[key]}"))
    for name, keys in found.differ.items():
        words = f"secret {name} is there with other values of {', '.join(keys)}: they stay as they are"
        preflight.findings.append(passes(words))
    if found.without_source:
        names = ", ".join(found.without_source)
        words = f"secret {names} is not there, and the runbook names no values for it (apply_secrets)"
        preflight.findings.append(fails(words, soft=True))


async def _releases(site: Site, operation: Operation, preflight: Preflight) -> None:
    preflight.history = await history(site)
    preflight.empty = not preflight.history
    preflight.good = newest_good(preflight.history, preflight.bad)
    newest, good = preflight.newest, preflight.good
    # Older revisions that were pruned may have been complete: then nobody can say that this is the first.
    preflight.first = good is None and (newest is None or preflight.history[0].number == 1)
    if operation.kind is OperationKind.MIGRATE:
        await _migration(site, preflight)
        return
    if operation.kind is OperationKind.UNINSTALL:
        return  # service.py says what stands against it, as of a rollback
    if newest is None and (elsewhere := await kept_elsewhere(site)):
        preflight.findings.append(fails(elsewhere))
    elif newest is None:
        words = f"release {site.release} does not exist yet: this is its first install"
        preflight.findings.append(passes(words))
    elif newest.pending:
        await _pending(site, operation, preflight, newest)
    elif operation.kind is OperationKind.DEPLOY and preflight.first:
        words = f"{newest.words}: a first install that was never complete; it is installed over"
        preflight.findings.append(passes(words))
    elif operation.kind is OperationKind.DEPLOY and good is None and newest.number > 1:
        words = f"release {site.release} has no revision that was ever installed completely"
        preflight.findings.append(fails(words, soft=True))
    elif good is not None and newest.number - good.number >= HISTORY_MAX - 2:
        preflight.findings.append(fails(f"good {good.words} is about to leave helm's history"))
    elif good is not None:
        # A rollback goes to the revision that was recorded as good, which need not be helm's newest good one.
        if operation.kind is not OperationKind.ROLLBACK:
            preflight.findings.append(passes(f"rollback target: {good.words}"))
    else:
        preflight.findings.append(passes(f"{newest.words}: nothing was ever installed completely"))


async def _migration(site: Site, preflight: Preflight) -> None:
    """Look for a migration that runs: two at once would work on one schema."""
    if migrates_by_hook(site):
        preflight.findings.append(
            fails("the chart's own hook migrates, in the deploy: there is no job to make")
        )
        return
    active = await active_jobs(site, name_prefix(site))
    if active:
        preflight.findings.append(fails(f"job {active[0]} still runs: two migrations at once would collide"))
    else:
        preflight.findings.append(passes("no other migration runs"))
    if preflight.job_name:
        job = await migration_job(site, preflight.job_name, first=preflight.first)
        preflight.job, preflight.diff = job, job.differences(site)
        preflight.findings.append(passes(job.words))


async def _running_job(site: Site, _operation: Operation, preflight: Preflight) -> None:
    """Find the migration's job that is to be stopped."""
    active = await active_jobs(site, name_prefix(site))
    preflight.job_name = active[0] if active else ""
    preflight.findings.append(
        passes(f"job {active[0]} runs, and is suspended: its pods end, it stays to be looked at")
        if active
        else fails("no migration of this release runs: there is nothing to stop")
    )


async def _pending(site: Site, operation: Operation, preflight: Preflight, newest: Revision) -> None:
    age = max(0, (site.clock.wall_us() - newest.deployed_us) // SECOND_US)
    by = await last_writer(site, newest.number)
    active = await active_jobs(site)
    message = (
        f"{newest.words} since {age} s"
        + (f", last written by {by}" if by else "")
        + (f", jobs that run: {', '.join(active[:3])}" if active else "")
    )
    if operation.kind is OperationKind.ROLLBACK:
        preflight.findings.append(passes(f"{message}: a rollback clears it"))
        return
    way = "roll it back first" if preflight.good is not None else "recover it with a rollback to itself first"
    preflight.findings.append(
        fails(f"{message}: an operation never ended, and helm refuses another one; {way}")
    )


async def _pods(site: Site, operation: Operation, preflight: Preflight) -> None:
    manifest = preflight.newest.manifest if preflight.newest is not None else None
    live = preflight.live = await look(
        site.kube, site.namespace, site.release, manifest, site.clock.wall_us()
    )
    preflight.findings += of_what_runs(live, operation.kind)


async def _record_size(site: Site, _operation: Operation, preflight: Preflight) -> None:
    if preflight.newest is None:
        return
    size = await record_bytes(site, preflight.newest.number)
    words = f"Helm release secret {size // 1024} KiB (limit {_LARGEST_RECORD // 1024} KiB)"
    preflight.findings.append(fails(words) if size > _LARGEST_RECORD else passes(words))


async def _images(site: Site, _operation: Operation, preflight: Preflight) -> None:
    candidate = site.runbook.candidate
    registry = site.clients.registry(site.tier)
    found: list[Finding] = []
    for name, reference in candidate.images.named().items():
        image = ImageRef.parse(reference)
        if not digest_of(reference):
            found.append(fails(f"image {name} is not named by a digest: a tag may move"))
            continue
        try:
            await registry.digest(image)
        except NotFoundError:
            found.append(fails(f"the registry doesn't have {name}@{short(image.digest)}"))
            continue
        tagged = ImageRef(image.host, image.repository, candidate.version, "")
        try:
            now = await registry.digest(tagged)
        except NotFoundError:
            continue
        if now != image.digest:
            words = f"tag {candidate.version} of {name} is {short(now)} now, the candidate is {short(image.digest)}"
            found.append(fails(f"{words}: somebody moved the tag", soft=True))
    preflight.findings += found or [passes("the registry has every image by its digest, and no tag moved")]


async def _diff(site: Site, _operation: Operation, preflight: Preflight) -> None:
    if preflight.version is None or preflight.copy is None:
        return  # there is no helm to ask, or nothing to ask it about, which was said already
    needs = lacking(Path(site.helm.chart.path), Path(site.environment.chart.path))
    preflight.findings += [fails(need.words, soft=not need.missing) for need in needs]
    if any(need.missing for need in needs):
        return  # helm would only say it again
    rendered = await render(site, namespace_there=preflight.namespace_there, first=preflight.newest is None)
    if rendered.unchecked:
        words = (
            "the chart's crds are new to the cluster, which can't check their objects before they are there"
        )
        preflight.findings.append(passes(words))
    preflight.rendered = rendered
    register_rendered(rendered.manifest, site.clients.redactor)
    register_rendered(rendered.hooks_manifest, site.clients.redactor)
    preflight.findings += _runs_candidate(site, rendered)
    stored = preflight.newest.manifest if preflight.newest is not None else ""
    if preflight.good is not None and preflight.newest is not None and not preflight.newest.good:
        stored = preflight.good.manifest
    hooks = rendered.running(first=preflight.newest is None)
    preflight.diff = await differing.compare(site, stored, rendered.manifest, hooks)
    preflight.findings.append(passes(preflight.diff.words))
    preflight.findings += [fails(problem, soft=True) for problem in preflight.diff.problems]


def _runs_candidate(site: Site, rendered: Rendered) -> list[Finding]:
    """Compare the images that the chart renders with the candidate's; helm is silent on values that nobody reads."""
    images, chart = site.runbook.candidate.images.named(), site.helm.chart
    manifest = f"{rendered.manifest}\n---\n{rendered.hooks_manifest}"
    place = f"environments.{site.tier}.chart"
    refused = refusals(manifest, images, chart, values_of(chart), place)
    found = [fails(words) for words in refused]
    found += [fails(words, soft=True) for words in halves(manifest, images)]
    return found or [passes("what is rendered names every image of the candidate by its digest")]


async def _staging(site: Site, _operation: Operation, preflight: Preflight) -> None:
    staging = site.runbook.environments[Tier.STAGING]
    kube, now_us = site.clients.kube(Tier.STAGING), site.clock.wall_us()
    newest = (await site.clients.helm(Tier.STAGING).history())[-1:]
    manifest = newest[0].manifest if newest else None
    live = await look(kube, staging.kube.namespace, staging.release, manifest, now_us)
    images = site.runbook.candidate.images.named()
    live = await told_by(live, images, site.clients.registry(Tier.STAGING))
    differs = live.differs(images)
    if differs:
        preflight.findings.append(fails(f"staging doesn't run what is promoted: {differs}", soft=True))
        return
    message = ", ".join(f"{name} {short(digest)}" for name, digest in live.images)
    preflight.findings.append(passes(f"staging runs the same digests: {message}"))


_SOFT: Sequence[Look] = (_images, _staging)
