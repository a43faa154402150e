"""Waiting for what helm has released: while the cluster goes on with it, no longer than the operation may take."""

from __future__ import annotations

from collections.abc import Mapping

from console.engine.operations.run.context import Run
from console.engine.operations.verdict.pod_diagnosis import tell_trouble
from console.engine.operations.verdict.workloads import Live, look, told_by
from state.base.times import SECOND_US

_LOOK_S = 2.0
_SURE = 2
"""Looks in a row that have to say the same: a single one may fall between two steps of a controller."""


async def look_now(run: Run, manifest: str | None, images: Mapping[str, str] | None = None) -> Live:
    """Return what runs of a run's release by the manifest of one of its revisions.

    ``images``: by whose digests what runs is to be named, where it is the same.
    """
    site = run.site
    live = await look(site.kube, site.namespace, site.release, manifest, site.clock.wall_us())
    return await told_by(live, images or {}, site.clients.registry(site.tier))


async def settled(run: Run, manifest: str, images: Mapping[str, str]) -> Live:
    """Return what runs, once it is settled with these images, or is known not to become so, or the time is over.

    Known is it where every workload is complete and others than these images run, and where the cluster itself says
    that it has given up (a rollout's deadline), or waits for a person (a paused rollout). Whatever else isn't ready
    yet gets the operation's whole timeout, from helm's end on, and a pod that runs again after crashes the minutes in
    which it has to prove that it stays. An abort ends the wait too.
    """
    clock = run.site.clock
    until = clock.mono_us() + int(run.operation.timeout * SECOND_US)
    same, before = 0, None
    while True:
        live = await look_now(run, manifest, images)
        if live.settled and (live.runs(images) or not images):
            return live
        final = live.settled or live.stuck
        same = same + 1 if final and live.rollouts == before else int(final)
        before = live.rollouts
        late = clock.mono_us() >= until and clock.wall_us() >= live.proven_us
        if same >= _SURE or late or run.abort.is_set():
            return live
        await run.report.step("pods", "running", live.words)
        await tell_trouble(run, live)
        await run.pause(_LOOK_S)
