"""Tasks in the background: what is due is sent once, and every queue is read and gets shorter again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pydantic import Field

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.kube_object import labels_of, name_of
from checks.container_env import command_words
from checks.guides import watching
from checks.judging import FRESH, Findings, key, looked, whole
from checks.workloads import INSTANCE, containers
from state.base.json import JsonObject, integer, obj, path, text
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.runbook.units import Seconds
from state.view.enums import Judges
from state.view.pods import is_ready, observe, restarts_lately, serves

if TYPE_CHECKING:
    from checks.clients.prometheus import RangeSeries

_NAMESPACE: Final = "{namespace}"
_BEAT: Final = re.compile(r"(?:[\w.]+-)*beat")
_WITH_A_BEAT: Final = re.compile(r"-[BDE]*B[BDE]*")
"""``-B`` among the worker's flags that take no value."""
_LOOKS: Final = 10
"""Samples over the span that a queue is looked at for."""
_LATE: Final = 2
"""Samples that may lack at the end."""
_RISES: Final = 3
"""As often it is longer than before and never shorter: chance, a single batch, make fewer."""


Point = tuple[float, float]
"""Seconds since 1970, tasks."""


def asked(promql: str, context: CheckContext) -> str:
    """Return a query about the environment that is judged."""
    return promql.replace(_NAMESPACE, context.environment.kube.namespace)


class BeatSettings(Settings):
    """How the process that sends periodic tasks is known, and how it is seen at work."""

    containers: tuple[str, ...] = ("beat",)
    """Names of containers that are this process whatever their command line says: their image has it. One that ends
    in ``-beat`` is too."""
    standby: bool = False
    """The scheduler holds a lock, as RedBeat does: of several processes one works, so more than one may run."""
    sent: str | None = None
    """PromQL: how many periodic tasks were sent, over a time longer than that between two. ``{namespace}`` stands for
    the environment's. Left out: nobody looks, and a person has to be asked."""
    max_restarts: int = 0
    """A process that was restarted more often within a day is not healthy."""


@check("tasks.beat", BeatSettings, guide=watching.BEAT, ttl=FRESH, judges=Judges.CANDIDATE, rendered=True)
async def beat(settings: BeatSettings, context: CheckContext) -> Outcome:
    """Judge that one process sends the periodic tasks, and that it sent some lately.

    A process of its own, or one in a worker (``-B``), whose replicas then are as many.
    """
    findings = Findings()
    if context.first():
        rendered = await findings.look(context.manifest(context.tier).objects(context.tier))
        if rendered is not None:
            _as_many(dict(_rendered(rendered, settings)), settings, context, findings)
            findings.defer("whether the beat process runs, and sends what is due: it runs nowhere yet")
        return findings.outcome("")
    await _running(settings, context, findings)
    if settings.sent is not None:
        await _sent(asked(settings.sent, context), context, findings)
    return findings.outcome(
        looked(
            (True, "the beat process runs" if settings.standby else "one beat process runs"),
            (settings.sent is not None, "and sent periodic tasks lately"),
        )
    )


def sends(container: JsonObject, named: tuple[str, ...] = ()) -> bool:
    """Return whether a container's process sends periodic tasks: the program ``beat``, or a worker with ``-B``."""
    words = command_words(container, {})
    called = (text(container, "name"), *(PurePosixPath(word).name for word in words))
    if called[0] in named or any(_BEAT.fullmatch(name) for name in called):
        return True
    after = words[words.index("worker") + 1 :] if "worker" in words else []
    return any(word == "--beat" or _WITH_A_BEAT.fullmatch(word) for word in after)


def _rendered(objects: Iterable[JsonObject], settings: BeatSettings) -> Iterator[tuple[str, int]]:
    """Yield the name of each workload that runs such a process, with its replicas."""
    for one in objects:
        template = obj(path(one, ("spec", "template")))
        if any(sends(box, settings.containers) for box in containers(template)):
            yield name_of(one), integer(obj(one.get("spec")), "replicas", 1)


async def _running(settings: BeatSettings, context: CheckContext, findings: Findings) -> None:
    kube, release = context.clients.kube(context.tier), context.environment.release
    listed = await findings.look(kube.list_objects(f"/api/v1/namespaces/{kube.namespace}/pods"))
    if listed is None:
        return
    # Another chart's release may have a scheduler of its own beside ours.
    ours = [
        pod
        for pod in listed.items
        if labels_of(pod).get(INSTANCE, release) == release and serves(observe(context.tier, pod))
    ]
    if not findings.looked_at("pod", len(ours)):
        return
    found = {
        name_of(pod): (pod, sum(sends(box, settings.containers) for box in containers(pod))) for pod in ours
    }
    there = {name: count for name, (_, count) in found.items() if count}
    _as_many(there, settings, context, findings)
    now_us = context.clock.wall_us()
    for name in there:
        pod, _ = found[name]
        findings.need(is_ready(observe(context.tier, pod), now_us), f"the beat process in {name} isn't ready")
        restarts = restarts_lately(pod, now_us)
        findings.need(
            restarts <= settings.max_restarts,
            f"the beat process in {name} was restarted {plural(restarts, 'time')} within a day",
        )


def _as_many(
    there: Mapping[str, int], settings: BeatSettings, context: CheckContext, findings: Findings
) -> None:
    """Judge how many of them there are: (pod or workload, how many)."""
    count, named = sum(there.values()), ", ".join(sorted(there)[:3])
    findings.saw("beat_processes", count)
    findings.saw("beat_in", sorted(there)[:10])
    findings.need(
        count > 0,
        f"no beat process runs in {context.environment.kube.namespace}: what is due is never put into a queue",
    )
    findings.need(
        count <= 1 or settings.standby,
        f"{count} beat processes run ({named}): every periodic task is sent as often",
    )


