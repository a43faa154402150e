"""Why workloads and pods aren't ready: told in the steps of an operation while it waits, and in its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.base import CouldNotLookError
from checks.clients.kube import KubeClient
from console.engine.operations.run.context import Run
from console.engine.operations.verdict.workloads import Live
from state.base.json import JsonObject, flag, obj, objs, path, text
from state.base.text import line
from state.base.times import SECOND_US
from state.view.diagnosis import pod_trouble, warnings, workload_trouble
from state.view.pods import is_ending, is_over, is_ready, observe

# These bound what one deploy adds to the log, and what is asked of the cluster: what fails tends to fail alike.
_EACH = 3
_AT_MOST = 12
_LOG_LINES = 8
_CLOCKS_APART_S = 30
_WELL = "no trouble any more"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps one thing from being ready."""

    subject: str
    """``Deployment web``, ``pod web-1``."""
    words: str
    pod: JsonObject | None = None

    @property
    def told(self) -> str:
        """Both, as a verdict says it."""
        return line(f"{self.subject}: {self.words}", 320)


async def tell_trouble(run: Run, live: Live) -> None:
    """Record what has gone wrong so far, and what has come right again; a pod that only starts is neither."""
    try:
        found = await _of_run(run, live, late=False)
    except CouldNotLookError:
        return  # the verdict says it, if it lasts
    await _record(run, found)
    for subject in set(run.told) - {one.subject for one in found}:
        await _well(run, subject)


async def tell_why(run: Run, live: Live) -> str:
    """Record why what isn't ready isn't, and return the first reason; it not being seen changes no verdict."""
    try:
        found = await _of_run(run, live, late=True)
    except CouldNotLookError as error:
        await run.report.step("why", "failed", f"cannot be seen: {error}")
        return ""
    await _record(run, found)
    return found[0].told if found else ""


async def tell_well(run: Run) -> None:
    """Record that what something was said of is no trouble any more."""
    for subject in run.told:
        await _well(run, subject)


async def _well(run: Run, subject: str) -> None:
    if run.told[subject] != _WELL:
        run.told[subject] = _WELL
        await run.report.step(subject, "done", _WELL)


async def _record(run: Run, found: Sequence[Trouble]) -> None:
    for one in found:
        if run.told.get(one.subject) == one.words or (
            one.subject not in run.told and len(run.told) >= _AT_MOST
        ):
            continue
        run.told[one.subject] = one.words
        await run.report.step(one.subject, "failed", one.words)
        if one.pod is not None:
            await _log(run, one.pod)


async def _of_run(run: Run, live: Live, *, late: bool) -> list[Trouble]:
    view = run.report.run()
    # Of a workload that was there before, an earlier operation's troubles are still told by its events.
    since_us = view.intended_us - _CLOCKS_APART_S * SECOND_US if view is not None else 0
    return await troubles(run.site.kube, live, run.site.clock.wall_us(), since_us=max(0, since_us), late=late)


async def troubles(
    kube: KubeClient, live: Live, now_us: int, *, since_us: int = 0, late: bool = True
) -> list[Trouble]:
    """Return what keeps workloads from making pods, and then what keeps pods from being ready.

    ``since_us``: what the cluster told last before that is of another time. ``late``: what isn't ready had its time.
    """
    found: list[Trouble] = []
    for one in [one for one in live.owned if not one.rollout.complete][:_EACH]:
        maker = one.newest if one.newest is not None else one.live
        events = await _warnings(kube, one.namespace, maker, since_us)
        if words := workload_trouble(one.rollout, events, late=late):
            found.append(Trouble(one.rollout.title, words))
    unready = [
        (one.namespace, pod)
        for one in live.owned
        if not one.rollout.complete
        for pod in one.pods
        if not is_ending(known := observe("", pod))
        and not is_ready(known, now_us)
        and (late or not is_over(known))
    ]
    unready.sort(key=lambda one: text(obj(one[1].get("metadata")), "creationTimestamp"), reverse=True)
    for namespace, pod in _told_first(unready):
        events = await _warnings(kube, namespace, pod, since_us)
        if words := pod_trouble(pod, events, late=late):
            found.append(Trouble(f"pod {text(obj(pod.get('metadata')), 'name')}", words, pod))
    return found


def _told_first(pods: Sequence[tuple[str, JsonObject]]) -> list[tuple[str, JsonObject]]:
    """Return a few of the pods that aren't ready: those first of which their own state already says something."""
    return sorted(pods, key=lambda one: not pod_trouble(one[1], ()))[:_EACH]


async def _warnings(kube: KubeClient, namespace: str, thing: JsonObject, since_us: int) -> list[JsonObject]:
    meta = obj(thing.get("metadata"))
    selected = f"involvedObject.name={text(meta, 'name')},type=Warning"
    where = f"/api/v1/namespaces/{namespace}/events"
    events = (await kube.list_objects(where, {"fieldSelector": selected})).items
    return warnings(events, text(meta, "uid"), since_us)


async def _log(run: Run, pod: JsonObject) -> None:
    name = text(obj(pod.get("metadata")), "name")
    for status in objs(path(pod, ("status", "containerStatuses"))):
        if flag(status, "ready") or not text(status, "containerID"):
            continue
        container = text(status, "name")
        try:
            answer = await run.site.kube.pod_logs(name, container=container, tail=_LOG_LINES)
        except CouldNotLookError:
            continue  # the container may be gone meanwhile
        lines = [one for one in answer.splitlines() if one.strip()][-_LOG_LINES:]
        if lines:
            await run.report.output(f"log of {name}/{container}", lines)