async def _sent(query: str, context: CheckContext, findings: Findings) -> None:
    answer = await findings.look(context.clients.prometheus(context.tier).query(query))
    if answer is None:
        return
    values = [sample.value for sample in answer if math.isfinite(sample.value)]
    if not values:
        findings.blind(f"no series tells when a periodic task was sent: {query}")
        return
    findings.saw("sent", whole(sum(values)))
    findings.need(sum(values) > 0, f"no periodic task was sent lately: {query} is 0")


class QueuesSettings(Settings):
    """Which queues there are, and how Prometheus tells of them. ``{namespace}`` stands for the environment's."""

    queues: tuple[str, ...] = Field(min_length=1)
    """Queues that tasks are put in."""
    length: str
    """PromQL: how many tasks wait, a series for each queue."""
    readers: str | None = None
    """PromQL: how many workers read it, a series for each queue. Left out: nobody looks."""
    label: str = "queue_name"
    """The label that names the queue."""
    most: int = 1000
    """Tasks; a queue that is longer all the ``span`` is too long."""
    span: Seconds = 600.0
    """For so long before now it is looked at."""
    absent_is_empty: bool = False
    """A queue without a series is an empty one: the exporter tells only of keys that are there."""


@check("tasks.queues", QueuesSettings, guide=watching.QUEUES, ttl=FRESH, judges=Judges.CANDIDATE)
async def queues(settings: QueuesSettings, context: CheckContext) -> Outcome:
    """Judge that each queue is read, and neither too long nor longer and longer, by Prometheus."""
    findings = Findings()
    if context.first():
        findings.defer("the lengths of the queues: nothing is put in them yet")
        return findings.outcome("")
    end, seen = context.clock.wall_us() // SECOND_US, 0
    answer = await findings.look(
        context.clients.prometheus(context.tier).query_range(
            asked(settings.length, context), end - settings.span, end, settings.span / _LOOKS
        )
    )
    if answer is not None:
        # Of a queue that nobody told of lately nothing is known: its exporter is gone.
        late = end - _LATE * settings.span / _LOOKS
        told_of = {n: p for n, p in lengths_of(answer, settings.label).items() if p[-1][0] >= late}
        seen = len(told_of)
        _lengths(told_of, end, settings, findings)
    if settings.readers is not None:
        await _readers(asked(settings.readers, context), settings, context, findings)
    told = plural(seen, "queue")
    return findings.outcome(
        looked(
            (True, f"{told} no longer than {settings.most} tasks for {settings.span:g}s, and not growing"),
            (settings.readers is not None, "each with a worker that reads it"),
        )
    )


def lengths_of(answer: Iterable[RangeSeries], label: str) -> dict[str, list[Point]]:
    """Return the lengths of each queue over time; where several series tell of one, what the longest says."""
    found: dict[str, dict[float, float]] = {}
    for series in answer:
        points = found.setdefault(series.labels.get(label, ""), {})
        for at, value in series.points:
            if math.isfinite(value):
                points[at] = max(value, points.get(at, 0.0))
    return {name: sorted(points.items()) for name, points in found.items() if points}


def grows(lengths: Sequence[float]) -> bool:
    """Return whether a queue got longer again and again and never shorter: nobody takes what is put in."""
    steps = [later - before for before, later in pairwise(lengths)]
    return min(steps, default=0.0) >= 0 and sum(step > 0 for step in steps) >= _RISES


def _lengths(
    there: Mapping[str, Sequence[Point]], end_s: float, settings: QueuesSettings, findings: Findings
) -> None:
    for name, points in sorted(there.items()):
        lengths, began = [value for _, value in points], end_s - points[0][0]
        findings.saw(key("queue", name), f"{lengths[-1]:g} now, {min(lengths):g} to {max(lengths):g}")
        if min(lengths) > settings.most and began < settings.span / 2:
            findings.blind(
                f"the queue {name} is longer than {settings.most} tasks, and is told of for {began:.0f}s only:"
                " whether that lasts can't be told yet"
            )
        elif min(lengths) > settings.most:
            findings.wrong(
                f"the queue {name} was longer than {settings.most} tasks all the last {settings.span:g}s"
                f" ({lengths[-1]:g} now)"
            )
        findings.need(
            not grows(lengths),
            f"the queue {name} gets longer and longer: {lengths[0]:g} to {lengths[-1]:g} tasks in {began:.0f}s",
        )
    for name in settings.queues:
        if name not in there and not (there and settings.absent_is_empty):
            findings.blind(f"no series tells how long the queue {name} is now: {settings.length}")


async def _readers(query: str, settings: QueuesSettings, context: CheckContext, findings: Findings) -> None:
    answer = await findings.look(context.clients.prometheus(context.tier).query(query))
    if answer is None:
        return
    if not answer:
        findings.blind(f"no series tells who reads a queue: {query}")
        return
    reading: dict[str, float] = {}
    for sample in answer:
        name = sample.labels.get(settings.label, "")
        reading[name] = max(sample.value if math.isfinite(sample.value) else 0.0, reading.get(name, 0.0))
    findings.saw("read_by", {key(name): whole(reading.get(name, 0.0)) for name in settings.queues})
    for name in settings.queues:
        findings.need(reading.get(name, 0.0) > 0, f"no worker reads the queue {name} now")
